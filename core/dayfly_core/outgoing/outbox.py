"""Outgoing webhooks as values: what is said, how it is signed, and when it is said again.

A call is recorded before it is sent, so a leader that dies in between leaves it to the next one:
receivers get each call at least once, always with the same ``Idempotency-Key`` and the same body.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from dayfly_core import __version__, instant
from dayfly_core.objects import Key
from dayfly_core.pace import Backoff
from dayfly_core.reasons import Reason

KEY_HEADER: Final = "Idempotency-Key"
SIGNATURE_HEADER: Final = "Dayfly-Signature"

LONGEST_PAUSE: Final = 3600.0
"""Seconds that a receiver's ``Retry-After`` can put off the next attempt: later steps wait too."""

# The only sentences about a receiver that people are told: whoever may write a URL must not learn
# from them what answers on which port of a network that only the operator can reach.
NO_CONNECTION: Final = "the receiver could not be reached"
NO_ANSWER: Final = "the receiver did not answer in time"
NO_HTTP: Final = "the receiver did not answer in HTTP"
NO_TLS: Final = "the receiver did not answer in TLS"
NOT_TRUSTED: Final = "the receiver's certificate is not trusted"


class SecretRef(msgspec.Struct, frozen=True):
    """The Secret whose key ``hmac`` signs a call."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """``team-a/dayfly-webhook``."""
        return f"{self.namespace}/{self.name}"


class Delivered(msgspec.Struct, frozen=True):
    """The receiver answered 2xx."""

    status: int


class Failed(msgspec.Struct, frozen=True):
    """No answer, or another one than 2xx: a later attempt may succeed."""

    reason: str
    """A fixed sentence, with the status code at most; fit for everybody."""
    retry_after: float | None = None
    """Seconds that the receiver asked for."""
    status: int = 0


class Refused(msgspec.Struct, frozen=True):
    """Nothing was sent, because nothing may be sent there: no later attempt is made."""

    reason: str


Outcome = Delivered | Failed | Refused


def answered(status: int, retry_after: float | None = None) -> Delivered | Failed:
    """Judge an answer by its status code alone."""
    if 200 <= status < 300:
        return Delivered(status)
    redirected = ": redirects are not followed" if 300 <= status < 400 else ""
    return Failed(f"the receiver answered {status}{redirected}", retry_after, status)


def retry_after(header: str | None, now: datetime) -> float | None:
    """Read ``Retry-After``, seconds or a date, as seconds from now; None if it is neither."""
    if header is None or len(header) > 64:
        return None
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
        return max(0.0, (at - now).total_seconds())
    except (
        ValueError,
        TypeError,
        OverflowError,
    ):  # no date, one without zone, or with too far a one
        return None


PATIENT: Final = Backoff(first=15.0, cap=600.0, jitter=0.5)


class Retries(msgspec.Struct, frozen=True):
    """When a call that failed is made again: six attempts, spread over about eight minutes."""

    limit: int = 6
    backoff: Backoff = PATIENT

    def after(
        self, attempts: int, now: datetime, chance: float, retry_after: float | None = None
    ) -> datetime | None:
        """Return when to call again after so many attempts; None to give up."""
        if attempts >= self.limit:
            return None
        asked = min(retry_after or 0.0, LONGEST_PAUSE)
        return now + timedelta(seconds=max(asked, self.backoff.delay(attempts, chance)))


class FollowUp(msgspec.Struct, frozen=True):
    """What an outcome means: delivered; or called again at ``again``; or, without it, given up."""

    reason: str
    message: str
    again: datetime | None = None

    @property
    def delivered(self) -> bool:
        """Whether there is nothing more to do."""
        return self.reason == Reason.CALL_DELIVERED

    @property
    def given_up(self) -> bool:
        """Whether it is a dead letter."""
        return not self.delivered and self.again is None


def follow_up(
    outcome: Outcome, attempts: int, retries: Retries, now: datetime, chance: float
) -> FollowUp:
    """Judge an outcome; ``attempts`` counts the one that it is of, ``chance`` lies in [0, 1)."""
    if isinstance(outcome, Delivered):
        return FollowUp(Reason.CALL_DELIVERED, f"the receiver answered {outcome.status}")
    if isinstance(outcome, Refused):
        return FollowUp(Reason.DESTINATION_FORBIDDEN, outcome.reason)
    again = retries.after(attempts, now, chance, outcome.retry_after)
    reason = Reason.CALL_FAILED if again else Reason.CALL_GIVEN_UP
    return FollowUp(reason, outcome.reason, again)


def signature(secret: bytes, timestamp: int, body: bytes) -> str:
    """Write ``Dayfly-Signature``: HMAC-SHA256 over Unix time, a dot and the body.

    The time is signed too, so that a receiver can refuse what somebody recorded and plays again.
    """
    signed = hmac.new(secret, b"%d." % timestamp + body, hashlib.sha256)
    return f"t={timestamp},v1={signed.hexdigest()}"


def headers(key: str, signed: str | None) -> dict[str, str]:
    """Return what is sent beside a body; nothing in it says who we are to the API server."""
    sent = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": f"dayfly/{__version__}",
        KEY_HEADER: key,
    }
    return {**sent, SIGNATURE_HEADER: signed} if signed else sent


class TimelineCall(msgspec.Struct, frozen=True):
    """What a receiver is told of one step of a timeline."""

    id: str
    """The occurrence; also the ``Idempotency-Key``."""
    policy: str
    step: str
    """Its id, for example ``WEBHOOK@-1h``."""
    expires_at: datetime
    key: Key
    uid: str


def timeline_body(call: TimelineCall) -> bytes:
    """Write the body for a step: the same bytes for every attempt, so nothing of *when* it is."""
    resource = call.key.resource
    return msgspec.json.encode(
        {
            "id": call.id,
            "policy": call.policy,
            "step": call.step,
            "expiresAt": instant.render(call.expires_at),
            "object": {
                "apiVersion": resource.api_version,
                "kind": resource.kind,
                "namespace": call.key.namespace or None,
                "name": call.key.name,
                "uid": call.uid,
            },
        }
    )

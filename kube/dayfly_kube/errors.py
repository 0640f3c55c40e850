"""What can go wrong with a request, named by what happens next.

``ApiError``      the API server answered, and the answer was no: the caller decides by its code
``Unproven``      an answer came that need not be the API server's: nothing is known either
``Unreachable``   no answer came: try again later, nothing is known about what the server did
"""

from typing import Final

import msgspec

REFUSALS: Final = frozenset({400, 403, 405, 413, 422})
"""Codes with which rights, rules and other people's webhooks say no."""

TOO_LARGE: Final = "request is too large"
"""What etcd says of an object over its limit; the API server passes it on as a 500."""

NO_WEBHOOK: Final = "failed calling webhook"
"""What the API server says, with a 500, of a webhook that has to be asked and does not answer."""


class StatusDetails(msgspec.Struct, frozen=True, rename="camel"):
    """``details`` of a ``Status``: the object it is about, and when to come back."""

    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    retry_after_seconds: int = 0


class Status(msgspec.Struct, frozen=True):
    """The body of every refusal, and the object of a watch's ``ERROR`` event."""

    code: int = 0
    reason: str = ""
    message: str = ""
    details: StatusDetails | None = None


class Unreachable(Exception):
    """No answer: refused connection, TLS failure, time-out, or a connection that broke."""


class Silent(Unreachable):
    """A watch was accepted and then carried nothing, not even a bookmark."""


class ApiError(Exception):
    """The API server's refusal; ``retry_after`` is in seconds, if it asked to come back."""

    def __init__(self, status: Status, retry_after: float | None = None) -> None:
        super().__init__(status.message or status.reason or f"HTTP {status.code}")
        self.code = status.code
        self.reason = status.reason
        self.message = status.message
        self.details = status.details or StatusDetails()
        self.retry_after = retry_after

    def __str__(self) -> str:
        """``409 Conflict: the object has been modified``, and what was noted of the request."""
        said = f"{self.code} {self.reason}: {self.message}".rstrip(": ")
        return "; ".join([said, *getattr(self, "__notes__", ())])

    @property
    def not_found(self) -> bool:
        """The object, or the kind, is not there."""
        return self.code == 404

    @property
    def absent(self) -> bool:
        """The object is not there: the API server names what it looked for.

        Of a kind or version that is not served it names nothing; the object may well be there.
        """
        return self.not_found and bool(self.details.name)

    @property
    def already_exists(self) -> bool:
        """Somebody else was first to create it."""
        return self.code == 409 and self.reason == "AlreadyExists"

    @property
    def conflict(self) -> bool:
        """A precondition failed: the object is no longer what the caller judged."""
        return self.code == 409 and self.reason != "AlreadyExists"

    @property
    def gone(self) -> bool:
        """The version or continue token is too old: list again."""
        return self.code == 410

    @property
    def unauthorized(self) -> bool:
        """The credentials are wrong or have run out."""
        return self.code == 401

    @property
    def forbidden(self) -> bool:
        """A right is missing, or the namespace is terminating."""
        return self.code == 403

    @property
    def unsupported(self) -> bool:
        """The kind does not offer the verb: ``bindings`` can be created, but not listed."""
        return self.code == 405

    @property
    def invalid(self) -> bool:
        """The object itself is wrong: trying again is no use."""
        return self.code == 422

    @property
    def refused(self) -> bool:
        """Sent again it would be refused again, until somebody changes the object or the rules."""
        return self.code in REFUSALS or TOO_LARGE in self.message

    @property
    def unjudged(self) -> bool:
        """A webhook that is not Dayfly's to repair would have to let it pass, and is away."""
        return self.code == 500 and NO_WEBHOOK in self.message

    @property
    def too_many(self) -> bool:
        """Throttled: come back after ``retry_after``."""
        return self.code == 429


class Unproven(ApiError):
    """Something answered, but not as the API server does: a proxy's page, or an empty object.

    It is neither a list of nothing nor a word about anything that is gone, whatever its code.
    """

    def __init__(self, what: str) -> None:
        super().__init__(Status(502, "Unproven", what))

    def __str__(self) -> str:
        """Say what answered; the code is nobody's."""
        return self.message


def refusal(code: int, body: bytes, retry_after: str | None) -> ApiError:
    """Make the error of an HTTP answer; a body that is no ``Status`` (a proxy's page) is cut."""
    status = _status(body)
    known = Status(
        code=code,
        reason=status.reason,
        message=status.message or body[:200].decode("utf-8", "replace"),
        details=status.details,
    )
    return ApiError(known, _seconds(retry_after, known.details))


def _status(body: bytes) -> Status:
    try:
        return msgspec.json.decode(body, type=Status)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Status()


def _seconds(header: str | None, details: StatusDetails | None) -> float | None:
    # An HTTP date is allowed there too, but no API server sends one.
    if header and header.isascii() and header.isdigit():
        return float(header)
    return float(details.retry_after_seconds) if details and details.retry_after_seconds else None

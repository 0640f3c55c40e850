"""One line of JSON for each refusal, and for a sample of the rest: who wanted what, what was said.

Not by ``logging``, which takes longer for a record than the webhooks for an answer.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from dayfly_admission.answer import Answer, Refused
from dayfly_admission.review import Review

log = logging.getLogger(__name__)

LONGEST: Final = 1024
"""Characters of a message: what was refused for a hundred reasons is not told in full twice."""

_encoder = msgspec.json.Encoder()


class Said(NamedTuple):
    """An answer, as metrics count it."""

    webhook: str
    verdict: str
    """``allowed``, ``patched`` or ``refused``."""
    reason: str
    seconds: float


class _Line(msgspec.Struct, frozen=True):
    time: datetime
    webhook: str
    verdict: str
    reason: str
    ms: float
    uid: str
    user: str | UnsetType = UNSET
    operation: str | UnsetType = UNSET
    resource: str | UnsetType = UNSET
    namespace: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    message: str | UnsetType = UNSET


class Journal:
    """Writes every refusal, and one in ``sample`` of the rest (0: none)."""

    def __init__(
        self, write: Callable[[bytes], object], now: Callable[[], datetime], sample: int
    ) -> None:
        self._write = write
        self._now = now
        self._sample = sample
        self._passed = 0
        self._broken = False

    def due(self, given: Answer) -> bool:
        """Whether this answer is to be noted; ask once for each."""
        if type(given) is Refused:
            return True
        self._passed += 1
        return self._sample > 0 and self._passed % self._sample == 0

    def note(self, review: Review | None, given: Answer, said: Said) -> None:
        """Write the line."""
        line = _encoder.encode(self._line(review, given, said)) + b"\n"
        try:
            self._write(line)
        except OSError as error:  # a full disk or a closed pipe is no reason to refuse anything
            if not self._broken:
                log.warning("requests are no longer logged: %s", error)
            self._broken = True

    def _line(self, review: Review | None, given: Answer, said: Said) -> _Line:
        request = review.request if review else None
        return _Line(
            time=self._now(),
            webhook=said.webhook,
            verdict=said.verdict,
            reason=said.reason,
            ms=round(said.seconds * 1e3, 3),
            uid=given.uid,
            user=request.username if request else UNSET,
            operation=request.operation.value if request else UNSET,
            resource=".".join(filter(None, (request.plural, request.group))) if request else UNSET,
            namespace=request.namespace if request and request.namespace else UNSET,
            name=request.name if request else UNSET,
            message=given.status.message[:LONGEST] if isinstance(given, Refused) else UNSET,
        )

"""When the leader looks at which name: after each change, and at all of them every so often.

Every replica watches, and remembers since when it has seen each claim unchanged; only the leader
writes. What is well costs no request, at whatever distance it is looked at.
"""

import logging
from collections.abc import Callable
from typing import Final

from dayfly_core.claim_key import ClaimKey
from dayfly_core.pace import Backoff
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_operator.naming.claim_repair import ClaimRepair
from dayfly_operator.queue import WorkQueue
from dayfly_operator.writing import Gate, NotLeading

log = logging.getLogger(__name__)

WORKERS: Final = 4
"""Names handled at the same time: binding is in no hurry, ends are."""

SETTLING: Final = 0.5
"""Seconds that a name without a claim has: the claim was written before the object, but the two
come by different watches."""

REFUSED_AGAIN: Final = 30.0
"""Seconds until what the API server forbade is tried again: somebody has to grant it first."""

DOUBTED: Final = Backoff(first=2.0, cap=3600.0)
"""Pauses while a quorum read knows of a holder that no watch shows (no policy names its kind any
more), or is forbidden. The claim stays, and from time to time somebody should look again."""


class NameQueue:
    """The work queue of names."""

    def __init__(self, repair: ClaimRepair, gate: Gate, chance: Callable[[], float]) -> None:
        self._repair = repair
        self._gate = gate
        self._chance = chance
        self._doubts: dict[ClaimKey, int] = {}
        self._settling: set[ClaimKey] = set()
        self.queue: WorkQueue[ClaimKey] = WorkQueue(
            self.handle, workers=WORKERS, backoff=Backoff(first=0.5, cap=60.0)
        )

    def changed(self, key: ClaimKey, *, claimed: bool) -> None:
        """Hear that somebody has, wants, or no longer wants a name."""
        # Also without the lead: from now on the claim counts as seen in this version.
        due = self._repair.due(key)
        self._doubts.pop(key, None)
        if not (due and self._gate.holds()):
            return
        if claimed:
            self.queue.add(key)
        elif key not in self._settling:
            self._settling.add(key)
            self.queue.add_after(key, SETTLING)

    async def look_at_all(self) -> None:
        """Look at every name; what needs something is queued."""
        await self._repair.look_at_all(self._found)

    def _found(self, key: ClaimKey) -> None:
        if key not in self._doubts:
            self.queue.add(key)

    async def handle(self, key: ClaimKey) -> None:
        """Do what is to be done about one name now."""
        self._settling.discard(key)
        try:
            await self._mend(key)
        except NotLeading:
            self._doubts.pop(key, None)  # whoever leads next looks at every name
        except Unreachable as error:
            self._later(key, error, 0.0)
        except ApiError as error:
            if error.forbidden or error.invalid:
                self._refused(key, error)
            else:
                self._later(key, error, error.retry_after or 0.0)

    async def _mend(self, key: ClaimKey) -> None:
        if not self._gate.holds():
            raise NotLeading
        mended = await self._repair.mend(key)
        if mended.doubtful:
            self._doubt(key)
            return
        self._doubts.pop(key, None)
        if mended.again is not None:
            self.queue.add_after(key, mended.again)

    def _doubt(self, key: ClaimKey, at_least: float = 0.0) -> None:
        self._doubts[key] = self._doubts.get(key, 0) + 1
        delay = DOUBTED.delay(self._doubts[key], self._chance())
        self.queue.add_after(key, max(delay, at_least))

    def _refused(self, key: ClaimKey, error: ApiError) -> None:
        if key not in self._doubts:
            log.warning("claim may be wrong name=%s error=%s", key.claim_name, error)
        self._doubt(key, REFUSED_AGAIN)

    def _later(self, key: ClaimKey, error: Exception, at_least: float) -> None:
        delay = self.queue.retry(key, at_least=at_least)
        log.debug("tried again later name=%s in=%.2fs error=%s", key.text, delay, error)

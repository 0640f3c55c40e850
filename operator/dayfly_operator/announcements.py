"""What an election tells the log."""

import logging
from typing import Final

log = logging.getLogger(__name__)

SORTS_OF_TROUBLE: Final = 4
"""So many are reported of one outage: texts that never repeat must not flood the log."""


class Reports:
    """One log line for each change of state, none for each attempt."""

    def __init__(self) -> None:
        self._said = ""
        self._troubles: set[str] = set()

    def leading(self, term: int) -> None:
        """We hold the Lease."""
        self._say(f"leading term={term}")

    def following(self, holder: str) -> None:
        """Somebody else does."""
        self._say(f"following holder={holder!r}")

    def released(self) -> None:
        """Nobody does, by our own will."""
        self._say("released the lease")

    def failing(self, error: Exception) -> None:
        """No usable answer; told once for each sort of trouble until there is an answer again."""
        trouble = str(error) or type(error).__name__
        # "GET …: refused" and "PUT …: refused" are one and the same.
        sort = trouble.rpartition(": ")[2]
        if sort not in self._troubles and len(self._troubles) < SORTS_OF_TROUBLE:
            self._troubles.add(sort)
            log.warning("the lease could not be read or written error=%r", trouble)

    def answered(self) -> None:
        """There is an answer."""
        if self._troubles:
            self._troubles.clear()
            log.info("the lease can be read and written again")

    def _say(self, state: str) -> None:
        if state != self._said:
            self._said = state
            log.info(state)

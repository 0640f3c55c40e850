"""When a key is looked at: at its deadline, and again after what did not work.

The part that all kinds have in common, be they watched by the engine or our own.
"""

import logging
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Final, Generic, TypeVar

from dayfly_core.pace import Backoff
from dayfly_kube.errors import ApiError
from dayfly_operator.deadlines import Deadlines
from dayfly_operator.queue import WorkQueue
from dayfly_operator.writing import Gate

K = TypeVar("K", bound=Hashable)
log = logging.getLogger(__name__)

REFUSED: Final = Backoff(first=30.0, cap=300.0)
"""When what the API server forbade is tried again: somebody has to grant it first."""

LASTING: Final = 9
"""Failures in a row after which somebody has to hear of it: some ten seconds of them."""


class Schedule(Generic[K]):
    """Brings keys into the queue: at their deadlines, if this process leads then, or after errors.

    A deadline that passes with the gate closed is gone: when it opens, every key is looked at.
    """

    def __init__(self, queue: WorkQueue[K], gate: Gate, now: Callable[[], datetime]) -> None:
        self._queue = queue
        self._gate = gate
        self.deadlines: Deadlines[K] = Deadlines(self._due, now=now)

    def again(self, key: K, when: datetime | None) -> None:
        """Look again then, instead of any other time; None: only when something changes."""
        if when is None:
            self.deadlines.cancel(key)
        else:
            self.deadlines.set(key, when)

    def failed(self, key: K, error: Exception, backoff: Backoff | None = None) -> bool:
        """Try again as soon as that may help; never sooner than the API server asks for.

        ``backoff`` is for what the API server's answer alone does not tell. Returns whether
        somebody should hear of it: the API server is there, and fails at this for long.
        """
        answer = error if isinstance(error, ApiError) else None
        delay = self._queue.retry(
            key,
            at_least=(answer and answer.retry_after) or 0.0,
            backoff=REFUSED if answer and answer.refused else backoff,
        )
        trouble = str(error) or type(error).__name__
        log.debug("tried again later object=%s in=%.2fs error=%s", key, delay, trouble)
        if answer is None or answer.refused or answer.too_many:
            return False  # told elsewhere, or of all objects at once
        return self._queue.failures(key) >= LASTING

    def _due(self, key: K) -> None:
        if self._gate.holds():
            self._queue.add(key, urgent=True)

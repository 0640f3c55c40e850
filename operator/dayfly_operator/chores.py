"""What is done again when something changed, when it failed, and every so often."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from math import inf
from random import Random
from typing import Final

from dayfly_core.pace import Backoff
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_operator.writing import NotLeading

log = logging.getLogger(__name__)

REST: Final = 9
"""Calls that take long are further apart: nine times as long as one, within limits."""

FAILED_GAP: Final = 0.2
"""Least seconds between a failure and the next attempt, however often it is woken."""


class Chore:
    """Calls ``act`` at once, after :meth:`wake`, and ``every`` so many seconds.

    ``act`` may return the seconds until it wants to be called again, instead of ``every``. Any
    number of wakes during a call make one more call, at the earliest ``gap`` seconds after it, or,
    up to ``longest_gap``, when nine times as long as the call took is over.
    A failure is logged once in a row (with its trace, unless it is ``expected``) and tried again
    after a growing delay; a process that may not act waits until it is woken. Level, not edge:
    ``act`` looks at everything each time.
    """

    def __init__(
        self,
        name: str,
        act: Callable[[], Awaitable[float | None]],
        *,
        every: float = inf,
        gap: float = 0.0,
        longest_gap: float = 0.0,
        expected: tuple[type[Exception], ...] = (),
        backoff: Backoff = Backoff(first=0.5, cap=15.0),  # noqa: B008 (frozen)
    ) -> None:
        self._name = name
        self._act = act
        self._every = every
        self._gap = gap
        self._longest_gap = longest_gap
        self._expected: tuple[type[Exception], ...] = (ApiError, Unreachable, *expected)
        self._backoff = backoff
        self._random = Random()
        self._failures = 0
        self._wanted = asyncio.Event()

    def wake(self) -> None:
        """Have it done soon."""
        self._wanted.set()

    async def run(self) -> None:
        """Do it for ever."""
        while True:
            self._wanted.clear()
            begun = asyncio.get_running_loop().time()
            again = await self._attempt()
            await self._rest(again, asyncio.get_running_loop().time() - begun)

    async def _rest(self, seconds: float, took: float) -> None:
        # The gap holds for failures too: a storm of wakes must not become a storm of requests.
        gap = max(self._gap, min(took * REST, self._longest_gap))
        pause = min(seconds, max(gap, FAILED_GAP if self._failures else 0.0))
        await asyncio.sleep(pause)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if seconds == inf else seconds - pause):
                await self._wanted.wait()

    async def _attempt(self) -> float:
        try:
            again = await self._act()
        except NotLeading:
            return inf
        except self._expected as error:
            return self._failed(error, getattr(error, "retry_after", None))
        except Exception as error:  # noqa: BLE001 (a defect here must not stop the ends; it is logged with its trace, and tried again)
            return self._failed(error, None, trace=True)
        self._failures = 0
        return self._every if again is None else again

    def _failed(self, error: Exception, at_least: float | None, *, trace: bool = False) -> float:
        self._failures += 1
        delay = max(self._backoff.delay(self._failures, self._random.random()), at_least or 0.0)
        if self._failures == 1:
            log.warning(
                "%s failed, tried again in %.1fs error=%s",
                self._name,
                delay,
                error,
                exc_info=error if trace else None,
            )
        return delay

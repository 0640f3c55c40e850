"""A question that somebody waits for, though the API server may be away for a while."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from dayfly_cli.terminal import Terminal
from dayfly_core.pace import Backoff
from dayfly_kube.errors import ApiError, Unreachable

T = TypeVar("T")

PATIENCE: Final = Backoff(first=0.5, cap=30.0, jitter=0.0)
"""Without jitter: people do not begin to look all at one instant."""

BACK: Final = "the connection is back"


async def answered(ask: Callable[[], Awaitable[T]], terminal: Terminal) -> T:
    """Ask until there is an answer; say once that there is none, and once that there is again."""
    failures = 0
    while True:
        try:
            answer = await ask()
        except (ApiError, Unreachable) as error:
            failures += 1
            if failures == 1:
                terminal.warn(lost(error))
            asked = (error.retry_after if isinstance(error, ApiError) else None) or 0.0
            await asyncio.sleep(max(PATIENCE.delay(failures, 0.0), min(asked, PATIENCE.cap)))
        else:
            if failures:
                terminal.remark(BACK)
            return answer


def lost(error: ApiError | Unreachable) -> str:
    """Say that what is shown is not kept true for now, and why."""
    return f"the connection is lost, what is shown may be out of date: {error}"

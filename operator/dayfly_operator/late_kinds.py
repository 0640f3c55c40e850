"""Kinds that are installed while kopf runs: it asks for them once, and may ask too early.

kopf looks at what is served in the moment in which a definition changes. The API server serves a
new kind some moments after the last change of its definition, so that kopf may never hear of it.
Nothing public of kopf makes it look again: what it does at each change is called here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Final

import kopf
from kopf._cogs.clients.auth import vault_var
from kopf._cogs.structs.bodies import RawEvent
from kopf._cogs.structs.credentials import Vault
from kopf._cogs.structs.references import Insights
from kopf._core.reactor.observation import process_discovered_resource_event

from dayfly_core.objects import Resource

AGAIN: Final = (1.0, 4.0, 15.0, 40.0)
"""Seconds between a change of any definition and the looks after it, each from the one before."""

Look = Callable[[str], Awaitable[None]]
"""Has kopf look at what a group serves."""


async def look_again(insights: Insights, wanted: Iterable[Resource], look: Look) -> None:
    """After each change of a definition, look for the kinds that are missing until they are there.

    At rest it costs nothing; kinds whose definitions nobody has installed cost four looks a change.
    """
    delays: Iterator[float] = iter(AGAIN)
    while True:
        groups = missing(insights, wanted)
        if await revised(insights, next(delays, None) if groups else None):
            delays = iter(AGAIN)
        else:
            for group in groups:
                await look(group)


async def revised(insights: Insights, within: float | None) -> bool:
    """Wait until kopf has looked by itself; False if it has not ``within`` these seconds."""
    try:
        async with asyncio.timeout(within), insights.revised:
            await insights.revised.wait()
    except TimeoutError:
        return False
    return True


def missing(insights: Insights, wanted: Iterable[Resource]) -> frozenset[str]:
    """Return the groups of the kinds that kopf does not watch."""
    watched = {(each.group, each.plural) for each in insights.watched_resources}
    return frozenset(each.group for each in wanted if (each.group, each.plural) not in watched)


def vault_for_all() -> Vault:
    """Make the credentials of kopf's requests known to all tasks that are made from here on.

    kopf itself makes them known to its own tasks alone, and without them a look is an error.
    """
    vault = Vault()
    vault_var.set(vault)
    return vault


def looker(
    insights: Insights, registry: kopf.OperatorRegistry, settings: kopf.OperatorSettings
) -> Look:
    """Return what makes kopf look at a group, as if a definition of it had changed."""
    process = partial(
        process_discovered_resource_event, insights=insights, registry=registry, settings=settings
    )

    async def look(group: str) -> None:
        definition: RawEvent = {"type": "MODIFIED", "object": {"spec": {"group": group}}}
        await process(raw_event=definition)

    return look

"""What a simulation takes for granted, said at its end. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from dayfly_cli.ends import Awaited, at
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.objects import NAMESPACES, Key
from dayfly_core.simulation import END, SCALE_DOWN, Event
from dayfly_operator.settings import command_line

NAMED: Final = 3
"""Of many, so many are named."""

PACED: Final = frozenset({END, SCALE_DOWN})
"""What the operator does at a pace."""


class Setting(msgspec.Struct, frozen=True):
    """What was simulated, beside the events."""

    everywhere: bool
    proposed: Sequence[str] = ()
    """Names of policies that are not in force."""
    awaited: Mapping[Key, Awaited] = {}
    unread: Sequence[ReleaseRef] = ()
    """Helm releases that one may not read."""


def assumptions(events: Sequence[Event], setting: Setting) -> Iterator[str]:
    """Yield them, a sentence each."""
    yield "every act succeeds at once, and nobody extends, wakes, changes or creates anything"
    if setting.proposed:
        yield f"ExpiryPolicy {named(setting.proposed)} is applied now as written in the file"
    if not setting.everywhere:
        yield "breakers judge by this namespace alone; -A judges by all, as the operator does"
    yield from _pace(events)
    yield from _pods(setting.awaited)
    if setting.unread:
        refs = named(map(str, setting.unread))
        yield f"of the Helm releases that you may not read only what is stamped ends: {refs}"


def _pace(events: Iterable[Event]) -> Iterator[str]:
    acts = Counter(event.at for event in events if not event.held and event.what in PACED)
    if not acts:
        return
    moment, count = acts.most_common(1)[0]
    rate = command_line({}).get_default("max_deletes_per_second")
    if count > rate:
        yield (
            f"there is no pace: the {count} acts of {at(moment)} take the operator about "
            f"{count / rate:.0f}s by its default of {rate:g} a second"
        )


def _pods(awaited: Mapping[Key, Awaited]) -> Iterator[str]:
    waiting = [each.by for key, each in awaited.items() if each.by and key.resource != NAMESPACES]
    if waiting:
        yield f"no pod succeeds, so these do nothing that waits for one: {named(sorted(waiting))}"


def named(all_of_them: Iterable[str]) -> str:
    """Name the first few."""
    listed = list(all_of_them)
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more

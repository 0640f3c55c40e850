"""Many ends at one instant: objects, Namespaces, and Namespaces that a manager or Ephemerator ends.

They are made beforehand, so that their ends are announced and nothing about them is surprising.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from bench.meadow import CONFIG_MAPS, NAMESPACE, config_map, created
from bench.wards import managing, namespace
from dayfly_core import instant, names
from dayfly_core.objects import EPHEMERATORS, NAMESPACE_MANAGERS, NAMESPACES
from dayfly_kube.client import Client

Body = Mapping[str, object]


class Sort(StrEnum):
    """What ends, and by whom."""

    OBJECT = "ConfigMaps"
    NAMESPACE = "Namespaces"
    MANAGER = "NamespaceManagers"
    EPHEMERATOR = "Ephemerators"


SHARES: Final = {
    Sort.OBJECT: 0.8,
    Sort.NAMESPACE: 0.05,
    Sort.MANAGER: 0.075,
    Sort.EPHEMERATOR: 0.075,
}
"""A Namespace costs its controller a hundred requests to empty, which is not to be measured."""


@dataclass(frozen=True, slots=True)
class Ending:
    """One of them."""

    sort: Sort
    name: str

    @property
    def target(self) -> str:
        """What is deleted, as the audit log names it."""
        inside = self.sort is Sort.OBJECT
        return f"configmaps/{NAMESPACE}/{self.name}" if inside else f"namespaces/{self.name}"

    @property
    def author(self) -> str:
        """Who has it deleted, as the audit log names it; empty for what is stamped."""
        if self.sort is Sort.MANAGER:
            return f"namespacemanagers/{NAMESPACE}/{self.name}"
        return f"ephemerators/{self.name}" if self.sort is Sort.EPHEMERATOR else ""


@dataclass(frozen=True, slots=True)
class Crowd:
    """All that end at ``due``."""

    due: datetime
    endings: Sequence[Ending]

    def of(self, sort: Sort) -> Iterator[Ending]:
        """Yield those of one sort."""
        return (ending for ending in self.endings if ending.sort is sort)

    def __str__(self) -> str:
        """Read as ``100 Namespaces, 50 Ephemerators``."""
        return ", ".join(f"{sum(1 for _ in self.of(sort)):,} {sort}" for sort in Sort)


def mix(count: int) -> Mapping[Sort, int]:
    """Return how many of each sort there are among so many."""
    return {sort: round(count * share) for sort, share in SHARES.items()}


async def sown(
    client: Client, name: str, counts: Mapping[Sort, int], head: timedelta, spare: timedelta
) -> Crowd:
    """Create them, in ``head``, so that they end ``spare`` later.

    Raises RuntimeError if it took longer: then they would not be announced.
    """
    endings = [
        Ending(sort, f"{name}-{sort.lower()}-{i:04}")
        for sort, n in counts.items()
        for i in range(n)
    ]
    managed = [namespace(each.name) for each in endings if each.author]
    await created(client, NAMESPACES.path(), managed)
    due = (datetime.now(UTC) + head + spare).replace(microsecond=0) + timedelta(seconds=1)
    crowd = Crowd(due, endings)
    for path, bodies in _bodies(crowd):
        await created(client, path, bodies)
    if datetime.now(UTC) > due - spare:
        raise RuntimeError(f"{len(endings)} objects were not made within {head}")
    return crowd


def _bodies(crowd: Crowd) -> Iterator[tuple[str, Iterable[Body]]]:
    yield NAMESPACES.path(), (_stamped(each, crowd.due) for each in crowd.of(Sort.NAMESPACE))
    managers = (_manager(each, crowd.due) for each in crowd.of(Sort.MANAGER))
    yield NAMESPACE_MANAGERS.path(NAMESPACE), managers
    yield (
        EPHEMERATORS.path(),
        (_ephemerator(each, crowd.due) for each in crowd.of(Sort.EPHEMERATOR)),
    )
    yield CONFIG_MAPS, (config_map(each.name, crowd.due) for each in crowd.of(Sort.OBJECT))


def _stamped(ending: Ending, due: datetime) -> Body:
    body = namespace(ending.name, bench="yes")
    head = {"name": ending.name, "labels": {"bench": "yes"}}
    return {**body, "metadata": {**head, "annotations": {names.EXPIRES_AT: instant.render(due)}}}


def _manager(ending: Ending, due: datetime) -> Body:
    until = {"type": "UNTIL", "params": {"until": instant.render(due)}}
    return managing(ending.name, ending.name, until, {})


def _ephemerator(ending: Ending, due: datetime) -> Body:
    until = {"date": f"{due:%Y-%m-%d}", "time": f"{due:%H:%M:%S}", "timezone": "UTC"}
    return {
        "apiVersion": EPHEMERATORS.api_version,
        "kind": EPHEMERATORS.kind,
        "metadata": {"name": ending.name, "annotations": {names.ENABLED: "true"}},
        "spec": {"namespaceToWatch": ending.name, "lifetime": {"until": until}},
    }

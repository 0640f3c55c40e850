"""How a Helm release ends: which objects, in which order, and what keeps all of them.

A release ends whole or not at all: one object that is not its own, that is protected or that must
not be ended keeps the others too, and is named.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dayfly_core.guard import Guard
from dayfly_core.helm import ReleaseRef
from dayfly_core.helm_manifest import Document
from dayfly_core.objects import Key, ObjectMeta


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was found under a name that the manifest lists."""

    document: Document
    key: Key | None
    """None: the API server serves no such kind, so that there is no such object."""
    meta: ObjectMeta | None = None
    """None: there is no such object (any more)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One DELETE of a plan; before it the object is marked, unless it is already."""

    key: Key
    uid: str
    resource_version: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Blocker:
    """Why a release does not end: the object in the way, and what is wrong with it."""

    reason: str
    name: str
    """``deployments.apps/team-a/web``; empty if it is not about one object."""
    note: str
    uid: str = ""
    key: Key | None = None

    @property
    def text(self) -> str:
        """One sentence."""
        return f"{self.name} {self.note}" if self.name else self.note


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """What the end of a release does; nothing at all while there is a blocker."""

    ref: ReleaseRef
    steps: tuple[Step, ...] = ()
    kept: tuple[str, ...] = ()
    """Objects that outlive the release because its chart says so."""
    hooks: tuple[str, ...] = ()
    """Hooks of the chart, which are not run."""
    blockers: tuple[Blocker, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else decides about the objects of a release."""

    guard: Guard
    others: Mapping[Key, ReleaseRef] = field(default_factory=dict[Key, ReleaseRef])
    """Other releases that list an object too."""
    obstacles: Mapping[Key, Blocker] = field(default_factory=dict[Key, Blocker])
    """What only a question to the API server could tell: missing rights, what a namespace holds."""


def judge(
    ref: ReleaseRef,
    sightings: Iterable[Sighting],
    around: Surroundings,
    hooks: Sequence[str] = (),
) -> ReleasePlan:
    """Decide, over objects in the order in which they end."""
    raise NotImplementedError

"""What is to become of objects, and how each looks when it has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from dayfly_core import names
from support.kill_places import REPLICAS, Json

Holds = Callable[[Json | None], bool]


@dataclass(frozen=True, slots=True)
class Hope:
    """What an object, None if there is none, will be in the end."""

    path: str
    holds: Holds


class Deal(NamedTuple):
    """Which deed of whom."""

    actor: str
    what: str


@dataclass(frozen=True, slots=True)
class Sleeper:
    """What is put to rest, and can be woken."""

    uid: str
    path: str
    rests: Holds
    workloads: Mapping[str, Hope]
    """By uid: how each will be when it is awake."""
    woken: str
    """The deed that ends the waking."""


@dataclass(slots=True)
class Fate:
    """What is to be done to what was sown, by uid: the actor."""

    deleted: dict[str, str] = field(default_factory=dict[str, str])
    rested: dict[str, str] = field(default_factory=dict[str, str])
    woken: dict[str, str] = field(default_factory=dict[str, str])
    warned: dict[str, str] = field(default_factory=dict[str, str])
    spaces: dict[str, str] = field(default_factory=dict[str, str])
    """Namespaces that were made, by uid."""
    called: set[str] = field(default_factory=set[str])
    sleepers: dict[str, Sleeper] = field(default_factory=dict[str, Sleeper])
    """By actor."""
    told: dict[tuple[str, str], Deal] = field(default_factory=dict[tuple[str, str], Deal])
    """What the history is to say: of which uid, which action; and the deed that ends it."""
    hopes: dict[str, Hope] = field(default_factory=dict[str, Hope])
    """By path: of two, the later counts."""

    def hope(self, path: str, holds: Holds) -> None:
        """Expect something of an object."""
        self.hopes[path] = Hope(path, holds)


def is_gone(found: Json | None) -> bool:
    return found is None or "deletionTimestamp" in found["metadata"]


def notes(found: Json) -> dict[str, str]:
    """Return the annotations."""
    read: dict[str, str] = found["metadata"].get("annotations", {})
    return read


def is_resting(found: Json | None) -> bool:
    count = found and (found["spec"]["replicas"], notes(found).get(names.REPLICAS))
    return count == (0, str(REPLICAS))


def is_awake(found: Json | None) -> bool:
    return (
        found is not None
        and found["spec"]["replicas"] == REPLICAS
        and not {names.REPLICAS, names.SCALED_BY} & notes(found).keys()
    )


def is_suspended(found: Json | None) -> bool:
    return found is not None and found["spec"]["suspend"] is True


def goes_on(found: Json | None) -> bool:
    return found is not None and found["spec"]["suspend"] is False


def has_done(step: str) -> Holds:
    """Look for a step that is on record as done."""

    def holds(found: Json | None) -> bool:
        done = msgspec.json.decode(notes(found or {"metadata": {}}).get(names.STEPS, "{}"))
        results = {each["step"]: each["result"] for each in done.get("done", [])}
        return results.get(step) == "Done"

    return holds


def has_acted(found: Json | None) -> bool:
    """Whether a NamespaceManager has done its work, and says so."""
    if found is None or not found["spec"].get("deactivated"):
        return False
    return [each["result"] for each in found["status"]["policies"]] == ["Done"]

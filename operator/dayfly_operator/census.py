"""What a status counts: how many objects each policy holds, and which of them end next."""

import asyncio
from bisect import insort
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple, Protocol

import msgspec

from dayfly_core import api, instant, names, outlook, timeline
from dayfly_core.lifecycle import Result
from dayfly_core.objects import Key, ObjectMeta
from dayfly_core.policies import Policy
from dayfly_operator.stamped import Stamped

SLICE: Final = 500
"""Objects counted in one go: some milliseconds in which no end is served."""

NEXT: Final = 20
"""Ends that a status names."""


NAMED: Final = 10
"""Steps that were given up that a status names."""

FAILED: Final = f'"{Result.FAILED}"'
"""How the record of a step that was given up reads."""


class Coming(NamedTuple):
    """A step of one object; they sort by when it is, and by name what is at the same time."""

    at: datetime
    kind: str
    namespace: str
    name: str
    uid: str
    step: str

    @property
    def told(self) -> api.NextEnd:
        """As the status says it."""
        return api.NextEnd(
            at=instant.render(self.at),
            action=self.step,
            kind=self.kind,
            namespace=self.namespace,
            name=self.name,
            uid=self.uid,
        )


class Tally(msgspec.Struct):
    """The objects of one policy."""

    matched: int = 0
    next_end: datetime | None = None
    """When the first of them is scaled down or deleted; what sleeps is next when it is deleted."""
    coming: list[Coming] = []
    """The nearest steps, in order."""
    given_up: int = 0
    """Objects with a step that is not tried any more."""
    first_given_up: list[str] = []
    """Some of them, with the step and why."""

    def add(self, key: Key, found: Stamped) -> None:
        """Count an object."""
        self.matched += 1
        # A step that failed is rare: only then is the record read.
        if FAILED in found.meta.annotation_map.get(names.STEPS, ""):
            self._note_failures(key, found)

    def _note_failures(self, key: Key, found: Stamped) -> None:
        records = timeline.of(found.meta).records
        failed = [each for each in records.values() if each.result is Result.FAILED]
        self.given_up += bool(failed)
        self.first_given_up += [f"{key} {each.rule}: {each.message}" for each in failed]
        del self.first_given_up[NAMED:]

    def may_be_near(self, earliest: datetime) -> bool:
        """Whether what comes at that time or later may be among the nearest."""
        return len(self.coming) < NEXT or earliest <= self.coming[-1].at

    def may_end_first(self, at: datetime | None) -> bool:
        """Whether what ends at that time ends before all that were counted; None never ends."""
        return at is not None and (self.next_end is None or at < self.next_end)

    def note(self, coming: Coming) -> None:
        """Keep it, if it is among the nearest."""
        insort(self.coming, coming)
        del self.coming[NEXT:]


class Acting(Protocol):
    """What policies do."""

    def policy(self, name: str) -> Policy | None:
        """Return a policy by name, if it does anything at present."""
        ...

    def acts(self, key: Key, found: Stamped) -> bool:
        """Whether its policy will do anything to an object."""
        ...


async def count(objects: Iterable[tuple[Key, Stamped]], acting: Acting) -> Mapping[str, Tally]:
    """Count stamped objects by their policy, in slices."""
    tallies: dict[str, Tally] = {}
    for seen, (key, found) in enumerate(objects):
        tally = tallies.setdefault(found.policy, Tally())
        tally.add(key, found)
        decided = acting.policy(found.policy)
        if found.end and decided:
            coming, ends = _following(tally, decided, found.meta, found.end)
            if (coming or ends) and acting.acts(key, found):
                tally.next_end = ends or tally.next_end
                if coming:
                    tally.note(_coming(key, found, coming))
        if seen % SLICE == SLICE - 1:
            await asyncio.sleep(0)
    return tallies


def _following(
    tally: Tally, policy: Policy, meta: ObjectMeta, end: datetime
) -> tuple[outlook.Next | None, datetime | None]:
    """Return what comes next to an object, and when it ends, as far as either may matter."""
    near, first = outlook.earliest(policy, end), outlook.earliest_ending(policy, end)
    coming = outlook.coming(policy, meta, end) if tally.may_be_near(near) else None
    ends = outlook.ending(policy, meta, end) if tally.may_end_first(first) else None
    return coming, ends if tally.may_end_first(ends) else None


def _coming(key: Key, found: Stamped, step: outlook.Next) -> Coming:
    return Coming(step.at, key.resource.kind, key.namespace, key.name, found.meta.uid, step.step)

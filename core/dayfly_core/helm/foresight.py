"""How Helm releases end in a simulation: by the rules of the operator, which asks the cluster.

What each release would end was read beforehand, as ``judge`` plans it.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec

from dayfly_core.actions import Delete
from dayfly_core.helm import marks
from dayfly_core.helm.marks import ReleaseRef, release_of
from dayfly_core.helm.release import Hold, ReleasePlan
from dayfly_core.names import POLICY
from dayfly_core.objects import Key, ObjectMeta


class Alone(msgspec.Struct, frozen=True):
    """The object ends by itself: its release does not list it, or nobody could read it."""


class Waits(msgspec.Struct, frozen=True):
    """Another member's end has not come, or there is nothing more to be done."""

    until: datetime | None = None


class Stays(msgspec.Struct, frozen=True):
    """Something is in the way."""

    why: str


class Ends(msgspec.Struct, frozen=True):
    """All of it ends now, in this order."""

    keys: tuple[Key, ...]


Outcome = Alone | Waits | Stays | Ends


class Releases:
    """All releases that may end."""

    def __init__(self, plans: Mapping[ReleaseRef, ReleasePlan]) -> None:
        self._plans = plans
        self._members: dict[ReleaseRef, list[Key]] = {}
        self._over: set[ReleaseRef] = set()
        """Those that have ended, or of which it was told that they stay."""

    def joined(self, key: Key, meta: ObjectMeta) -> None:
        """Hear of an object that is there to begin with."""
        if ref := release_of(meta):
            self._members.setdefault(ref, []).append(key)

    def end(
        self,
        order: Delete,
        objects: Mapping[Key, ObjectMeta],
        hold: Callable[[Key], Hold | None],
    ) -> Outcome:
        """Say what the end of one member means; ``hold`` is what keeps another one."""
        ref = order.release
        plan = self._plans.get(ref) if ref else None
        if ref is None or plan is None or _is_stranger(order.key, plan):
            return Alone()
        if ref in self._over:
            return Waits()
        members = [key for key in self._stamped(ref, plan, objects) if key != order.key]
        holds = [each for each in map(hold, members) if each]
        if holds:
            return Waits(_latest(holds))
        self._over.add(ref)
        if plan.blockers:
            return Stays("; ".join(blocker.text for blocker in plan.blockers))
        return Ends(tuple(step.key for step in plan.steps))

    def _stamped(
        self, ref: ReleaseRef, plan: ReleasePlan, objects: Mapping[Key, ObjectMeta]
    ) -> Iterable[Key]:
        listed = {step.key for step in plan.steps}
        for key in self._members.get(ref, ()):
            meta = objects.get(key)
            ends = meta and POLICY in meta.label_map and not marks.stays(meta.annotation_map)
            # Anybody may write on an object elsewhere that it is of this release.
            if ends and (key.namespace == ref.namespace or key in listed):
                yield key


def _is_stranger(key: Key, plan: ReleasePlan) -> bool:
    """Whether a release is stored and does not list an object that says it is of it."""
    listed = {str(step.key) for step in plan.steps} | {*plan.kept}
    return bool(listed) and str(key) not in listed


def _latest(holds: Iterable[Hold]) -> datetime | None:
    """Return when the last of them may have come; None: not as things are."""
    instants = [hold.until for hold in holds]
    known = [each for each in instants if each]
    return max(known) if len(known) == len(instants) else None

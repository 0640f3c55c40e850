"""The breakers of a simulation: as the operator judges them, on a clock that is not real.

Nobody resets one here. So what a breaker holds back is held for good, unless it goes with its
namespace.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from dayfly_core import breaker, names
from dayfly_core.actions import Delete, ScaleDown
from dayfly_core.breaker import QUIET, WINDOW, Load, Open, Standing
from dayfly_core.guard import Guard
from dayfly_core.objects import Key
from dayfly_core.policies import Policies, Policy, fits
from dayfly_core.subject import Subject
from dayfly_core.surprises import surprises
from dayfly_core.wish import read


class Held(msgspec.Struct, frozen=True):
    """What one breaker holds back at last."""

    policy: str
    since: datetime
    """When it opened: before that it let pass what came."""
    objects: int
    """How many objects its policy held then."""
    acts: tuple[tuple[datetime, Key], ...]
    """What did not happen, and when it was due."""

    @property
    def sentence(self) -> str:
        """How many of how many, which come first, and what to do."""
        first = [str(key) for _, key in self.acts[: breaker.NAMED]]
        return breaker.sentence(self.policy, len(self.acts), self.objects, first)


class _Brake(msgspec.Struct):
    """The breaker of one policy."""

    standing: Standing
    looked: datetime
    """Up to when it has been judged."""
    quiet_since: datetime | None
    """Since when there is nothing that it could hold back."""
    coming: list[tuple[datetime, Key]] = []
    """The first unconfirmed surprise of each object, in order."""
    first: dict[Key, datetime] = {}
    dues: dict[Key, Sequence[datetime]] = {}
    """All of an object's."""
    passed: dict[Key, datetime] = {}
    """When which object was let pass."""
    held: dict[Key, datetime] = {}
    objects: int = 0
    """How many the policy holds."""
    counted: tuple[datetime, int] | None = None
    """The same as it was counted last."""
    most: int = 0
    """The same when it opened."""

    def put(self, key: Key, dues: Sequence[datetime]) -> None:
        """Note what comes; what a person has confirmed does not count."""
        self.dues[key] = dues
        open_ = [due for due in dues if not breaker.confirmed(due, self.standing.reset_at)]
        if open_:
            self.first[key] = min(open_)
            insort(self.coming, (min(open_), key))

    def drop(self, key: Key, now: datetime) -> None:
        """Take out what nothing surprising happens to any more."""
        self.look(now)
        self.dues.pop(key, None)
        self.held.pop(key, None)
        first = self.first.pop(key, None)
        if first is None:
            return
        del self.coming[bisect_left(self.coming, (first, key))]
        if first <= now + WINDOW and not self._near(now):
            self.quiet_since = now

    def look(self, now: datetime) -> None:
        """Judge as the operator has done by now, again and again; before anything changes."""
        if now > self.looked:
            for at in sorted(self._moments(now)):
                self.judge(at)
            self._count(now)
            self.looked = now

    def _moments(self, now: datetime) -> Iterator[datetime]:
        """Yield when there was more to judge: one more came near, or what had passed was gone."""
        begin, end = self._near(self.looked), self._near(now)
        yield from {due - WINDOW for due, _ in self.coming[begin:end]}
        if self.dues:
            gone = {at + breaker.COUNTED for at in self.passed.values()}
            yield from (at for at in gone if self.looked < at <= now)

    def judge(self, now: datetime, also: Key | None = None) -> bool:
        """Whether it is open; ``also`` is what asks."""
        since = self.standing.open_since
        if self.quiet_since and now - self.quiet_since >= QUIET:
            since = None  # it has closed meanwhile: there was nothing to hold back for long
        busy = also or self._near(now)
        self.quiet_since = None if busy else self.quiet_since or now
        standing = Standing(since, self.standing.reset_at)
        objects = self._count(now)
        judged = breaker.judge(Load(self._ends(now, also), objects), standing, now)
        opened = judged.since if isinstance(judged, Open) else None
        if opened and opened != since:
            self.most = objects
        self.standing = Standing(opened, standing.reset_at)
        return opened is not None

    def _count(self, now: datetime) -> int:
        if self.counted is None or now - self.counted[0] >= breaker.COUNTED:
            self.counted = (now, self.objects)
        return self.counted[1]

    def _near(self, now: datetime) -> int:
        """Count what is due within a minute, or past."""
        return bisect_right(self.coming, now + WINDOW, key=lambda each: each[0])

    def _ends(self, now: datetime, also: Key | None) -> int:
        """Count what comes, and what has come a moment ago; the one that is asked about, too."""
        self.passed = {each: at for each, at in self.passed.items() if now - at <= WINDOW}
        others = {*self.passed, also} if also else {*self.passed}
        horizon = now + WINDOW
        return self._near(now) + sum(
            1 for each in others if (due := self.first.get(each)) is None or due > horizon
        )


class Brakes:
    """All of them. ``standings`` is what the operator has decided before, by policy."""

    def __init__(
        self, policies: Policies, guard: Guard, standings: Mapping[str, Standing], now: datetime
    ) -> None:
        self._policies = policies
        self._guard = guard
        self._of = {
            each.name: _Brake(standings.get(each.name, Standing()), now, now) for each in policies
        }
        self._stamped: dict[Key, _Brake] = {}

    def seen(self, key: Key, subject: Subject | None, now: datetime) -> None:
        """Hear of an object that is there, was changed, or is gone (None)."""
        if before := self._stamped.pop(key, None):
            before.drop(key, now)
            before.objects -= 1
        name = subject.meta.label_map.get(names.POLICY, "") if subject else ""
        policy, brake = self._policies.get(name), self._of.get(name)
        if subject is None or policy is None or brake is None:
            return
        self._stamped[key] = brake
        brake.objects += 1
        end = read(subject.meta).at
        dues = surprises(policy, subject.meta, end) if end else ()
        if dues and self._acts(policy, subject):
            brake.put(key, dues)

    def holds_back(self, action: Delete | ScaleDown, now: datetime) -> str:
        """Say why an act does not happen; empty if it does. What passes is counted."""
        brake = self._of.get(action.policy)
        if brake is None or not action.surprising:
            return ""
        dues = brake.dues.get(action.key, ())
        due = max((each for each in dues if each <= now), default=now)
        if breaker.confirmed(due, brake.standing.reset_at):
            return ""
        brake.look(now)
        if not brake.judge(now, action.key):
            brake.passed.setdefault(action.key, now)
            return ""
        brake.held.setdefault(action.key, due)
        return breaker.why(action.policy)

    def held(self) -> Iterator[Held]:
        """Yield what each holds back; of those that hold nothing, nothing."""
        for name, brake in self._of.items():
            since = brake.standing.open_since
            if since and brake.held:
                acts = sorted((due, key) for key, due in brake.held.items())
                yield Held(name, since, max(brake.most, len(acts)), tuple(acts))

    def _acts(self, policy: Policy, subject: Subject) -> bool:
        """Whether the policy does anything to an object at all."""
        key, meta = subject.key, subject.meta
        if policy.suspended or meta.deletion_timestamp or meta.protected or meta.controlled:
            return False
        if not fits(policy, subject.group_resource, meta, subject.namespace_labels):
            return False
        return self._guard.refuses(key.resource, key.namespace, key.name) is None

"""The breakers: one for each policy, which holds back its surprising ends when they are many.

The leader judges, and writes what it decided into the policy's status, where the next leader finds
it. What they judge by, every replica knows (``surprises``).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from heapq import nsmallest
from typing import Final, Protocol

from dayfly_core import api, breaker, instant
from dayfly_core.actions import Action, Delete, ScaleDown
from dayfly_core.breaker import Closed, Load, Open, Standing
from dayfly_operator.brakes.surprises import Surprises
from dayfly_operator.policies import Entry

NAMED: Final = 10
"""Objects that a status names."""


class Listener(Protocol):
    """Who hears that a breaker has opened or closed."""

    def breaker_opened(self, policy: str, note: str) -> None:
        """Hear of one that holds back from now on."""
        ...

    def breaker_closed(self, policy: str, note: str) -> None:
        """Hear of one that does not any more: what it held may be looked at."""
        ...


class Breakers:
    """Lets few surprising ends pass, and holds back many."""

    def __init__(
        self,
        surprises: Surprises,
        entries: Callable[[], Mapping[str, Entry]],
        listener: Listener,
        now: Callable[[], datetime],
    ) -> None:
        self._surprises = surprises
        self._entries = entries
        self._listener = listener
        self._now = now
        self._judged: dict[str, Standing] = {}
        """What this term has decided, by the policy's uid; of the others their status counts."""
        self._passed: dict[str, dict[str, datetime]] = {}
        """When which object (its uid) was let pass, by the policy's uid."""
        self._quiet: dict[str, datetime] = {}
        """Since when an open breaker has had nothing to hold, by the policy's uid."""

    def term_begins(self) -> None:
        """Go on from what the last leader has written."""
        self._judged.clear()
        self._quiet.clear()

    def holds_back(self, action: Action) -> str | None:
        """Say in a sentence why a surprising act does not happen now; None if it may.

        What is not surprising is none of its business, nor is what a person has confirmed.
        """
        if not isinstance(action, Delete | ScaleDown) or not action.surprising:
            return None
        entry = self._entries().get(action.policy)
        if entry is None:
            return f"ExpiryPolicy {action.policy} is not known"
        due = self._surprises.due(action.policy, action.key)
        if breaker.confirmed(due, breaker.reset_of(entry.meta)):
            return None
        if unknown := self._surprises.unknown():
            return f"it is not known yet how many end with it: {unknown}"
        if isinstance(self._judge(entry, also=action.uid), Open):
            return breaker.why(action.policy)
        self._passed.setdefault(entry.meta.uid, {}).setdefault(action.uid, self._now())
        return None

    def look(self) -> bool:
        """Judge every policy that something surprising is to happen under; if there is any."""
        if self._surprises.unknown():
            return True
        entries = self._entries()
        self._forget({entry.meta.uid for entry in entries.values()})
        judged = [
            self._judge(entry)
            for name, entry in entries.items()
            if self._surprises.any(name) or self._standing(entry).open_since
        ]
        return bool(judged)

    def report(self, policy: str) -> api.Breaker | None:
        """Return what the policy's status is to say; None while its breaker is closed."""
        entry = self._entries().get(policy)
        standing = self._standing(entry) if entry else Standing()
        if standing.open_since is None:
            return None
        held = list(self._surprises.near(policy, standing.reset_at))
        first = [str(key) for _, key, _ in nsmallest(NAMED, held)]
        objects = self._surprises.objects(policy)
        return api.Breaker(
            opened_at=instant.render(standing.open_since),
            held=len(held),
            first=first,
            message=breaker.sentence(policy, len(held), objects, first),
        )

    def open(self) -> dict[str, int]:
        """Return the policies whose breaker is open, and how many objects each holds."""
        return {
            name: sum(1 for _ in self._surprises.near(name, standing.reset_at))
            for name, entry in self._entries().items()
            if (standing := self._standing(entry)).open_since
        }

    def _judge(self, entry: Entry, also: str = "") -> Closed | Open:
        standing, now = self._standing(entry), self._now()
        judged = breaker.judge(self._load(entry, standing, also), standing, now)
        since = judged.since if isinstance(judged, Open) else None
        self._judged[entry.meta.uid] = Standing(since)
        if since != standing.open_since:
            self._tell(entry, standing, since)
        return judged

    def _load(self, entry: Entry, standing: Standing, also: str) -> Load:
        policy, now = entry.meta.name, self._now()
        near = {uid for _, _, uid in self._surprises.near(policy, standing.reset_at)}
        passed = self._passed.get(entry.meta.uid, {})
        for uid in [uid for uid, at in passed.items() if now - at > breaker.WINDOW]:
            del passed[uid]
        ends = len(near | passed.keys() | ({also} - {""}))
        # To count all objects takes milliseconds: not for so few that nothing depends on it.
        objects = self._surprises.objects(policy) if ends >= breaker.FEW else 0
        return Load(ends, objects, self._quiet_since(entry, bool(near)))

    def _quiet_since(self, entry: Entry, busy: bool) -> datetime | None:
        if busy:
            self._quiet.pop(entry.meta.uid, None)
            return None
        return self._quiet.setdefault(entry.meta.uid, self._now())

    def _standing(self, entry: Entry) -> Standing:
        judged = self._judged.get(entry.meta.uid)
        since = judged.open_since if judged else _written(entry.status)
        return Standing(since, breaker.reset_of(entry.meta))

    def _tell(self, entry: Entry, before: Standing, since: datetime | None) -> None:
        policy = entry.meta.name
        report = self.report(policy)
        if report:
            self._listener.breaker_opened(policy, report.message)
        elif since is None and before.open_since:
            by = breaker.confirmed(before.open_since, before.reset_at)
            why = "a person has confirmed the ends" if by else "there was nothing left to hold back"
            self._listener.breaker_closed(policy, f"the breaker is closed: {why}")

    def _forget(self, uids: set[str]) -> None:
        for kept in (self._judged, self._passed, self._quiet):
            for uid in kept.keys() - uids:
                del kept[uid]


def _written(status: api.ExpiryPolicyStatus) -> datetime | None:
    """Read since when a breaker is open; a record that cannot be read is as good as none."""
    if not isinstance(status.breaker, api.Breaker):
        return None
    try:
        return instant.parse(status.breaker.opened_at)
    except instant.InvalidInstant:
        return None

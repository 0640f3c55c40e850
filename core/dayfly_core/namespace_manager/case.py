"""One NamespaceManager as it is decided about: what it says, and what is recorded of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import msgspec
from msgspec import UNSET

from dayfly_core import api, errand, instant
from dayfly_core.api import ConditionStatus
from dayfly_core.api.namespace_manager import LONGEST_MESSAGE, ActionType, PolicyResult
from dayfly_core.conditions import Said, without_condition
from dayfly_core.errand import Plan, Stored, judged
from dayfly_core.lifecycle import Record, Result, Rule, occurrence
from dayfly_core.namespace_manager.rules import action_of, read_status, target, understood
from dayfly_core.objects import ObjectMeta
from dayfly_core.reasons import Condition, Reason
from dayfly_core.triggers import Checks

WAITING: Final = "Waiting"
"""Result of a policy whose turn has not come."""


class ManagerPlan(Plan, frozen=True):
    """A plan, and what to remember of the pods until the next one."""

    checks: Mapping[str, Checks] = {}


class Begun(msgspec.Struct, frozen=True):
    """A policy whose action is on its way."""

    rule: Rule
    entry: PolicyResult


class Case(msgspec.Struct, frozen=True, dict=True):
    """What is known of one manager at one instant, and how its status is written.

    Each part is found out once: many managers are looked at when a replica starts.
    """

    stored: Stored
    spec: api.NamespaceManagerSpec
    now: datetime

    @cached_property
    def status(self) -> api.NamespaceManagerStatus:
        """The status as it is stored."""
        return read_status(self.stored)

    @property
    def target(self) -> str:
        """Name of the namespace that is managed."""
        return target(self.stored.metadata.name, self.spec)

    @cached_property
    def understood(self) -> tuple[tuple[str, Rule | str], ...]:
        """Each policy's name with its rule or its fault."""
        return tuple(understood(self.spec))

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Policies that can be carried out."""
        return tuple(rule for _, rule in self.understood if isinstance(rule, Rule))

    @property
    def armed(self) -> int:
        """The generation with which it became active: what was done before does not count."""
        return self.status.armed or self.stored.metadata.generation

    def id(self, rule: Rule, uid: str) -> str:
        """Return the id of this rule's execution for one namespace; a changed rule has another."""
        definition = msgspec.json.encode(rule.action).decode()
        meta = self.stored.metadata
        return occurrence(meta.uid, str(self.armed), rule.name, definition, self.target, uid)

    def entry(self, name: str) -> PolicyResult | None:
        """Return what is recorded of a policy, whether or not it still counts."""
        return next((each for each in self.status.policies if each.name == name), None)

    @cached_property
    def counting(self) -> dict[str, PolicyResult]:
        """Return what is recorded of the rules as they are now, since it became active."""
        found = ((rule, self.entry(rule.name)) for rule in self.rules)
        return {
            rule.name: entry
            for rule, entry in found
            if entry and entry.id and entry.id == self.id(rule, entry.target_uid or "")
        }

    def begun(self) -> Begun | None:
        """Return the rule that was begun; of whichever namespace."""
        entries = self.counting
        pending = (Begun(rule, entries[rule.name]) for rule in self.rules if rule.name in entries)
        return next((each for each in pending if each.entry.result == Result.PENDING), None)

    def acted(self) -> bool:
        """Whether there is nothing left to do: a notice alone does not end it, all of them do."""
        entries = self.counting
        done = {name for name, entry in entries.items() if entry.result == Result.DONE}
        last = any(rule.name in done for rule in self.rules if not notice(rule))
        return last or (bool(done) and len(done) == len(self.spec.policies))

    def records(self, uid: str) -> dict[str, Record]:
        """Return the engine's records: what was begun, and what is over for this namespace."""
        return {
            name: Record(name, entry.id or "", Result(entry.result), _due(entry, self.now))
            for name, entry in self.counting.items()
            if entry.result == Result.PENDING or entry.target_uid == uid
        }

    # Writing.

    def written(
        self, entries: Iterable[PolicyResult], ready: Said, withheld: Said | None = None
    ) -> dict[str, Any]:
        """Return the patch of the status."""
        results = [self._timed(entry) for entry in entries]
        instants = [entry.next_check for entry in results if entry.next_check]
        status = api.NamespaceManagerStatus(
            observed_generation=self.stored.metadata.generation,
            armed=UNSET if self.spec.deactivated else self.armed,
            namespace=self.target,
            next_check=min(instants, key=instant.parse) if instants else UNSET,
            policies=results,
            conditions=self._conditions(ready, withheld),
        )
        return errand.patch_of_status(self.stored, status)

    def ready(self, entries: Sequence[PolicyResult]) -> Said:
        """Judge by what is recorded whether all is well."""
        for reason in (Reason.INVALID_RULE, Reason.GIVEN_UP):
            for entry in entries:
                if entry.reason == reason:
                    return ConditionStatus.FALSE, reason, f"policy {entry.name}: {entry.message}"
        return ConditionStatus.TRUE, Reason.ACTIVE, "its policies are in force"

    def _timed(self, entry: PolicyResult) -> PolicyResult:
        before = self.entry(entry.name)
        same = before and (before.result, before.reason, before.id) == (
            entry.result,
            entry.reason,
            entry.id,
        )
        time = before.time if before and same and before.time else whole(self.now)
        return msgspec.structs.replace(entry, time=time, message=entry.message[:LONGEST_MESSAGE])

    def _conditions(self, ready: Said, withheld: Said | None) -> list[api.StatusCondition]:
        conditions = self.status.conditions
        if withheld is None:
            conditions = without_condition(conditions, Condition.WITHHELD)
        stored, now = self.stored, self.now
        conditions = judged(stored, conditions, Condition.READY, ready, now)
        if withheld:
            conditions = judged(stored, conditions, Condition.WITHHELD, withheld, now)
        return conditions


def unreadable(stored: Stored, ready: Said, now: datetime) -> dict[str, Any]:
    """Return the patch of the status of one whose spec cannot be read."""
    status = read_status(stored)
    conditions = judged(stored, status.conditions, Condition.READY, ready, now)
    changed = msgspec.structs.replace(
        status, observed_generation=stored.metadata.generation, conditions=conditions
    )
    return errand.patch_of_status(stored, changed)


def notice(rule: Rule) -> bool:
    """Whether the rule only tells of something."""
    return action_of(rule) == ActionType.NOTIFY


def whole(moment: datetime) -> str:
    """Write an instant as the API server keeps it."""
    return instant.render(moment.replace(microsecond=0))


def noted(meta: ObjectMeta, key: str, now: datetime) -> datetime | None:
    """Read when a check was; what cannot be read, or is still to come, is as good as nothing."""
    try:
        moment = instant.parse(meta.annotation_map.get(key, ""))
    except instant.InvalidInstant:
        return None
    return moment if moment <= now else None


def _due(entry: PolicyResult, now: datetime) -> datetime:
    """Return when a pending one is tried again: at once, unless it says when."""
    try:
        return instant.parse(entry.next_check or "")
    except instant.InvalidInstant:
        return now

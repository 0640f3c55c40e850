"""The one engine of everything that ends: an ordered list of rules, and whose turn it is.

Ephemerators, NamespaceManagers and the timelines of ExpiryPolicies are such lists. What an action
means is not known here: whoever wrote the list carries it out and keeps the records.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

import msgspec

from dayfly_core.triggers import Condition, Facts, Met, NotYet, ask

NAMESPACE: Final = UUID("5f0b8f0e-3f0e-5d2b-9d2c-6f6b1d8c7a41")
"""Of the ids of occurrences; never to be changed, or what was sent is sent again under a new id."""


class Rule(msgspec.Struct, frozen=True):
    """One condition with its action."""

    name: str
    """Unique in its list."""
    condition: Condition
    action: object
    sequential: bool = False
    """Whether the rules after it wait until it is done or given up, true or not."""
    strength: int = 0
    """A true rule overtakes, and so supersedes, earlier ones of at most its strength, other than
    0: a warning of what happens already, a scale-down of what is deleted."""


class Result(StrEnum):
    """What became of a rule."""

    PENDING = "Pending"
    """Begun: noted before the first attempt, and tried until done or given up."""
    DONE = "Done"
    FAILED = "Failed"
    """Given up."""
    SUPERSEDED = "Superseded"
    """Overtaken by a later rule before its turn came."""


class Record(msgspec.Struct, frozen=True):
    """What is known of one rule's execution."""

    rule: str
    id: str
    """Id of the occurrence; see ``occurrence``."""
    result: Result
    at: datetime
    """When; of one that is pending, when its next attempt is due."""
    attempts: int = 0
    message: str = ""


class Choice(msgspec.Struct, frozen=True):
    """Whose turn it is."""

    rule: Rule | None
    since: datetime | None
    """Since when its condition is met; of one that is pending, when its next attempt is due."""
    again: datetime | None
    """The earliest instant at which another open rule may become true."""
    superseded: tuple[Rule, ...] = ()
    """Rules that it overtakes: to be recorded together with it."""


def choose(
    rules: Sequence[Rule], facts: Facts, records: Mapping[str, Record], now: datetime
) -> Choice:
    """Choose the first rule that is true and still open; one that was begun goes first.

    A rule that fails keeps its turn while it is retried, unless a later one overtakes it by then;
    once it is given up the next has its.
    """
    open_ = [rule for rule in rules if _is_open(records.get(rule.name))]
    answers = {rule.name: ask(rule.condition, facts, now) for rule in open_}
    begun = next((rule for rule in open_ if rule.name in records), None)
    again = _earliest(answer for name, answer in answers.items() if name not in records)
    ready = [
        (rule, answer.since)
        for place, rule in enumerate(open_)
        if isinstance(answer := answers[rule.name], Met) and not _held_back(rule, open_[:place])
    ]
    if begun and not any(overtakes(rule, begun) for rule, _ in ready if rule is not begun):
        return Choice(begun, records[begun.name].at, again)
    for place, (rule, since) in enumerate(ready):
        if not any(overtakes(later, rule) for later, _ in ready[place + 1 :]):
            before = open_[: open_.index(rule)]
            overtaken = tuple(earlier for earlier in before if overtakes(rule, earlier))
            return Choice(rule, since, again, overtaken)
    return Choice(None, None, again)


def occurrence(*parts: str) -> str:
    """Return the id of one execution of one rule: the same from every leader, for ever.

    The parts say which: who has the rule, which object it is for, which end of it.
    """
    return str(uuid5(NAMESPACE, "\0".join(parts)))


def _is_open(record: Record | None) -> bool:
    return record is None or record.result is Result.PENDING


def overtakes(later: Rule, earlier: Rule) -> bool:
    """Whether the later one, once it is true, makes the earlier one pointless."""
    return 0 < earlier.strength <= later.strength


def _held_back(rule: Rule, earlier: Sequence[Rule]) -> bool:
    return any(each.sequential and not overtakes(rule, each) for each in earlier)


def _earliest(answers: Iterator[Met | NotYet]) -> datetime | None:
    waiting = (answer.again for answer in answers if isinstance(answer, NotYet))
    return min((again for again in waiting if again), default=None)

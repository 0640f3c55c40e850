"""Gives a request the names that it asks for, or says of all of them at once why not."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from dayfly_admission import words
from dayfly_admission.claiming import Ask, Claiming
from dayfly_admission.review import Review, User
from dayfly_admission.turnstile import Overloaded, Turnstile, Turnstiles
from dayfly_admission.wanting import Want, Wanted, wanted
from dayfly_admission.words import Whose
from dayfly_core.api import Holder, KeyKind, LabelSelector
from dayfly_core.claim_steps import Exists, Granted, Outcome, Reserved, Taken, Unverified
from dayfly_core.claimants import HOST_FIELD, Demand
from dayfly_core.objects import ObjectMeta
from dayfly_core.reasons import Reason
from dayfly_core.receipts import of_host
from dayfly_core.request import Request
from dayfly_core.verdict import Verdict
from dayfly_core.violations import Violation

log = logging.getLogger(__name__)


class LoopClock(msgspec.Struct, frozen=True):
    """The event loop's time."""

    now: Callable[[], float]
    wall: Callable[[], datetime]

    async def pause(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)


class Teller(Protocol):
    """Knows who may hear of whom."""

    async def may_see(self, user: User, holder: Holder, seconds: float) -> bool:
        """Whether the user may be told that this object has the name."""
        ...


class Named(NamedTuple):
    """What came of it; the verdict has every reason to refuse that there is."""

    verdict: Verdict
    exists: bool = False
    """The very object that is to be created is there."""
    retry_after: int = 0
    """Seconds after which what is wrong now may be right."""
    unverified: str = ""
    """Why nobody could tell; empty if somebody could."""


class Answered(NamedTuple):
    """A name, and what came of it."""

    demand: Demand
    outcome: Outcome


class Naming(msgspec.Struct, frozen=True):
    """Claims names for requests."""

    claiming: Claiming
    teller: Teller
    turnstiles: Turnstiles
    count: Callable[[str, str], None]
    """Hears of the kind of each name and what came of it."""
    ingress_hosts: LabelSelector | None = None

    def now(self) -> float:
        """Return monotonic seconds."""
        return self.claiming.clock.now()

    def wanted(
        self, review: Review, request: Request, namespace: ObjectMeta | None
    ) -> Wanted | None:
        """Return what the request newly asks for; raises ``Unreadable``."""
        return wanted(review, request, namespace, self.ingress_hosts)

    async def name(self, asked: Wanted, verdict: Verdict, until: float, *, mild: bool) -> Named:
        """Claim all that is asked for, by the monotonic instant ``until``, or say why not.

        For what is refused anyway nothing is claimed, but who has its names is looked up, so that
        the answer has everything. ``mild``: the policy only warns, so the host that it gave is no
        reason to refuse, and is asked for only once all else is given.
        """
        found = (*verdict.violations, *asked.violations)
        strict, spared = _parted(asked.wants) if mild else (asked.wants, ())
        try:
            async with self._turnstile(asked).passing(until, self.now):
                read_only = bool(found) or asked.dry_run
                answered = await self._claim(strict, until, read_only=read_only)
                read_only = read_only or not _all_granted(answered)
                besides = await self._claim(spared, until, read_only=read_only)
                taken = [await self._taken(each, asked, verdict, until) for each in answered]
                kept = [await self._kept_out(each, asked, until) for each in besides]
        except Overloaded:
            return _overloaded(verdict, found)
        found += tuple(violation for violation in taken if violation)
        verdict = _without(verdict, [each for each in besides if _goes_without(each)])
        warnings = (*verdict.warnings, *(text for lines in kept for text in lines))
        verdict = msgspec.structs.replace(verdict, violations=found, warnings=warnings)
        return _summed(verdict, answered + [each for each in besides if not _goes_without(each)])

    def _turnstile(self, asked: Wanted) -> Turnstile:
        kinds = {demand.key.kind for want in asked.wants for demand in want.demands}
        ways = self.turnstiles
        return ways.environments if KeyKind.ENVIRONMENT in kinds else ways.others

    async def _claim(
        self, wants: Sequence[Want], until: float, *, read_only: bool
    ) -> list[Answered]:
        asks = [Ask(w.demands, w.holder, w.act, until, read_only=read_only) for w in wants]
        outcomes = await self.claiming.claim(*asks)
        demands = (demand for want in wants for demand in want.demands)
        answered = list(map(Answered, demands, outcomes))
        for demand, outcome in answered:
            self.count(demand.key.kind.value, type(outcome).__name__)
        return answered

    async def _kept_out(self, answered: Answered, asked: Wanted, until: float) -> tuple[str, ...]:
        """Say why a lenient policy's object has to do without its host, one fact a line."""
        demand, outcome = answered
        if isinstance(outcome, Taken):
            return words.shared(demand, (await self._whose(demand, outcome, asked, until)).fact)
        return words.awaited(demand) if isinstance(outcome, Reserved) else ()

    async def _taken(
        self, answered: Answered, asked: Wanted, verdict: Verdict, until: float
    ) -> Violation | None:
        demand, outcome = answered
        if not isinstance(outcome, Taken):
            return None
        whose = await self._whose(demand, outcome, asked, until)
        detail = f"{whose.fact}; {words.instead(demand, verdict.policy)}, or {whose.remedy}"
        return Violation(Reason.NAME_TAKEN, demand.field, demand.written, detail)

    async def _whose(self, demand: Demand, taken: Taken, asked: Wanted, until: float) -> Whose:
        holder, left = taken.claim.spec.holder, until - self.now()
        seen = await self.teller.may_see(asked.user, holder, left)
        return words.whose(demand, taken) if seen else words.hidden(demand, taken)


def _parted(wants: Sequence[Want]) -> tuple[Sequence[Want], Sequence[Want]]:
    """Part what must be had from the host that a policy gave."""
    parts = [
        tuple(
            w._replace(demands=tuple(d for d in w.demands if (d.field == HOST_FIELD) is given))
            for w in wants
        )
        for given in (False, True)
    ]
    return parts[0], parts[1]


def _all_granted(answered: Sequence[Answered]) -> bool:
    return all(isinstance(each.outcome, Granted) for each in answered)


def _goes_without(answered: Answered) -> bool:
    return isinstance(answered.outcome, Taken | Reserved)


def _without(verdict: Verdict, without: Sequence[Answered]) -> Verdict:
    """Say nothing of a host as the object's own, that it does not have alone."""
    untrue = {of_host(demand.written) for demand, _ in without}
    receipts = tuple(text for text in verdict.receipts if text not in untrue)
    return msgspec.structs.replace(verdict, receipts=receipts)


def _overloaded(verdict: Verdict, found: tuple[Violation, ...]) -> Named:
    reason = found[0].reason if found else Reason.OVERLOADED
    verdict = msgspec.structs.replace(verdict, reason=reason, violations=found)
    return Named(
        verdict, unverified="Overloaded: more requests came than could be answered in time"
    )


def _summed(verdict: Verdict, answered: list[Answered]) -> Named:
    """Put the worst outcome into the reason: what is wrong for good before what may pass."""
    outcomes = [outcome for _, outcome in answered]
    if verdict.violations:
        pending = tuple(_pending(each) for each in answered if isinstance(each.outcome, Reserved))
        found = verdict.violations + pending
        return Named(_with(verdict, found[0].reason, violations=found))
    if any(isinstance(outcome, Exists) for outcome in outcomes):
        return Named(_with(verdict, Reason.ALREADY_EXISTS), exists=True)
    waits = [each for each in answered if isinstance(each.outcome, Reserved)]
    if waits:
        found = tuple(map(_pending, waits))
        seconds = max(o.retry_after for o in outcomes if isinstance(o, Reserved))
        return Named(_with(verdict, Reason.NAME_RESERVED, violations=found), retry_after=seconds)
    whys = [outcome.why for outcome in outcomes if isinstance(outcome, Unverified)]
    if whys:
        log.warning("names could not be verified: %s", whys[0])
        return Named(_with(verdict, Reason.CANNOT_VERIFY), unverified=whys[0])
    return Named(_granted(verdict, outcomes))


def _granted(verdict: Verdict, outcomes: list[Outcome]) -> Verdict:
    claims = tuple(o.claim.metadata.name for o in outcomes if isinstance(o, Granted) and o.claim)
    reason = Reason.CLAIMED if claims else verdict.reason
    return msgspec.structs.replace(verdict, reason=reason, claims=claims)


def _pending(answered: Answered) -> Violation:
    demand, outcome = answered
    seconds = outcome.retry_after if isinstance(outcome, Reserved) else 0
    detail = words.reserved(seconds)
    return Violation(Reason.NAME_RESERVED, demand.field, demand.written, detail)


def _with(
    verdict: Verdict, reason: str, violations: tuple[Violation, ...] | None = None
) -> Verdict:
    found = verdict.violations if violations is None else violations
    return msgspec.structs.replace(verdict, reason=reason, violations=found)

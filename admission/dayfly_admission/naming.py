"""Gives a request the names that it asks for, or says of all of them at once why not."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from dayfly_admission.claiming import Ask, Claiming
from dayfly_admission.review import Review, User
from dayfly_admission.turnstile import Overloaded, Turnstile
from dayfly_admission.wanting import Want, Wanted, wanted
from dayfly_core.api import Holder, KeyKind, LabelSelector
from dayfly_core.claim_key import ClaimKey, key_of
from dayfly_core.claim_steps import Exists, Granted, Outcome, Reserved, Taken, Unverified
from dayfly_core.claimants import HOST_FIELD, Demand
from dayfly_core.names import Reason
from dayfly_core.objects import NAMESPACES, ObjectMeta
from dayfly_core.receipts import warning
from dayfly_core.request import Request
from dayfly_core.verdict import Verdict
from dayfly_core.violations import Violation

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoopClock:
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


class _Answered(NamedTuple):
    demand: Demand
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Naming:
    """Claims names for requests."""

    claiming: Claiming
    teller: Teller
    turnstile: Turnstile
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
            async with self.turnstile.passing(until, self.now):
                read_only = bool(found) or asked.dry_run
                answered = await self._claim(strict, until, read_only=read_only)
                read_only = read_only or not _all_granted(answered)
                besides = await self._claim(spared, until, read_only=read_only)
                taken = [await self._taken(each, asked, verdict, until) for each in answered]
                kept = [await self._kept_out(each, asked, verdict, until) for each in besides]
        except Overloaded:
            return _overloaded(verdict, found)
        found += tuple(violation for violation in taken if violation)
        warnings = (*verdict.warnings, *(warning(violation) for violation in kept if violation))
        verdict = msgspec.structs.replace(verdict, violations=found, warnings=warnings)
        return _summed(verdict, answered + [each for each in besides if not _goes_without(each)])

    async def _claim(
        self, wants: Sequence[Want], until: float, *, read_only: bool
    ) -> list[_Answered]:
        asks = [Ask(w.demands, w.holder, w.act, until, read_only=read_only) for w in wants]
        outcomes = await self.claiming.claim(*asks)
        demands = (demand for want in wants for demand in want.demands)
        answered = list(map(_Answered, demands, outcomes))
        for demand, outcome in answered:
            self.count(demand.key.kind.value, type(outcome).__name__)
        return answered

    async def _kept_out(
        self, answered: _Answered, asked: Wanted, verdict: Verdict, until: float
    ) -> Violation | None:
        """Say why a lenient policy's object has to do without its host."""
        if isinstance(answered.outcome, Reserved):
            return _pending(answered)
        return await self._taken(answered, asked, verdict, until)

    async def _taken(
        self, answered: _Answered, asked: Wanted, verdict: Verdict, until: float
    ) -> Violation | None:
        demand, outcome = answered
        if not isinstance(outcome, Taken):
            return None
        holder, key = outcome.claim.spec.holder, key_of(outcome.claim)
        overlap = "" if key == demand.key else key.value
        if await self.teller.may_see(asked.user, holder, until - self.now()):
            fact, other = _whose(holder, key, overlap)
        else:
            fact, other = _hidden(overlap)
        detail = f"{fact}; {_instead(demand, verdict.policy)}, or {other}"
        return Violation(Reason.NAME_TAKEN, demand.field, demand.written, detail)


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


def _all_granted(answered: Sequence[_Answered]) -> bool:
    return all(isinstance(each.outcome, Granted) for each in answered)


def _goes_without(answered: _Answered) -> bool:
    return isinstance(answered.outcome, Taken | Reserved)


# In words.


def _whose(holder: Holder, key: ClaimKey, overlap: str) -> tuple[str, str]:
    """Say who has it, and what can be done about that."""
    inside = f"{holder.namespace}/" if holder.namespace else ""
    who = f"{holder.kind} {inside}{holder.name}"
    # A Namespace has the hosts of what is in it.
    whole = key.kind is KeyKind.ENVIRONMENT or holder.kind != NAMESPACES.kind
    free = f"delete that {holder.kind} first" if whole else "take it away there first"
    return f"overlaps {overlap}, which {who} has" if overlap else f"already used by {who}", free


def _hidden(overlap: str) -> tuple[str, str]:
    fact = "overlaps a name that another object holds" if overlap else "held by another object"
    return fact, "ask who runs the cluster (kubectl get nameclaims)"


def _instead(demand: Demand, policy: str) -> str:
    """Say what the author of the object can do alone."""
    if demand.key.kind is KeyKind.ENVIRONMENT:
        return "choose another name"
    if demand.field != HOST_FIELD:
        return "choose another host"
    by = f"ExpiryPolicy {policy}" if policy else "its policy"
    return f"{by} gives this host: choose another metadata.name, have spec.host.template changed"


def _overloaded(verdict: Verdict, found: tuple[Violation, ...]) -> Named:
    reason = found[0].reason if found else Reason.OVERLOADED
    verdict = msgspec.structs.replace(verdict, reason=reason, violations=found)
    return Named(
        verdict, unverified="Overloaded: more requests came than could be answered in time"
    )


def _summed(verdict: Verdict, answered: list[_Answered]) -> Named:
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


def _pending(answered: _Answered) -> Violation:
    demand, outcome = answered
    seconds = outcome.retry_after if isinstance(outcome, Reserved) else 0
    detail = f"reserved by a concurrent request, retry in {seconds} s"
    return Violation(Reason.NAME_RESERVED, demand.field, demand.written, detail)


def _with(
    verdict: Verdict, reason: str, violations: tuple[Violation, ...] | None = None
) -> Verdict:
    found = verdict.violations if violations is None else violations
    return msgspec.structs.replace(verdict, reason=reason, violations=found)

"""Dayfly's own kinds, on their way in: policies, Stays, Ephemerators and NamespaceManagers.

Whoever has Dayfly do something to a namespace must be allowed to do it alone. That is asked of the
API server here, about the author of the request; the operator, which acts later, cannot know it.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from dayfly_admission import answer
from dayfly_admission.permission import Permissions
from dayfly_admission.review import UNDECODABLE, Circumstances, Review, User
from dayfly_admission.turnstile import Overloaded, Turnstile
from dayfly_admission.webhooks import Answered, Namespaces, turn_away
from dayfly_core import ephemerator, namespace_manager, stay_intent
from dayfly_core.address import cautions
from dayfly_core.entitlement import Right
from dayfly_core.intent import Intent, Version, Yardstick, to_webhooks
from dayfly_core.objects import EPHEMERATORS, EXPIRY_POLICIES, NAMESPACE_MANAGERS, STAYS
from dayfly_core.policies import GroupResource, InvalidPolicy, Policies, Policy, read_policy
from dayfly_core.reasons import Reason
from dayfly_core.receipts import is_machine
from dayfly_core.request import Request
from dayfly_core.verdict import Verdict
from dayfly_core.violations import Violation, shown

AIMED: Final[Mapping[GroupResource, Callable[[Version, Version | None, Yardstick], Intent]]] = {
    EPHEMERATORS.pair: ephemerator.judge,
    NAMESPACE_MANAGERS.pair: namespace_manager.judge,
}
"""Kinds that do something to a namespace, perhaps another's."""


class Unverified(Exception):
    """Nobody said in time what has to be known."""


class OwnKinds(msgspec.Struct, frozen=True):
    """Judges what is written of our own kinds; writes nothing."""

    policies: Callable[[], Policies]
    namespaces: Namespaces
    permissions: Permissions | None
    """None: whoever may write such an object may aim it at any namespace."""
    yardstick: Callable[[], Yardstick]
    turnstile: Turnstile
    monotonic: Callable[[], float]

    async def judge(self, review: Review, seconds: float) -> Answered:
        """Refuse what makes no sense, or what its author may not do (validating, fails closed)."""
        request = review.request
        if request is None:
            given = answer.allow if review.reason == Reason.EXEMPT else _turned_away
            return given(review, Verdict(review.reason)), review.reason
        try:
            verdict = await self._verdict(review, request, self.monotonic() + seconds)
        except Unverified as error:
            verdict = Verdict(Reason.CANNOT_VERIFY)
            return answer.failed(review, verdict, str(error)), verdict.reason
        return answer.judged(review, request, verdict), verdict.reason

    async def _verdict(self, review: Review, request: Request, until: float) -> Verdict:
        kind = request.group_resource
        if request.meta.deletion_timestamp:
            return Verdict(Reason.UNCHANGED)
        if kind in AIMED:
            return await self._aimed(review, request, until)
        # Ratchet: finalizers and labels of an object that was valid once can always be changed.
        if request.old is not None and not request.spec_changed:
            return Verdict(Reason.UNCHANGED)
        judges: Mapping[GroupResource, Callable[[Review, Request, float], Awaitable[Verdict]]] = {
            EXPIRY_POLICIES.pair: self._policy,
            STAYS.pair: self._stay,
        }
        return await judges.get(kind, _unknown)(review, request, until)

    async def _policy(self, review: Review, _request: Request, _until: float) -> Verdict:
        try:
            policy = read_policy(review.policy)
        except InvalidPolicy as error:
            return Verdict(Reason.INVALID_POLICY, violations=error.violations)
        if found := to_webhooks(_urls(policy), self.yardstick().webhooks):
            return Verdict(found[0].reason, violations=found)
        return Verdict(Reason.ACTIVE, warnings=cautions(policy))

    async def _stay(self, review: Review, request: Request, until: float) -> Verdict:
        name, left = request.namespace, until - self.monotonic()
        namespace = self.namespaces.known(name) or await self.namespaces.ask(name, left)
        if namespace is None:
            raise Unverified(f"namespace {name} could not be read in time; retry")
        new, _ = _versions(request, _circumstances(review))
        found = stay_intent.judge(new, namespace, self.policies(), self.yardstick())
        return _concluded(request, found, found.violations)

    async def _aimed(self, review: Review, request: Request, until: float) -> Verdict:
        circumstances = _circumstances(review)
        new, old = _versions(request, circumstances)
        found = AIMED[request.group_resource](new, old, self.yardstick())
        user = circumstances.user_info
        try:
            missing = await self._missing(user, found.rights, until)
        except Unverified:
            if not found.violations:
                raise
            missing = ()
        forbidden = (_forbidden(user, found, missing),) if missing else ()
        return _concluded(request, found, (*found.violations, *forbidden))

    async def _missing(
        self, user: User, rights: tuple[Right, ...], until: float
    ) -> tuple[Right, ...]:
        """Return the rights that the user has not; raises Unverified if nobody says so."""
        if self.permissions is None or not rights:
            return ()
        try:
            async with self.turnstile.passing(until, self.monotonic):
                return tuple([r for r in rights if not await self._may(user, r, until)])
        except Overloaded as error:
            raise Unverified("too many ask at once; retry") from error

    async def _may(self, user: User, right: Right, until: float) -> bool:
        assert self.permissions is not None
        may = await self.permissions.allowed(user, right, until - self.monotonic())
        if may is None:
            who = shown(user.username)
            log = "if it lasts, look into the log of dayfly admission"
            raise Unverified(f"whether {who} may {right} was not found out; retry, and {log}")
        return may


async def _unknown(_review: Review, _request: Request, _until: float) -> Verdict:
    return Verdict(Reason.EXEMPT)


def _turned_away(review: Review, _verdict: Verdict) -> answer.Answer:
    return turn_away(review)


def _circumstances(review: Review) -> Circumstances:
    circumstances = review.circumstances
    if circumstances is None:
        raise Unverified("the review could not be read; look into the log of dayfly admission")
    return circumstances


def _versions(request: Request, circumstances: Circumstances) -> tuple[Version, Version | None]:
    new, old = circumstances.object, circumstances.old_object
    try:
        written = msgspec.json.decode(new.spec) if new else None
        stored = msgspec.json.decode(old.spec) if old else None
    except UNDECODABLE as error:
        raise Unverified(f"the object could not be read: {error}") from error
    before = Version(request.old, stored) if request.old else None
    return Version(request.meta, written), before


def _forbidden(user: User, found: Intent, missing: tuple[Right, ...]) -> Violation:
    rights = ", nor ".join(map(str, missing))
    detail = (
        f"{shown(user.username)} may not {rights}, and Dayfly does for nobody what they may not do "
        "themselves; ask for that right, or have dayfly admission run with --allow-any-target"
    )
    return Violation(Reason.TARGET_FORBIDDEN, found.place, found.target, detail)


def _concluded(request: Request, found: Intent, violations: tuple[Violation, ...]) -> Verdict:
    silent = is_machine(request.username)
    return Verdict(
        violations[0].reason if violations else Reason.ACTIVE,
        violations=violations,
        warnings=found.warnings,
        receipts=() if silent else found.receipts,
    )


def _urls(policy: Policy) -> dict[str, str]:
    return {
        f"spec.timeline[{index}].action.webhook.url": step.webhook.url
        for index, step in enumerate(policy.timeline)
        if step.webhook
    }

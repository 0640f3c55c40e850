"""The three webhooks: from a review to the answer, by the rules of the core.

Nothing here writes anything, so ``sideEffects: None`` is true. The only read over the network is
one GET of a namespace that the watch has not delivered yet.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dayfly_admission import answer
from dayfly_admission.answer import Allowed, Answer, Patched, Refused
from dayfly_admission.review import Review
from dayfly_core import verdict as rules
from dayfly_core.names import Reason
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import InvalidPolicy, Policies, read_policy
from dayfly_core.request import Request
from dayfly_core.verdict import Verdict

log = logging.getLogger(__name__)

Rule = Callable[[Request, Policies, ObjectMeta | None, datetime], Verdict]
Answered = tuple[Answer, str]
"""An answer, and the reason that metrics count it under."""


class Namespaces(Protocol):
    """Where the labels of a request's namespace come from."""

    def known(self, name: str) -> ObjectMeta | None:
        """Look it up at no cost."""
        ...

    async def ask(self, name: str, seconds: float) -> ObjectMeta | None:
        """Look it up in the cluster; None when it is not there, or no answer came in time."""
        ...


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What the webhooks know."""

    policies: Callable[[], Policies]
    namespaces: Namespaces
    now: Callable[[], datetime]
    ours: frozenset[str] = frozenset()
    """Users whose requests pass untouched: Dayfly itself."""

    async def stamp(self, review: Review, seconds: float) -> Answered:
        """Write the end on what a policy covers (mutating); answer within ``seconds``."""
        request, verdict = await self._decide(rules.stamp, review, seconds)
        if request is None:
            return answer.allow(review, verdict), verdict.reason
        return answer.stamped(review, request, verdict), verdict.reason

    async def judge(self, review: Review, seconds: float) -> Answered:
        """Refuse what no policy allows, say when the rest ends (validating)."""
        request, verdict = await self._decide(rules.judge, review, seconds)
        if request is None:
            return answer.allow(review, verdict), verdict.reason
        return answer.judged(review, request, verdict), verdict.reason

    async def kinds(self, review: Review, _seconds: float) -> Answered:
        """Refuse policies that would decide nothing (validating, fails closed)."""
        verdict = _about_policy(review)
        if review.request is None:
            return answer.allow(review, verdict), verdict.reason
        return answer.judged(review, review.request, verdict), verdict.reason

    async def _decide(
        self, rule: Rule, review: Review, seconds: float
    ) -> tuple[Request | None, Verdict]:
        request = review.request
        if request is None:
            return None, Verdict(review.reason)
        if request.username in self.ours:
            return None, Verdict(Reason.EXEMPT)
        namespace = None
        if request.namespaced:
            namespace = self.namespaces.known(request.namespace)
            if namespace is None:
                namespace = await self.namespaces.ask(request.namespace, seconds)
            if namespace is None:
                return None, Verdict(Reason.NAMESPACE_UNKNOWN)
        return request, rule(request, self.policies(), namespace, self.now())


def _about_policy(review: Review) -> Verdict:
    request = review.request
    if request is None:
        return Verdict(review.reason)
    # Ratchet: finalizers and labels of a policy that was valid once can always be changed.
    unchanged = request.old is not None and not request.spec_changed
    if unchanged or request.meta.deletion_timestamp:
        return Verdict(Reason.UNCHANGED)
    try:
        read_policy(review.policy)
    except InvalidPolicy as error:
        return Verdict(Reason.INVALID_POLICY, violations=error.violations)
    return Verdict(Reason.ACTIVE)


Webhook = Callable[[Review, float], Awaitable[Answered]]


def let_pass(review: Review) -> Answer:
    """Answer for a webhook that fails open, when deciding went wrong."""
    return answer.allow(review, Verdict(Reason.INTERNAL_ERROR))


def turn_away(review: Review) -> Answer:
    """Answer for a webhook that fails closed, when deciding went wrong."""
    return answer.failed(review, "Dayfly could not check this; its admission log says why")


def result(given: Answer) -> str:
    """Name the kind of answer for metrics."""
    match given:
        case Allowed():
            return "allowed"
        case Patched():
            return "patched"
        case Refused():
            return "refused"

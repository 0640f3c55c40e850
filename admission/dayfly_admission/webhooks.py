"""The webhooks about other people's objects: from a review to the answer, by the core's rules.

``stamp`` writes nothing. ``judge`` and ``environments`` claim the names that a request
newly asks for, and nothing on a dry run. Without new names the only read over the network is one
GET of a namespace that the watch has not delivered yet.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec.structs import replace

from dayfly_admission import answer
from dayfly_admission.answer import Allowed, Answer, Patched, Refused
from dayfly_admission.naming import Named, Naming
from dayfly_admission.review import Review
from dayfly_admission.wanting import Unreadable
from dayfly_core import verdict as rules
from dayfly_core.api import Enforcement
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policies
from dayfly_core.reasons import Reason
from dayfly_core.request import Request
from dayfly_core.verdict import Verdict

log = logging.getLogger(__name__)

Rule = Callable[[Request, Policies, ObjectMeta | None, datetime], Verdict]
Answered = tuple[Answer, str]
"""An answer, and the reason that metrics count it under."""
Otherwise = Callable[[Review, Verdict, str], Answer]
"""What to say if nobody could tell, and why."""


class Namespaces(Protocol):
    """Where the labels of a request's namespace come from."""

    def known(self, name: str) -> ObjectMeta | None:
        """Look it up at no cost."""
        ...

    async def ask(self, name: str, seconds: float) -> ObjectMeta | None:
        """Look it up in the cluster; None when it is not there, or no answer came in time."""
        ...


class Webhooks(msgspec.Struct, frozen=True):
    """What the webhooks know."""

    policies: Callable[[], Policies]
    namespaces: Namespaces
    now: Callable[[], datetime]
    ours: frozenset[str] = frozenset()
    """Users whose requests pass untouched: Dayfly itself."""
    naming: Naming | None = None
    """Gives out names; None: none are asked for."""

    async def stamp(self, review: Review, seconds: float) -> Answered:
        """Write the end on what a policy covers (mutating); answer within ``seconds``."""
        request, _, verdict = await self._decide(rules.stamp, review, seconds)
        if request is None:
            return answer.allow(review, verdict), verdict.reason
        return answer.stamped(review, request, verdict), verdict.reason

    async def judge(self, review: Review, seconds: float) -> Answered:
        """Refuse what no policy allows or has no name, say when the rest ends (validating)."""
        return await self._judge(review, seconds, answer.unverified)

    async def environments(self, review: Review, seconds: float) -> Answered:
        """Judge Namespaces that become an environment (validating, fails closed)."""
        if review.request is None and review.reason != Reason.EXEMPT:
            return turn_away(review), review.reason
        return await self._judge(review, seconds, answer.not_let_in)

    async def _judge(self, review: Review, seconds: float, otherwise: Otherwise) -> Answered:
        until = self.naming.now() + seconds if self.naming else 0.0
        request, namespace, verdict = await self._decide(rules.judge, review, seconds)
        if request is None or self.naming is None:
            return _judged(review, request, verdict)
        try:
            asked = self.naming.wanted(review, request, namespace)
        except Unreadable:
            verdict = replace(verdict, reason=Reason.UNREADABLE)
            return otherwise(review, verdict, "the review could not be read"), verdict.reason
        if asked is None:
            return _judged(review, request, verdict)
        mild = self._only_warns(verdict.policy)
        named = await self.naming.name(asked, verdict, until, mild=mild)
        return _named(review, request, named, otherwise), named.verdict.reason

    def _only_warns(self, name: str) -> bool:
        policy = self.policies().get(name)
        return policy is not None and policy.enforcement is not Enforcement.ENFORCE

    async def _decide(
        self, rule: Rule, review: Review, seconds: float
    ) -> tuple[Request | None, ObjectMeta | None, Verdict]:
        request = review.request
        if request is None:
            return None, None, Verdict(review.reason)
        if request.username in self.ours:
            return None, None, Verdict(Reason.EXEMPT)
        namespace = None
        if request.namespaced:
            namespace = self.namespaces.known(request.namespace)
            if namespace is None:
                namespace = await self.namespaces.ask(request.namespace, seconds)
            if namespace is None:
                return None, None, Verdict(Reason.NAMESPACE_UNKNOWN)
        return request, namespace, rule(request, self.policies(), namespace, self.now())


def _judged(review: Review, request: Request | None, verdict: Verdict) -> Answered:
    if request is None:
        return answer.allow(review, verdict), verdict.reason
    return answer.judged(review, request, verdict), verdict.reason


def _named(review: Review, request: Request, named: Named, otherwise: Otherwise) -> Answer:
    verdict = named.verdict
    if named.retry_after:
        return answer.reserved(review, request, verdict, named.retry_after)
    if verdict.violations:
        return answer.judged(review, request, verdict)
    if named.exists:
        return answer.exists(review, request, verdict)
    if named.unverified:
        return otherwise(review, verdict, named.unverified)
    return answer.allow(review, verdict)


Webhook = Callable[[Review, float], Awaitable[Answered]]


def let_pass(review: Review) -> Answer:
    """Answer for a webhook that fails open, when deciding went wrong."""
    return answer.allow(review, Verdict(Reason.INTERNAL_ERROR))


def turn_away(review: Review) -> Answer:
    """Answer for a webhook that fails closed, when deciding went wrong."""
    verdict = Verdict(review.reason or Reason.INTERNAL_ERROR)
    return answer.failed(review, verdict, "Dayfly could not check this; its admission log says why")


def result(given: Answer) -> str:
    """Name the kind of answer for metrics."""
    match given:
        case Allowed():
            return "allowed"
        case Patched():
            return "patched"
        case Refused():
            return "refused"

"""Objects before the operator, and the policies it asks about them."""

from datetime import datetime

from msgspec.structs import replace

from dayfly_core.api import Enforcement, LabelSelector
from dayfly_core.ending import plan
from dayfly_core.guard import Guard
from dayfly_core.objects import ObjectMeta, Resource
from dayfly_core.policies import Policies, Policy
from dayfly_core.subject import Plan, Subject
from support.build import CONFIG_MAPS, HOUR, NOW, a_policy, an_object, key_of

GUARD = Guard("dayfly-system")
TEAM = ObjectMeta(name="team-a", labels={"team": "a"})
PREVIEWS = a_policy(maximum="7d", max_total="30d")
FREE = a_policy()
OPT_IN = a_policy(default=None)
SUSPENDED = replace(PREVIEWS, suspended=True)
AUDIT = replace(PREVIEWS, enforcement=Enforcement.AUDIT)
ELSEWHERE = replace(PREVIEWS, namespace_selector=LabelSelector(match_labels={"team": "b"}))
HEIR = a_policy("heir", priority=-1)


def about(meta: ObjectMeta, resource: Resource = CONFIG_MAPS) -> Subject:
    return Subject(key_of(meta, resource), meta, TEAM if resource.namespaced else None)


def stamped(at: str | None = None, ttl: str | None = None, **fields: object) -> ObjectMeta:
    return an_object(ttl=ttl, at=at, policy="previews", **{"age": HOUR, **fields})  # type: ignore[arg-type]


def do(subject: Subject, *policies: Policy, now: datetime = NOW) -> Plan:
    return plan(subject, Policies(policies), GUARD, now)

"""Policies, and objects that admission is asked about."""

import msgspec
from msgspec.structs import replace

from dayfly_core import names
from dayfly_core.api import Enforcement, LabelSelector
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policies, Policy
from dayfly_core.stamps import applied
from support.build import HOUR, a_policy, an_object, in_

TEAM = ObjectMeta(name="team-a", labels={"team": "a", names.ENVIRONMENT: "shop"})
PREVIEWS = a_policy()
BOUNDED = a_policy(minimum="1m", maximum="7d", max_total="30d")
WARN = replace(BOUNDED, enforcement=Enforcement.WARN)
AUDIT = replace(BOUNDED, enforcement=Enforcement.AUDIT)
SUSPENDED = replace(PREVIEWS, suspended=True)
ELSEWHERE = replace(PREVIEWS, namespace_selector=LabelSelector(match_labels={"team": "b"}))

STAMPED = an_object(ttl="8h", at=in_("2h"), by="alice", policy="previews", age=HOUR)
UNSTAMPED = an_object(age=HOUR)


def only(*policies: Policy) -> Policies:
    return Policies(policies)


def changed(meta: ObjectMeta, **annotations: str | None) -> ObjectMeta:
    """Change annotations of the prefix: ``ttl``, ``expires_at``, ``created_by``."""
    changes = {f"dayfly.dev/{key.replace('_', '-')}": v for key, v in annotations.items()}
    return msgspec.structs.replace(meta, annotations=applied(meta.annotation_map, changes))


def labelled(meta: ObjectMeta, policy: str | None) -> ObjectMeta:
    labels = applied(meta.label_map, {names.POLICY: policy})
    return msgspec.structs.replace(meta, labels=labels)

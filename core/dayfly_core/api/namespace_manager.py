"""NamespaceManager: ordered rules for one namespace, as k8s-namespace-manager has them."""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from dayfly_core import cel
from dayfly_core.api.condition import StatusCondition
from dayfly_core.api.ephemerator import NamespaceName
from dayfly_core.api.schema import INSTANT, keyed_by
from dayfly_core.api.stay import InstantText
from dayfly_core.objects import OwnMeta


class ConditionType(StrEnum):
    """When a policy acts."""

    TTL = "TTL"
    UNTIL = "UNTIL"
    PODS_SUCCEED = "PODS_SUCCEED"


class ActionType(StrEnum):
    """What a policy does."""

    DELETE = "DELETE"
    SCALE_DOWN = "SCALE_DOWN"
    WEBHOOK = "WEBHOOK"
    NOTIFY = "NOTIFY"


# What a value may be is not for the schema to say: a rule for each would fail on numbers, which the
# original's definition let in, and then nobody could write on such an object any more.
LabelText = Annotated[str, Meta(max_length=63)]
Labels = Annotated[dict[str, LabelText], Meta(max_length=32, extra_json_schema=cel.LABEL_KEYS)]
UrlText = Annotated[str, Meta(max_length=2048, extra_json_schema=cel.HTTP_URL)]
Period = Annotated[int, Meta(ge=1, le=31_557_600)]
Delay = Annotated[int, Meta(ge=0, le=3_155_760_000)]


class ConditionParams(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the condition depends on; each kind of condition reads its own."""

    ttl_seconds: Annotated[
        Delay | UnsetType,
        Meta(description="TTL: seconds since the creation of the namespace; 1800 if left out."),
    ] = UNSET
    pod_labels: Annotated[
        Labels | UnsetType,
        Meta(
            description="PODS_SUCCEED: labels of the pods; all pods of the namespace if left out."
        ),
    ] = UNSET
    initial_delay_seconds: Annotated[
        Delay | UnsetType,
        Meta(
            description="PODS_SUCCEED: seconds since the creation of the namespace before the "
            "first check; 60 if left out."
        ),
    ] = UNSET
    period_seconds: Annotated[
        Period | UnsetType,
        Meta(description="PODS_SUCCEED: seconds from one check to the next; 10 if left out."),
    ] = UNSET
    min_checks: Annotated[
        Annotated[int, Meta(ge=1, le=1000)] | UnsetType,
        Meta(
            description="PODS_SUCCEED: how many checks in a row have to find all pods succeeded; 1 "
            "if left out. Finding no pods at all always takes two."
        ),
    ] = UNSET
    until: Annotated[
        InstantText | UnsetType,
        Meta(description="UNTIL: the instant, RFC 3339, for example 2026-11-22T10:00:00Z."),
    ] = UNSET


class PolicyCondition(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """When the policy acts."""

    # Text and not the enumeration: an older replica has to live with what a newer one knows.
    type: Annotated[
        str,
        Meta(
            description="TTL: some time after the creation of the namespace. UNTIL: at an instant. "
            "PODS_SUCCEED: when all pods with the given labels have succeeded, or are gone.",
            extra_json_schema={"enum": [str(each) for each in ConditionType]},
        ),
    ]
    params: Annotated[
        ConditionParams | UnsetType, Meta(description="What the condition depends on.")
    ] = UNSET


class WorkloadSelector(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Workloads of one kind."""

    kind: Annotated[
        str,
        Meta(
            max_length=63,
            description="deployment or statefulset, in any case; others are skipped, and reported.",
        ),
    ]
    labels: Annotated[
        Labels | UnsetType,
        Meta(description="Labels of the workload itself; all of that kind if left out."),
    ] = UNSET


class SecretRef(msgspec.Struct, frozen=True, kw_only=True):
    """A Secret beside the NamespaceManager."""

    name: Annotated[
        str, Meta(max_length=253, description="Its name.", extra_json_schema=cel.DNS_NAME)
    ]


class ActionParams(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the action depends on; each kind of action reads its own."""

    selectors: Annotated[
        Annotated[list[WorkloadSelector], Meta(max_length=16)] | UnsetType,
        Meta(
            description="SCALE_DOWN: which workloads; all Deployments and StatefulSets if left out "
            "or empty."
        ),
    ] = UNSET
    url: Annotated[
        UrlText | UnsetType,
        Meta(description="WEBHOOK: where to POST."),
    ] = UNSET
    secret_ref: Annotated[
        SecretRef | UnsetType,
        Meta(
            description="WEBHOOK: the Secret beside the NamespaceManager whose key hmac signs the "
            "request; unsigned if left out."
        ),
    ] = UNSET


class PolicyAction(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the policy does."""

    type: Annotated[
        str,
        Meta(
            description="DELETE: the namespace. SCALE_DOWN: workloads in it, to 0. WEBHOOK: POST "
            "to a URL. NOTIFY: an Event on the namespace.",
            extra_json_schema={"enum": [str(each) for each in ActionType]},
        ),
    ]
    params: Annotated[ActionParams | UnsetType, Meta(description="What the action depends on.")] = (
        UNSET
    )


class ManagerPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One rule: when, and what."""

    name: Annotated[
        str,
        Meta(
            max_length=92,
            description="What it is called in status and webhooks: 3 to 92 letters, digits, '_' "
            "and inner spaces.",
            extra_json_schema=cel.POLICY_NAME,
        ),
    ]
    condition: Annotated[
        PolicyCondition, Meta(description="When it acts.", extra_json_schema=cel.CONDITION_PARAMS)
    ]
    action: Annotated[
        PolicyAction, Meta(description="What it does.", extra_json_schema=cel.ACTION_PARAMS)
    ]


class NamespaceManagerSpec(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What happens to a namespace, and when."""

    deactivated: Annotated[
        bool | UnsetType,
        Meta(
            description="True: nothing is done. Dayfly sets it once a policy has acted; set it to "
            "false to begin anew."
        ),
    ] = UNSET
    namespace: Annotated[
        NamespaceName | UnsetType,
        Meta(
            description="The namespace that is managed; the one that is called as this object is "
            "if left out."
        ),
    ] = UNSET
    policies: Annotated[
        list[ManagerPolicy],
        Meta(
            min_length=1,
            max_length=32,
            description="Rules in their order: the first whose condition is true acts, no other.",
        ),
    ]


LONGEST_MESSAGE: Final = 1024
ShortText = Annotated[str, Meta(max_length=128)]


class PolicyResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What has come of one policy."""

    name: Annotated[
        str,
        Meta(max_length=128, description="The policy; repeated names have their position added."),
    ]
    result: Annotated[
        str,
        Meta(
            max_length=32,
            description="Waiting: its condition is not true. Pending: it has begun. Done. Failed: "
            "given up.",
        ),
    ]
    reason: Annotated[str, Meta(max_length=128, description="One word: why.")] = ""
    message: Annotated[str, Meta(max_length=LONGEST_MESSAGE, description="A sentence: why.")] = ""
    time: Annotated[
        str | UnsetType,
        Meta(
            description="Since when the result is this one, RFC 3339.",
            extra_json_schema=INSTANT,
        ),
    ] = UNSET
    id: Annotated[
        ShortText | UnsetType,
        Meta(description="Of what is being done; the Idempotency-Key of a webhook."),
    ] = UNSET
    attempts: Annotated[int | UnsetType, Meta(description="How often it was tried.")] = UNSET
    target_uid: Annotated[
        ShortText | UnsetType,
        Meta(description="Uid of the namespace: one of that name made later is another."),
    ] = UNSET
    next_check: Annotated[
        str | UnsetType,
        Meta(
            description="When it is looked at or tried again, RFC 3339.",
            extra_json_schema=INSTANT,
        ),
    ] = UNSET


class NamespaceManagerStatus(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the operator sees."""

    observed_generation: Annotated[
        int | UnsetType, Meta(description="The generation that the operator last worked with.")
    ] = UNSET
    armed: Annotated[
        int | UnsetType,
        Meta(
            description="The generation with which it last became active; absent while it is not."
        ),
    ] = UNSET
    namespace: Annotated[
        Annotated[str, Meta(max_length=253)] | UnsetType,
        Meta(description="The namespace that is managed."),
    ] = UNSET
    next_check: Annotated[
        str | UnsetType,
        Meta(
            description="The earliest instant at which a policy may act, RFC 3339.",
            extra_json_schema=INSTANT,
        ),
    ] = UNSET
    policies: Annotated[
        list[PolicyResult],
        Meta(
            description="The last result of every policy.",
            extra_json_schema=keyed_by("name"),
        ),
    ] = []
    conditions: Annotated[
        list[StatusCondition],
        Meta(
            description="Ready: the policies are in force. Withheld: one wants to act, and what "
            "keeps it.",
            extra_json_schema=keyed_by("type"),
        ),
    ] = []


class NamespaceManager(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Ends a namespace, scales it down or calls a webhook, after a time or when pods succeed.

    Of its policies the first whose condition becomes true acts; then the manager is deactivated.
    """

    metadata: OwnMeta = OwnMeta()
    spec: NamespaceManagerSpec
    status: NamespaceManagerStatus | UnsetType = UNSET

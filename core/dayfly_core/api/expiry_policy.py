"""ExpiryPolicy: which objects get which end, and which host."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from dayfly_core import cel
from dayfly_core.api.condition import StatusCondition
from dayfly_core.api.policy_outlook import Breaker, KnownStep, NextEnd, Reach
from dayfly_core.api.schema import INSTANT, keyed_by
from dayfly_core.api.selector import LabelSelector
from dayfly_core.api.timeline import TimelineStep
from dayfly_core.objects import ObjectMeta


class Enforcement(StrEnum):
    """What happens to a wish that the policy does not allow."""

    ENFORCE = "Enforce"
    WARN = "Warn"
    AUDIT = "Audit"


class Receipts(StrEnum):
    """Whether kubectl and Helm print when an object ends."""

    ON_CHANGE = "OnChange"
    NEVER = "Never"


class RenewOn(StrEnum):
    """What starts the time to live anew, besides changing the annotation."""

    CREATION = "Creation"
    GENERATION_CHANGE = "GenerationChange"


class Unit(StrEnum):
    """What ends when the end has come."""

    OBJECT = "Object"
    RELEASE = "Release"


GroupName = Annotated[str, Meta(max_length=253, extra_json_schema=cel.API_GROUP)]
PluralName = Annotated[str, Meta(max_length=63, extra_json_schema=cel.PLURAL)]


class ResourceRule(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Kinds of objects, written as in a ClusterRole."""

    api_groups: Annotated[
        list[GroupName],
        Meta(
            min_length=1,
            max_length=16,
            description='API groups, for example ["apps"]; "" is the core group. No "*".',
        ),
    ]
    resources: Annotated[
        list[PluralName],
        Meta(
            min_length=1,
            max_length=32,
            description='Plural names, for example ["deployments"]. No "*", no subresource.',
        ),
    ]


class Match(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which objects the policy is for: all three parts must fit."""

    namespace_selector: Annotated[
        LabelSelector,
        Meta(
            description="Labels of the object's namespace; for a Namespace, its own labels. "
            "Cluster-scoped objects other than Namespaces match only an empty selector."
        ),
    ] = LabelSelector()
    object_selector: Annotated[LabelSelector, Meta(description="Labels of the object itself.")] = (
        LabelSelector()
    )
    resources: Annotated[
        list[Annotated[ResourceRule, Meta(extra_json_schema=cel.OFF_LIMITS)]],
        Meta(min_length=1, max_length=32, description="The kinds of objects, by group and plural."),
    ]


DurationText = Annotated[str, Meta(max_length=32, extra_json_schema=cel.DURATION)]


class TTL(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How long objects live. Durations are written as 90s, 45m, 8h, 1d12h or 2w."""

    min: Annotated[
        DurationText | UnsetType, Meta(description="The shortest life that may be asked for.")
    ] = UNSET
    default: Annotated[
        DurationText | UnsetType,
        Meta(
            description="The life of objects that ask for none. Without it, only objects that "
            "carry the annotation dayfly.dev/ttl or dayfly.dev/expires-at are stamped."
        ),
    ] = UNSET
    max: Annotated[
        DurationText | UnsetType,
        Meta(description="The latest end that may be asked for, counted from the request."),
    ] = UNSET
    max_total: Annotated[
        DurationText | UnsetType,
        Meta(description="The latest end that may be asked for, counted from the creation."),
    ] = UNSET
    renew_on: Annotated[
        RenewOn,
        Meta(
            description="Creation: the life is counted once. GenerationChange: a change of the "
            "object's spec starts it anew, up to maxTotal."
        ),
    ] = RenewOn.CREATION
    renew_on_wake: Annotated[
        bool,
        Meta(
            description="Whether what is woken lives anew from then on, within max and maxTotal; "
            "otherwise it keeps its end, as does what was awake when somebody asked."
        ),
    ] = True


# As long as a name can be with a label before it.
DomainText = Annotated[str, Meta(max_length=189, extra_json_schema=cel.DNS_NAME)]


class Host(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which host an object gets: a DNS name that no other object in the cluster can get."""

    template: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=253,
            description="The host, with fields in braces: {name} and {namespace} of the object, "
            "{environment} (the label dayfly.dev/environment of its namespace), {hash} (ten "
            "characters that follow from kind, namespace and name) and, at the end, {domain}. "
            "Labels over 63 characters are cut, and end in a hash of what they were.",
            extra_json_schema=cel.TEMPLATE,
        ),
    ]
    domain: Annotated[
        DomainText | UnsetType,
        Meta(description="What {domain} stands for, for example dev.example.com."),
    ] = UNSET


class ExpiryPolicySpec(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which objects get which end."""

    priority: Annotated[
        int,
        Meta(
            ge=-1000000,
            le=1000000,
            description="Of several policies that match an object the one with the highest "
            "priority decides; among equals the first by name.",
        ),
    ] = 0
    suspend: Annotated[
        bool,
        Meta(description="True: the policy stamps nothing and ends nothing until it is false."),
    ] = False
    match: Annotated[Match, Meta(description="Which objects the policy is for.")]
    ttl: Annotated[
        TTL, Meta(description="How long the objects live.", extra_json_schema=cel.ORDER)
    ] = TTL()
    host: Annotated[
        Host | UnsetType,
        Meta(
            description="Gives each object that gets its end a host, in the annotation "
            "dayfly.dev/host. It stays the same as long as the object lives, also when the "
            "template changes.",
            extra_json_schema=cel.HOST,
        ),
    ] = UNSET
    enforcement: Annotated[
        Enforcement,
        Meta(
            description="Enforce: wishes out of bounds are refused. Warn: they pass with a "
            "warning. Audit: nothing is changed, refused or ended, only reported."
        ),
    ] = Enforcement.ENFORCE
    receipts: Annotated[
        Receipts,
        Meta(description="OnChange: kubectl and Helm print the end when it is set or moved."),
    ] = Receipts.ON_CHANGE
    grace: Annotated[
        DurationText,
        Meta(
            description="The shortest time that an object found without a stamp still lives: it "
            "existed before the policy, or slipped past the webhook."
        ),
    ] = "1h"
    unit: Annotated[
        Unit,
        Meta(
            description="Object: each object ends for itself. Release: the Helm release that it "
            "belongs to ends as a whole, when the last of its objects that have an end has come "
            "to it."
        ),
    ] = Unit.OBJECT
    timeline: Annotated[
        Annotated[list[TimelineStep], Meta(max_length=16)] | UnsetType,
        Meta(
            description="What happens around the end, in order. None: the object is deleted at its "
            "end. Without DELETE it is never deleted.",
            extra_json_schema=cel.TIMELINE,
        ),
    ] = UNSET


class ExpiryPolicyStatus(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the operator sees; written at most every few seconds."""

    observed_generation: Annotated[
        int | UnsetType, Meta(description="The generation that the operator last worked with.")
    ] = UNSET
    matched: Annotated[
        int | UnsetType, Meta(description="How many objects this policy has stamped.")
    ] = UNSET
    next_end: Annotated[
        str | UnsetType,
        Meta(
            description="When the first of them is scaled down or deleted, RFC 3339. What is "
            "scaled down already counts when it is deleted; absent if none is to be.",
            extra_json_schema=INSTANT,
        ),
    ] = UNSET
    next_ends: Annotated[
        Annotated[list[NextEnd], Meta(max_length=20)] | UnsetType,
        Meta(description="What happens next to its objects, soonest first."),
    ] = UNSET
    steps: Annotated[
        Annotated[list[KnownStep], Meta(max_length=17)] | UnsetType,
        Meta(
            description="The steps that the operator knows, and since when.",
            extra_json_schema=keyed_by("step"),
        ),
    ] = UNSET
    reach: Annotated[
        Reach | UnsetType,
        Meta(description="What the policy does to which objects, and since when."),
    ] = UNSET
    breaker: Annotated[
        Breaker | UnsetType,
        Meta(description="Set while too much would end at once that its authors do not expect."),
    ] = UNSET
    conditions: Annotated[
        list[StatusCondition],
        Meta(
            description="Ready: the policy is in force. Enforceable: its kinds exist and the "
            "operator may end them. Stuck: something it ended does not go away.",
            extra_json_schema=keyed_by("type"),
        ),
    ] = []


class ExpiryPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Gives an end to the objects it matches.

    The admission webhook stamps the end on them when they are created, people move it with
    "kubectl dayfly extend", and the operator deletes them when it comes.
    """

    metadata: ObjectMeta = ObjectMeta()
    spec: ExpiryPolicySpec
    status: ExpiryPolicyStatus | UnsetType = UNSET


class StoredPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An ExpiryPolicy as the API server stores it, its spec not looked at yet.

    For lists and watches: one policy that was stored under another schema must not make all the
    others unreadable. ``policies.read_policy`` reads the spec.
    """

    metadata: ObjectMeta = ObjectMeta()
    spec: msgspec.Raw = msgspec.Raw(b"null")

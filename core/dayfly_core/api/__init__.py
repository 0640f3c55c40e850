"""Dayfly's custom resources as types: the source of the CRDs in ``manifests/crds``.

Docstrings and descriptions become the schema's, hence what ``kubectl explain`` prints: they speak
to users. Decoding is tolerant (unknown fields are ignored: older CRDs, newer clients); strictness
is the schema's job, and it is checked by the API server.
"""

from dayfly_core.api.condition import ConditionStatus, StatusCondition
from dayfly_core.api.ephemerator import (
    Ephemerator,
    EphemeratorSpec,
    EphemeratorStatus,
    Lifetime,
    LifetimeDuration,
    LifetimeUntil,
)
from dayfly_core.api.expiry_policy import (
    TTL,
    Enforcement,
    ExpiryPolicy,
    ExpiryPolicySpec,
    ExpiryPolicyStatus,
    Host,
    Match,
    Receipts,
    RenewOn,
    ResourceRule,
    StoredPolicy,
    Unit,
)
from dayfly_core.api.name_claim import (
    ClaimedKey,
    ClaimState,
    Holder,
    KeyKind,
    NameClaim,
    NameClaimSpec,
)
from dayfly_core.api.namespace_manager import (
    ManagerPolicy,
    NamespaceManager,
    NamespaceManagerSpec,
    NamespaceManagerStatus,
)
from dayfly_core.api.policy_outlook import Breaker, KnownStep, NextEnd, Reach
from dayfly_core.api.selector import LabelSelector, LabelSelectorRequirement, Operator
from dayfly_core.api.stay import Stay, StaySpec, StayStatus
from dayfly_core.api.timeline import (
    SecretReference,
    StepAction,
    StepType,
    StepWebhook,
    TimelineStep,
)

__all__ = [
    "TTL",
    "Breaker",
    "ClaimState",
    "ClaimedKey",
    "ConditionStatus",
    "Enforcement",
    "Ephemerator",
    "EphemeratorSpec",
    "EphemeratorStatus",
    "ExpiryPolicy",
    "ExpiryPolicySpec",
    "ExpiryPolicyStatus",
    "Holder",
    "Host",
    "KeyKind",
    "KnownStep",
    "LabelSelector",
    "LabelSelectorRequirement",
    "Lifetime",
    "LifetimeDuration",
    "LifetimeUntil",
    "ManagerPolicy",
    "Match",
    "NameClaim",
    "NameClaimSpec",
    "NamespaceManager",
    "NamespaceManagerSpec",
    "NamespaceManagerStatus",
    "NextEnd",
    "Operator",
    "Reach",
    "Receipts",
    "RenewOn",
    "ResourceRule",
    "SecretReference",
    "StatusCondition",
    "Stay",
    "StaySpec",
    "StayStatus",
    "StepAction",
    "StepType",
    "StepWebhook",
    "StoredPolicy",
    "TimelineStep",
    "Unit",
]

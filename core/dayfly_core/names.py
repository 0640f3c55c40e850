"""Every label, annotation, reason and condition type, once."""

from typing import Final

GROUP: Final = "dayfly.dev"
VERSION: Final = "v1alpha1"
SYSTEM_NAMESPACE: Final = "dayfly-system"

# Keys on anybody's objects.
TTL: Final = "dayfly.dev/ttl"
"""Annotation: how long the deployer wants it to live, e.g. ``8h`` or ``P1DT12H``, or ``never``."""
EXPIRES_AT: Final = "dayfly.dev/expires-at"
"""Annotation: RFC 3339 instant in UTC. The operator reads nothing else to know the end."""
CREATED_BY: Final = "dayfly.dev/created-by"
"""Annotation: ``userInfo.username`` of the CREATE; immutable."""
POLICY: Final = "dayfly.dev/policy"
"""Label: the ExpiryPolicy that decided; a label, so that the API server filters the watch."""
PROTECTED: Final = "dayfly.dev/protected"
"""Label ``"true"``: never ended by Dayfly; setting it needs the verb ``protect``."""

NEVER: Final = "never"
"""The ``ttl`` of an object that wants no end."""

OUR_ANNOTATIONS: Final = (TTL, EXPIRES_AT, CREATED_BY)
OUR_LABELS: Final = (POLICY, PROTECTED)

PROTECT_VERB: Final = "protect"

# Accounts and objects of the installation (manifests/base).
ADMISSION_ACCOUNT: Final = "dayfly-admission"
OPERATOR_ACCOUNT: Final = "dayfly-operator"
LEASE: Final = "dayfly-operator"
CA_SECRET: Final = "dayfly-ca"
TLS_SECRET: Final = "dayfly-tls"
GUARD_CONFIG_MAP: Final = "dayfly-guard"
MUTATING_CONFIGURATION: Final = "dayfly-stamp"
VALIDATING_CONFIGURATION: Final = "dayfly-judge"
ADMISSION_SERVICE: Final = "dayfly-admission"

STAMP_WEBHOOK: Final = "stamp.dayfly.dev"
"""Entry of the mutating configuration: every resource that a policy names; fails open."""
JUDGE_WEBHOOK: Final = "judge.dayfly.dev"
"""Entry of the validating configuration: the same resources; fails open."""
KINDS_WEBHOOK: Final = "kinds.dayfly.dev"
"""Entry of the validating configuration: Dayfly's own kinds; fails closed."""

STAMP_PATH: Final = "/stamp"
JUDGE_PATH: Final = "/judge"
KINDS_PATH: Final = "/kinds"

FIELD_MANAGER: Final = "dayfly"
"""Server-side apply owner of webhook ``rules`` and ``caBundle``, and of status."""

AGGREGATE_LABEL: Final = "dayfly.dev/aggregate-to-operator"
"""ClusterRoles labelled ``"true"`` add to what the operator may end."""


class Reason:
    """Why: the same word in the answer, the condition, the Event and the metric."""

    # verdicts
    STAMPED: Final = "Stamped"
    UNCHANGED: Final = "Unchanged"
    NO_POLICY: Final = "NoPolicy"
    CONTROLLED: Final = "Controlled"
    EXEMPT: Final = "Exempt"
    UNREADABLE: Final = "Unreadable"
    INVALID_TTL: Final = "InvalidTTL"
    INVALID_EXPIRES_AT: Final = "InvalidExpiresAt"
    END_IN_THE_PAST: Final = "EndInThePast"
    TTL_TOO_LONG: Final = "TTLTooLong"
    TTL_TOO_SHORT: Final = "TTLTooShort"
    TOTAL_TOO_LONG: Final = "TotalTooLong"
    NEVER_NOT_ALLOWED: Final = "NeverNotAllowed"
    ENDS_DISAGREE: Final = "EndsDisagree"
    STAMP_FORGED: Final = "StampForged"
    ANNOTATIONS_TOO_LARGE: Final = "AnnotationsTooLarge"
    INVALID_POLICY: Final = "InvalidPolicy"

    # what the operator does, or why it does not
    EXPIRED: Final = "Expired"
    DELETED: Final = "Deleted"
    CAUGHT_UP: Final = "CaughtUp"
    HANDED_OVER: Final = "HandedOver"
    PROTECTED: Final = "Protected"
    GUARDED: Final = "Guarded"
    SUSPENDED: Final = "Suspended"
    AUDIT_ONLY: Final = "AuditOnly"
    NOT_DUE: Final = "NotDue"
    INERT: Final = "Inert"
    DELETION_FAILED: Final = "DeletionFailed"
    DRY_RUN: Final = "DryRun"

    # conditions of an ExpiryPolicy
    ACTIVE: Final = "Active"
    KIND_NOT_FOUND: Final = "KindNotFound"
    MISSING_RIGHTS: Final = "MissingRights"
    ALL_RIGHTS: Final = "AllRights"
    NAMESPACE_STUCK: Final = "NamespaceStuck"


class Condition:
    """Condition types of our kinds."""

    READY: Final = "Ready"
    ENFORCEABLE: Final = "Enforceable"
    STUCK: Final = "Stuck"

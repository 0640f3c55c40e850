"""How the objects of our own kinds stand."""

from typing import Final


class OwnKindReason:
    """Ephemerators and NamespaceManagers."""

    TARGET_FORBIDDEN: Final = "TargetForbidden"
    """The object would have Dayfly do to a namespace what its author may not do there.
    Do: ask for the right that the message names; dayfly admission --allow-any-target asks nobody.
    """
    STATUS_NOT_KEPT: Final = "StatusNotKept"
    """The definition of the kind is not Dayfly's own, and has no place for the status in which what
    is begun is recorded; so nothing is begun.
    Do: apply the file crd.yaml of the component again (manifests/components), and see to it that
    nothing applies the original's afterwards.
    """
    DISABLED: Final = "Disabled"
    """The Ephemerator does not carry the annotation ephemerators.tessellate.io/enabled: "true".
    Do: set it if the namespace should end.
    """
    IGNORED: Final = "Ignored"
    """The namespace is one that the operator was told to ignore: EPHEMERATOR_IGNORE_NAMESPACES.
    Do: take it off that list if it should end.
    """
    INVALID_LIFETIME: Final = "InvalidLifetime"
    """From spec.lifetime of an Ephemerator no instant follows, so its namespace does not end.
    Do: correct the field that the message names.
    """
    INVALID_SPEC: Final = "InvalidSpec"
    """The spec is not as the present schema demands; nothing is done.
    Do: correct the field that the message names and apply it again.
    """
    INVALID_RULE: Final = "InvalidRule"
    """A policy of a NamespaceManager has a condition or an action that is not known, or lacks a
    part; the other policies go on.
    Do: correct the policy that the status names.
    """
    DEACTIVATED: Final = "Deactivated"
    """The NamespaceManager does nothing: a policy of it has acted, or somebody switched it off.
    Do: set spec.deactivated to false to have it begin anew.
    """
    TARGET_MISSING: Final = "TargetMissing"
    """The namespace does not exist.
    Do: nothing; it counts from the moment when it is created.
    """
    TERMINATING: Final = "Terminating"
    """The namespace is being deleted.
    Do: nothing; if it lasts, look at the conditions of the namespace.
    """
    PODS_RUNNING: Final = "PodsNotSucceeded"
    """Not all pods that the policy selects have succeeded, or not for as many checks as it asks.
    Do: nothing; if a pod failed, delete it or have it run again.
    """
    PODS_UNKNOWN: Final = "PodsUnknown"
    """The pods that a policy selects could not be read; the other policies go on.
    Do: nothing; if it lasts, read the log of the leading operator.
    """
    SUCCEEDED: Final = "Succeeded"
    """The policy has acted.
    Do: nothing; the manager is deactivated now.
    """
    BEGUN: Final = "Begun"
    """The policy's condition is true, and its action on the way.
    Do: nothing.
    """
    RETRYING: Final = "Retrying"
    """The policy's action failed and is tried again, ever more slowly.
    Do: read the message; nothing is lost.
    """
    GIVEN_UP: Final = "GivenUp"
    """The policy's action failed too often and is not tried again; the next policy gets its turn.
    Do: correct the policy, which has it tried anew.
    """


class PolicyReason:
    """Conditions of an ExpiryPolicy."""

    ACTIVE: Final = "Active"
    """The policy is in force.
    Do: nothing.
    """
    ADMISSION_OFF: Final = "AdmissionOff"
    """A webhook configuration is missing, so that nothing is stamped or refused on its way in.
    Do: apply manifests/base, unless it was deleted on purpose: that is the off switch.
    """
    ADMISSION_PENDING: Final = "AdmissionPending"
    """The API server does not send the policy's kinds to the webhooks yet.
    Do: wait a moment; if it lasts, see the log of the leading operator.
    """
    KIND_NOT_FOUND: Final = "KindNotFound"
    """The API server does not serve a kind that the policy names; the others are covered.
    Do: install the kind, or correct apiGroups and resources.
    """
    MISSING_RIGHTS: Final = "MissingRights"
    """The operator may not do with a kind what the policy asks.
    Do: create a ClusterRole, labelled dayfly.dev/aggregate-to-operator: "true", with the rights
    that the message lists.
    """
    ALL_RIGHTS: Final = "AllRights"
    """The operator has every right that the policy needs.
    Do: nothing.
    """
    NAMESPACE_STUCK: Final = "NamespaceStuck"
    """A namespace that ended is still terminating.
    Do: look at the object and the finalizer that the message names.
    """

"""Why admission answers as it does."""

from typing import Final


class AdmissionReason:
    """What admission answers."""

    STAMPED: Final = "Stamped"
    """The object got its end, or its end was moved.
    Do: nothing; the receipt says when it ends and how to extend it.
    """
    UNCHANGED: Final = "Unchanged"
    """The request touches nothing that Dayfly cares for; the end stays as it was.
    Do: nothing.
    """
    NO_POLICY: Final = "NoPolicy"
    """No ExpiryPolicy matches the object, so its annotations have no effect.
    Do: create a policy or change the labels if the object should end.
    """
    CONTROLLED: Final = "Controlled"
    """Another object controls this one, and decides for it.
    Do: annotate the owner: the Deployment, not its ReplicaSet.
    """
    EXEMPT: Final = "Exempt"
    """The object is protected, or out of reach of every policy.
    Do: remove the label dayfly.dev/protected if the object should end.
    """
    UNREADABLE: Final = "Unreadable"
    """The request or the object could not be read.
    Do: look into the log of dayfly admission for the part that is malformed.
    """
    NAMESPACE_UNKNOWN: Final = "NamespaceUnknown"
    """The object's namespace could not be read in time, so its labels are not known.
    Do: nothing; the operator stamps the object when it sees it.
    """
    MALFORMED: Final = "Malformed"
    """What was sent is not an AdmissionReview.
    Do: let only API servers call the webhooks.
    """
    INTERNAL_ERROR: Final = "InternalError"
    """Deciding failed, by a fault of Dayfly.
    Do: report it with the lines that dayfly admission logged.
    """
    INVALID_TTL: Final = "InvalidTTL"
    """The annotation dayfly.dev/ttl is not a length of time.
    Do: write for example 90s, 8h, 1d12h, 2w or P1DT12H; no months, years or bare numbers.
    """
    INVALID_EXPIRES_AT: Final = "InvalidExpiresAt"
    """The annotation dayfly.dev/expires-at is not an instant.
    Do: write RFC 3339 with its offset, for example 2026-11-22T10:00:00Z.
    """
    END_IN_THE_PAST: Final = "EndInThePast"
    """The object is to be created with an end that has passed.
    Do: remove dayfly.dev/expires-at, or set it in the future.
    """
    TTL_TOO_LONG: Final = "TTLTooLong"
    """The end lies further away than the policy's ttl.max.
    Do: ask for less, or have the policy changed.
    """
    TTL_TOO_SHORT: Final = "TTLTooShort"
    """The end lies nearer than the policy's ttl.min.
    Do: ask for more, or delete the object yourself.
    """
    TOTAL_TOO_LONG: Final = "TotalTooLong"
    """The end lies further from the object's creation than the policy's ttl.maxTotal.
    Do: ask for less; an object this old has to be created anew.
    """
    NEVER_NOT_ALLOWED: Final = "NeverNotAllowed"
    """The object asks for no end, but its policy sets ttl.max or ttl.maxTotal.
    Do: ask for a time within these limits, or have the policy changed.
    """
    ENDS_DISAGREE: Final = "EndsDisagree"
    """dayfly.dev/ttl and dayfly.dev/expires-at were both set, to different ends.
    Do: set one of them.
    """
    STAMP_FORGED: Final = "StampForged"
    """A label or annotation that only Dayfly writes was set or changed.
    Do: leave dayfly.dev/policy, dayfly.dev/created-by and dayfly.dev/host alone.
    """
    ANNOTATIONS_TOO_LARGE: Final = "AnnotationsTooLarge"
    """With its end the object's annotations would exceed 256 KiB: policies that enforce refuse it,
    and under a lenient one it has no end.
    Do: make the annotations smaller and apply the object again.
    """
    INVALID_POLICY: Final = "InvalidPolicy"
    """The ExpiryPolicy is not as the present schema demands; it decides nothing.
    Do: correct the fields that the message names and apply it again.
    """
    CLAIMED: Final = "Claimed"
    """The object has every name and host that it asks for, and nobody else can have them.
    Do: nothing; kubectl get nameclaims shows who has which.
    """
    NAME_TAKEN: Final = "NameTaken"
    """Another object has the name or host.
    Do: choose another one, or delete the object that the message names.
    """
    NAME_RESERVED: Final = "NameReserved"
    """Another request asked for the name or host a moment ago, and may yet come to nothing.
    Do: retry; it is free or taken for good after little more than a minute.
    """
    ALREADY_EXISTS: Final = "AlreadyExists"
    """An object of that kind and name is there already.
    Do: change that object, or delete it and wait until it is gone.
    """
    INVALID_HOST: Final = "InvalidHost"
    """A host is not a DNS name.
    Do: write for example shop.example.com, or *.example.com for all names below it.
    """
    TOO_MANY_HOSTS: Final = "TooManyHosts"
    """One request adds more hosts than are looked up while a client waits.
    Do: spread them over several objects, or add them in several steps.
    """
    INVALID_ENVIRONMENT: Final = "InvalidEnvironment"
    """The labels dayfly.dev/environment and envs.sberz.de/name are both set, to different names; or
    one of them is no name.
    Do: set one of them, for example to shop-pr-17.
    """
    GENERATED_NAME: Final = "GeneratedName"
    """What has a unique name must itself be named by its author, not by generateName.
    Do: write metadata.name.
    """
    HOST_SKIPPED: Final = "HostSkipped"
    """The policy's template needs what the object does not have, so it got no host.
    Do: give the object a name, or its namespace the label dayfly.dev/environment.
    """
    CANNOT_VERIFY: Final = "CannotVerify"
    """The API server did not say in time whether the name or host is free, or whether the author
    may do to a namespace what Dayfly is asked to do.
    Do: retry; if it lasts, see the log of dayfly admission.
    """
    OVERLOADED: Final = "Overloaded"
    """More requests came at once than this replica of dayfly admission could answer in time.
    Do: retry; if it lasts, run more replicas.
    """

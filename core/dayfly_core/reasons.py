"""Why: every reason, and the condition types, once."""

from typing import Final


class Reason:
    """Why: the same word in the answer, the condition, the Event and the metric.

    Each says what it means and, after ``Do:``, what a person does about it;
    ``docs/reference/reasons.md`` is made from that.
    """

    # verdicts
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

    # what the operator does, or why it does not
    EXPIRED: Final = "Expired"
    """The end has come.
    Do: nothing; the object is being deleted.
    """
    DELETED: Final = "Deleted"
    """Dayfly deleted the object because its end had come.
    Do: nothing; apply it again if it is still needed.
    """
    CAUGHT_UP: Final = "CaughtUp"
    """The object existed without an end; now it has one, at least the policy's grace away.
    Do: extend it if it has to live longer.
    """
    HANDED_OVER: Final = "HandedOver"
    """The policy no longer covers the object; the next that matches decides now.
    Do: nothing; the label dayfly.dev/policy names the new one.
    """
    PROTECTED: Final = "Protected"
    """The end has come, but the object carries the label dayfly.dev/protected.
    Do: remove the label if the object may end.
    """
    MEMBERS_UNKNOWN: Final = "MembersUnknown"
    """The end of a namespace has come, but whether it holds something protected cannot be found
    out: for a kind that may be in it, something answers that is not the API server, or says that
    there is no such kind while discovery lists it. The namespace stays.
    Do: read the message; mend what answers for that kind (a proxy, kubectl get apiservices).
    """
    GUARDED: Final = "Guarded"
    """The end has come, but the namespace is guarded: kube-*, default, Dayfly's own or one that the
    ConfigMap dayfly-guard lists.
    Do: remove the object's annotations, or the namespace from the ConfigMap.
    """
    SUSPENDED: Final = "Suspended"
    """The policy is suspended and does nothing to its objects.
    Do: set spec.suspend to false to go on.
    """
    AUDIT_ONLY: Final = "AuditOnly"
    """The policy only reports (enforcement Audit).
    Do: set enforcement to Warn or Enforce to have ends set and kept.
    """
    NOT_DUE: Final = "NotDue"
    """The end lies in the future.
    Do: nothing.
    """
    INERT: Final = "Inert"
    """The object has an end, but no policy covers it any more: nothing happens.
    Do: delete the object yourself, or create a policy that matches it.
    """
    DELETION_FAILED: Final = "DeletionFailed"
    """The API server refused the deletion; Dayfly tries again, ever more slowly.
    Do: read the message: often a webhook or a missing right.
    """
    NAME_CONFLICT: Final = "NameConflict"
    """Two objects want one name or host; the older one has it, this one is left alone without.
    Do: change one of the two, or delete it.
    """

    # timelines, waking and stays
    WARNED: Final = "Warned"
    """A step of the policy's timeline tells what will happen to the object soon.
    Do: extend it if it is still needed: kubectl dayfly extend.
    """
    WARNING_WITHDRAWN: Final = "WarningWithdrawn"
    """The end that the object was warned of has been moved.
    Do: nothing.
    """
    SCALED_DOWN: Final = "ScaledDown"
    """The timeline of its policy, or a NamespaceManager, scaled the object, or what the namespace
    holds, to nothing.
    Do: kubectl dayfly wake, if it is still needed.
    """
    NOTHING_TO_SCALE: Final = "NothingToScale"
    """The policy's timeline scales down what has no replicas and cannot be suspended.
    Do: nothing; let the policy name Deployments, StatefulSets, CronJobs, Jobs or Namespaces.
    """
    CALL_PENDING: Final = "CallPending"
    """A webhook of the policy's timeline is noted on the object, and sent until it is delivered.
    Do: nothing.
    """
    WOKEN: Final = "Woken"
    """What was scaled down is back, because somebody asked for it.
    Do: nothing.
    """
    GRANTED: Final = "Granted"
    """The namespace stays as long as the Stay asks, or was woken as it asks.
    Do: nothing; the Stay's status says when the namespace ends.
    """
    NOTHING_TO_EXTEND: Final = "NothingToExtend"
    """The namespace of a Stay has no end that a policy has given it.
    Do: nothing; it stays. kubectl dayfly explain says which policy is for it.
    """
    NAMESPACE_ENDING: Final = "NamespaceEnding"
    """The namespace of a Stay is being deleted, which cannot be undone.
    Do: create it anew.
    """

    SCALED: Final = "Scaled"
    """Dayfly has changed how many replicas a workload has, or whether it is suspended or paused.
    Do: nothing; the annotation dayfly.dev/replicas says what it gets back when it is woken.
    """
    STEPS_GIVEN_UP: Final = "StepsGivenUp"
    """Steps of the policy's timeline failed so often on some objects that they are not tried again.
    Do: read the message; what they were to do is to be done by hand.
    """
    NO_STEP_GIVEN_UP: Final = "NoStepGivenUp"
    """No object of the policy carries a step that was given up (any more).
    Do: nothing.
    """
    NOT_RECORDED: Final = "NotRecorded"
    """The API server takes no note on the object of how far its steps are: its annotations are full
    (256 KiB), or a webhook or a missing right is in the way. The steps go on: it is remembered.
    Do: read the message. After a change of leader a webhook may be sent again, with the same id.
    """
    SCALING_FAILED: Final = "ScalingFailed"
    """The API server refused to have a workload scaled; Dayfly tries again.
    Do: read the message: often a webhook, a quota or a missing right.
    """

    # outgoing webhooks
    CALL_DELIVERED: Final = "CallDelivered"
    """The receiver of an outgoing webhook answered 2xx.
    Do: nothing.
    """
    CALL_FAILED: Final = "CallFailed"
    """The receiver of an outgoing webhook answered something else, or not at all, or the Secret to
    sign with could not be read; Dayfly calls again, ever more slowly.
    Do: read the message; see that the receiver runs and answers within ten seconds.
    """
    CALL_GIVEN_UP: Final = "CallGivenUp"
    """An outgoing webhook failed so often that Dayfly does not make the call any more.
    Do: have the receiver do by hand what it missed; the message says why the last attempt failed.
    """
    DESTINATION_FORBIDDEN: Final = "DestinationForbidden"
    """No outgoing webhook is sent to that URL, because of how it is written or where it leads.
    Do: correct the URL; or vouch for the address, by --webhook-allow of dayfly operator.
    """

    # the breaker
    BREAKER_OPEN: Final = "BreakerOpen"
    """Many objects of a policy would end at once and nobody has announced it: a policy was changed,
    or found them. They are left alone; ends that their authors know of go on.
    Do: look with dayfly breaker show; correct the policy, or confirm with dayfly breaker reset.
    """
    BREAKER_CLOSED: Final = "BreakerClosed"
    """Somebody has confirmed the ends that the breaker held back, or none of them is left.
    Do: nothing.
    """

    # Helm releases
    RELEASE_ENDED: Final = "ReleaseEnded"
    """A Helm release ended as one: the objects of its manifest, then what Helm had stored of it.
    Do: nothing; helm install it again if it is still needed.
    """
    RELEASE_WAITS: Final = "ReleaseWaits"
    """The object's end has come, but another object of its Helm release ends later, or Helm is at
    work on it; the release ends as one.
    Do: nothing, or extend or delete the object that the message names.
    """
    RELEASE_BLOCKED: Final = "ReleaseBlocked"
    """The Helm release does not end, because an object in it may not.
    Do: what the message says about the object that it names; it is looked at again each minute.
    """
    RELEASE_FOREIGN: Final = "ReleaseForeign"
    """An object that the release's manifest lists is not the release's own, or not its alone.
    Do: take it out of the chart, or let helm upgrade take it over with --take-ownership.
    """
    RELEASE_OUT_OF_REACH: Final = "ReleaseOutOfReach"
    """The end of a member has come, and its release is stored in a namespace that the member's
    policy does not select: the rest of it is none of that policy's business.
    Do: let the policy select that namespace too, or take the object out of the chart.
    """
    RELEASE_NOT_STORED: Final = "ReleaseNotStored"
    """The object says it is of a Helm release, but no Secret holds such a release: it is stored by
    another driver (ConfigMap, SQL), or has been uninstalled.
    Do: helm uninstall it where it is known, or set spec.unit of the policy to Object.
    """
    RELEASE_UNREADABLE: Final = "ReleaseUnreadable"
    """What Helm has stored of the release cannot be read.
    Do: look at helm get manifest; helm upgrade writes it anew.
    """

    # Ephemerators and NamespaceManagers
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

    # conditions of an ExpiryPolicy
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


class Condition:
    """Condition types of our kinds."""

    READY: Final = "Ready"
    ENFORCEABLE: Final = "Enforceable"
    STUCK: Final = "Stuck"
    STEPS_GIVEN_UP: Final = "StepsGivenUp"
    RELEASE_BLOCKED: Final = "ReleaseBlocked"
    GRANTED: Final = "Granted"
    BREAKER_OPEN: Final = "BreakerOpen"
    WITHHELD: Final = "Withheld"

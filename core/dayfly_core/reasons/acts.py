"""Why the operator acts, or does not."""

from typing import Final


class EndReason:
    """What the operator does, or why it does not."""

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
    REQUEST_FAILS: Final = "RequestFails"
    """What has to be asked or written before anything can be done about the object has failed again
    and again, for some ten seconds; it goes on being tried.
    Do: read the message; if it is one kind only that fails, its aggregated API server is broken
    (kubectl get apiservices).
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


class TimelineReason:
    """Timelines, waking and stays."""

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
    NOT_STAMPED: Final = "NotStamped"
    """The API server does not take the stamp, so the object has no end: its annotations are full,
    or a webhook or a missing right is in the way. It is tried again, at least each five minutes.
    Do: what the message says; often to make the annotations smaller.
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


class WebhookReason:
    """Outgoing webhooks."""

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


class BreakerReason:
    """The breaker."""

    BREAKER_OPEN: Final = "BreakerOpen"
    """Many objects of a policy would end at once and nobody has announced it: a policy was changed,
    or found them. They are left alone; ends that their authors know of go on.
    Do: look with dayfly breaker show; correct the policy, or confirm with dayfly breaker reset.
    """
    BREAKER_CLOSED: Final = "BreakerClosed"
    """Somebody has confirmed the ends that the breaker held back, or none of them is left.
    Do: nothing.
    """


class ReleaseReason:
    """Helm releases."""

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
    Do: what the message says about the object that it names; it is looked at again after 5 s,
    then ever more seldom, up to each minute.
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
    Do: helm uninstall it; where Helm cannot read it either, delete that Secret and what the release
    has made by hand.
    """

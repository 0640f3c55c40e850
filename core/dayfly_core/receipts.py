"""What kubectl and Helm print when an end is set or moved, or a host given: one fact a line."""

from datetime import datetime, timedelta
from typing import Final

from dayfly_core import duration, instant, names
from dayfly_core.api import Receipts, Unit
from dayfly_core.helm.marks import RESOURCE_POLICY, release_of, stays
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policy
from dayfly_core.request import Request
from dayfly_core.violations import Violation
from dayfly_core.wish import Wish, read

WIDTH: Final = 120
"""Characters of one ``Warning`` that the API server asks webhooks to keep to."""

_SYSTEM_USERS: Final = ("system:serviceaccount:kube-system:", "system:kube-", "system:node:")
_EXAMPLE: Final = timedelta(hours=8)


def receipts(
    request: Request, policy: Policy, namespace: ObjectMeta | None, now: datetime
) -> tuple[str, ...]:
    """Say when the object ends, with what, what ends it earlier, its host, how to move the end.

    Nothing for machines, nothing if nothing changed, nothing about an end that is not stamped.
    """
    wish = read(request.meta)
    if policy.receipts is Receipts.NEVER or not changed(request):
        return ()
    if is_machine(request.username):
        return ()
    host = _host(request)
    if request.meta.protected:
        return (line(f"{_subject(request)} is protected: Dayfly does not end it"), *host)
    if wish.at is None:
        return (line(f"{_subject(request)} never ends, by ExpiryPolicy {policy.name}"), *host)
    around = _around(namespace, wish.at, now) if request.namespaced and namespace else ""
    lines = _end(request, policy, wish.at, now), _release(request.meta, policy), around
    asleep = _asleep(request)
    return (*(text for text in lines if text), *asleep, *host, _extend(request, policy, wish))


def is_machine(username: str) -> bool:
    """Whether it is a part of the control plane: nobody reads what it is told."""
    return username.startswith(_SYSTEM_USERS)


def changed(request: Request) -> bool:
    """Whether the request gives a stamped object an end, moves it or takes it away."""
    after = read(request.meta)
    if names.POLICY not in request.meta.label_map or not (after.at or after.never):
        return False
    if request.stored is None:
        return True
    before = read(request.stored)
    fresh = names.POLICY not in request.stored.label_map
    return fresh or before.at_text != after.at_text or before.never != after.never


def warning(violation: Violation) -> str:
    """Word a violation for a policy that only warns."""
    key = violation.field.removeprefix("metadata.annotations[").removesuffix("]")
    return line(f"{key}: {violation.detail}")


def line(text: str) -> str:
    """Cut a fact to one warning."""
    return text if len(text) <= WIDTH else text[: WIDTH - 3] + "..."


def fitted(subject: str, fact: str) -> str:
    """Put a fact into one warning, to which a long name of what it is about gives way."""
    room = max(WIDTH - len(fact), 16)
    return line((subject if len(subject) <= room else subject[: room - 3] + "...") + fact)


def of_host(host: str) -> str:
    """Say which host an object has."""
    return line(f"its host is {host}")


def _end(request: Request, policy: Policy, at: datetime, now: datetime) -> str:
    ends = f" ends {when(at, now)}, by ExpiryPolicy {policy.name}"
    return fitted(_subject(request), ends)


def _release(meta: ObjectMeta, policy: Policy) -> str:
    ref = release_of(meta) if policy.unit is Unit.RELEASE else None
    if ref is None:
        return ""
    if stays(meta.annotation_map):
        return fitted(f"Helm release {ref}", f" ends without it: {RESOURCE_POLICY} keeps it")
    return fitted(f"Helm release {ref}", " ends as one, with its last object; hooks are not run")


def _around(namespace: ObjectMeta, at: datetime, now: datetime) -> str:
    end = read(namespace).at if names.POLICY in namespace.label_map else None
    if end is None or end >= at or namespace.protected:
        return ""
    return line(f"before that its namespace ends, {when(end, now)}, and all in it")


def _host(request: Request) -> tuple[str, ...]:
    host = request.meta.annotation_map.get(names.HOST)
    told = request.stored is not None and request.stored.annotation_map.get(names.HOST) == host
    return () if host is None or told else (of_host(host),)


def _asleep(request: Request) -> tuple[str, ...]:
    """Say how what was restored at 0 replicas comes back."""
    if request.stored is not None or names.SCALED_BY not in request.meta.annotation_map:
        return ()
    says = "was scaled down when it was copied; to wake it: kubectl dayfly wake"
    text = f"{says} {_target(request)}"
    return (text if len(text) <= WIDTH else f"{says} KIND/NAME -n NAMESPACE",)


def _extend(request: Request, policy: Policy, wish: Wish) -> str:
    life = duration.render(wish.ttl or policy.default or _EXAMPLE)
    text = f"to extend: kubectl dayfly extend {_target(request)} {life}"
    return (
        text if len(text) <= WIDTH else "to extend: kubectl dayfly extend KIND/NAME -n NAMESPACE 8h"
    )


def _target(request: Request) -> str:
    """Name the object as our commands want it."""
    inside = f" -n {request.namespace}" if request.namespaced else ""
    return f"{request.kind.lower()}/{_name(request)}{inside}"


def _subject(request: Request) -> str:
    inside = f"{request.namespace}/" if request.namespaced else ""
    return f"{request.kind.lower()} {inside}{_name(request)}"


def _name(request: Request) -> str:
    return request.name or request.meta.name or f"{request.meta.generate_name}..."


def when(at: datetime, now: datetime) -> str:
    """Write an instant, and how far off it is."""
    left = f"in {duration.render_left(at - now)}" if at > now else "now"
    return f"{instant.render(at.replace(microsecond=0))} ({left})"

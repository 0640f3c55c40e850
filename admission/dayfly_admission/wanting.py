"""Which names and hosts a request newly asks for, and for whom; what it had before stays out."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from dayfly_admission.review import UNDECODABLE, Circumstances, Review, User
from dayfly_core import claimants, names, selectors
from dayfly_core.api import Holder, KeyKind, LabelSelector
from dayfly_core.claim_steps import Act
from dayfly_core.claimants import Demand, Demands, HTTPRouteSpec, IngressSpec
from dayfly_core.objects import HTTP_ROUTES, INGRESSES, NAMESPACES, ObjectMeta, is_segment
from dayfly_core.policies import GroupResource
from dayfly_core.possession import NAMESPACE, listed
from dayfly_core.reasons import Reason
from dayfly_core.request import Operation, Request
from dayfly_core.violations import Violation

INGRESS: Final[GroupResource] = INGRESSES.pair
ROUTE: Final[GroupResource] = HTTP_ROUTES.pair

GENERATED: Final = (
    "makes another Namespace with each attempt, but an environment is only one; "
    "write metadata.name instead"
)


class Unreadable(ValueError):
    """What is asked for cannot be told: no API server writes such a review."""


class Want(NamedTuple):
    """Names for one holder."""

    demands: tuple[Demand, ...]
    holder: Holder
    act: Act


class Wanted(NamedTuple):
    """All that one request newly asks for, who asks, and what nobody could have."""

    wants: tuple[Want, ...]
    violations: tuple[Violation, ...]
    user: User
    dry_run: bool


def wanted(
    review: Review, request: Request, namespace: ObjectMeta | None, opted: LabelSelector | None
) -> Wanted | None:
    """Return what is asked for, None if nothing is; ``opted``: whose Ingresses claim.

    Raises ``Unreadable``.
    """
    itself, routed = _asks_itself(request), _asks_for_namespace(request, namespace, opted)
    if not (itself or routed):
        return None
    around = review.circumstances
    if around is None or (itself and not request.meta.uid):
        raise Unreadable
    if not is_segment(around.resource.version):
        raise Unreadable
    kind = request.group_resource
    own_now, own_before = _own(kind, request.meta), _own(kind, request.old)
    found = [(_fresh(own_now, own_before), _itself(request, around))]
    if routed and namespace:
        fresh = _fresh(*_routed(request, around))
        found.append((claimants.bounded(fresh), _around(namespace)))
    return _wanted(request, found, around)


def _wanted(
    request: Request, found: list[tuple[Demands, Holder]], around: Circumstances
) -> Wanted | None:
    act = Act.CREATE if request.operation is Operation.CREATE else Act.UPDATE
    acts = (act, Act.INSIDE)
    wants = [
        Want(demands.demands, holder, each)
        for (demands, holder), each in zip(found, acts, strict=False)
    ]
    violations = [
        *(v for demands, _ in found for v in demands.violations),
        *_generated(request, found),
    ]
    wants = [want for want in wants if want.demands]
    if not (wants or violations):
        return None
    return Wanted(tuple(wants), tuple(violations), around.user_info, bool(around.dry_run))


# What asks at all: cheap, for it is asked of every request.


def _asks_itself(request: Request) -> bool:
    if names.HOST in request.meta.annotation_map and names.POLICY in request.meta.label_map:
        return True
    labels = request.meta.label_map
    return request.group_resource == NAMESPACE and any(
        label in labels for label in names.ENVIRONMENT_LABELS
    )


def _asks_for_namespace(
    request: Request, namespace: ObjectMeta | None, opted: LabelSelector | None
) -> bool:
    if opted is None or namespace is None or request.meta.controlled:
        return False
    if request.group_resource not in (INGRESS, ROUTE):
        return False
    return selectors.matches(opted, namespace.label_map)


# What it asks for.


def _own(kind: GroupResource, meta: ObjectMeta | None) -> Demands:
    return listed(kind, meta) if meta else Demands()


def _routed(request: Request, around: Circumstances) -> tuple[Demands, Demands]:
    """Return what its namespace claims of the hosts of an Ingress now, and what it had before."""
    specs = [part.spec if part else msgspec.Raw(b"") for part in (around.object, around.old_object)]
    now, before = (_hosts(request.group_resource, spec) for spec in specs)
    if request.old and request.old.controlled:
        before = Demands()  # let go by its controller: from now on it claims
    return claimants.of_namespace(request.meta, now), before


def _hosts(kind: GroupResource, spec: msgspec.Raw) -> Demands:
    if not bytes(spec):
        return Demands()
    try:
        if kind == INGRESS:
            return claimants.ingress_hosts(msgspec.json.decode(spec, type=IngressSpec))
        return claimants.route_hosts(msgspec.json.decode(spec, type=HTTPRouteSpec))
    except UNDECODABLE as error:
        raise Unreadable from error


def _fresh(new: Demands, old: Demands) -> Demands:
    """Keep what is new: what was wrong or taken before is no reason to refuse another change."""
    had = {demand.key for demand in old.demands}
    wrong = {(violation.reason, violation.value) for violation in old.violations}
    return Demands(
        tuple(demand for demand in new.demands if demand.key not in had),
        tuple(v for v in new.violations if (v.reason, v.value) not in wrong),
    )


def _generated(request: Request, found: Iterable[tuple[Demands, Holder]]) -> list[Violation]:
    environments = any(
        demand.key.kind is KeyKind.ENVIRONMENT for demands, _ in found for demand in demands.demands
    )
    generated = request.meta.generate_name
    if not (environments and generated and request.operation is Operation.CREATE):
        return []
    return [Violation(Reason.GENERATED_NAME, "metadata.generateName", generated, GENERATED)]


# For whom.


def _itself(request: Request, around: Circumstances) -> Holder:
    return Holder(
        group=request.group,
        version=around.resource.version,
        resource=request.plural,
        kind=request.kind,
        namespace=request.namespace,
        name=request.name,
        uid=request.meta.uid,
    )


def _around(namespace: ObjectMeta) -> Holder:
    return Holder(
        group=NAMESPACES.group,
        version=NAMESPACES.version,
        resource=NAMESPACES.plural,
        kind=NAMESPACES.kind,
        name=namespace.name,
        uid=namespace.uid,
    )

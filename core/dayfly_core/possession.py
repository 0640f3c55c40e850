"""Whether an object has a name: it lists it itself, or is a namespace in which something does.

The one rule for admission, which asks whether a name is free, and the operator, which asks whose
the claim shall be: what one of the two took for a holder and the other did not, both would give
away.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from dayfly_core import selectors
from dayfly_core.api import KeyKind, LabelSelector
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claimants import (
    Demands,
    HTTPRouteSpec,
    IngressRule,
    IngressSpec,
    IngressTLS,
    environment_of,
    ingress_hosts,
    of_namespace,
    route_hosts,
    stamped_host_of,
)
from dayfly_core.objects import NAMESPACES, ObjectMeta
from dayfly_core.policies import GroupResource

NAMESPACE: Final[GroupResource] = NAMESPACES.pair


class RouteSpec(msgspec.Struct, frozen=True):
    """``spec`` of either kind, as far as it names hosts: no field means two things."""

    rules: list[IngressRule] | None = None
    tls: list[IngressTLS] | None = None
    hostnames: list[str] | None = None


class RouteObject(msgspec.Struct, frozen=True):
    """An Ingress or HTTPRoute."""

    metadata: ObjectMeta = ObjectMeta()
    spec: RouteSpec | None = None


class RouteList(msgspec.Struct, frozen=True):
    """``IngressList`` or ``HTTPRouteList``; an empty one says ``null``."""

    kind: str = ""
    items: list[RouteObject] | None = None


def listed(kind: GroupResource, meta: ObjectMeta) -> Demands:
    """Return what an object's own metadata lists: the environment that it is, and its host."""
    host = stamped_host_of(meta)
    if kind != NAMESPACE:
        return host
    environment = environment_of(meta)
    return Demands(environment.demands + host.demands, environment.violations + host.violations)


def routed(route: RouteObject) -> Demands:
    """Return the hosts of an Ingress or HTTPRoute that its namespace has."""
    if route.spec is None:
        return Demands()
    ingress = ingress_hosts(IngressSpec(rules=route.spec.rules, tls=route.spec.tls))
    hosts = route_hosts(HTTPRouteSpec(hostnames=route.spec.hostnames))
    return of_namespace(route.metadata, Demands(ingress.demands + hosts.demands))


def has(
    kind: GroupResource, meta: ObjectMeta, key: ClaimKey, routes: Iterable[RouteObject] = ()
) -> bool:
    """Whether an object has the key; ``routes``: those in it, where :func:`by_routes` says so."""
    return _among(listed(kind, meta), key) or any(_among(routed(route), key) for route in routes)


def by_routes(
    kind: GroupResource, meta: ObjectMeta, key: ClaimKey, opted: LabelSelector | None
) -> bool:
    """Whether an object may have the key by what is routed in it; ``opted``: which namespaces."""
    if kind != NAMESPACE or key.kind is not KeyKind.HOST or opted is None:
        return False
    return selectors.matches(opted, meta.label_map)


def _among(demands: Demands, key: ClaimKey) -> bool:
    return any(demand.key == key for demand in demands.demands)

"""Kinds that the fake API server serves, and what it answers to discovery."""

from collections.abc import Iterable, Mapping, Sequence

from dayfly_core.objects import (
    CRON_JOBS,
    DEPLOYMENTS,
    EXPIRY_POLICIES,
    HTTP_ROUTES,
    INGRESSES,
    NAME_CLAIMS,
    NAMESPACES,
    SCALED_OBJECTS,
    STATEFUL_SETS,
    STAYS,
    Resource,
)
from support.fake_store import Json, Refused

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
SECRETS = Resource("", "v1", "secrets", "Secret", namespaced=True)
RESOURCES = (
    NAMESPACES,
    EXPIRY_POLICIES,
    NAME_CLAIMS,
    INGRESSES,
    HTTP_ROUTES,
    CONFIG_MAPS,
    SECRETS,
    Resource("", "v1", "pods", "Pod", namespaced=True),
    Resource("", "v1", "services", "Service", namespaced=True),
    DEPLOYMENTS,
    STATEFUL_SETS,
    CRON_JOBS,
    SCALED_OBJECTS,
    STAYS,
    Resource("batch", "v1", "jobs", "Job", namespaced=True),
    Resource("coordination.k8s.io", "v1", "leases", "Lease", namespaced=True),
    Resource("events.k8s.io", "v1", "events", "Event", namespaced=True),
    Resource(
        "admissionregistration.k8s.io",
        "v1",
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        namespaced=False,
    ),
    Resource(
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        namespaced=False,
    ),
)


VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


def discover(
    path: str, resources: Sequence[Resource], verbs: Mapping[Resource, list[str]]
) -> Json | None:
    """Answer ``/api/v1``, ``/apis`` and what is below; None if the path is of objects."""
    parts = path.strip("/").split("/")
    if parts == ["api"]:
        return {"kind": "APIVersions", "versions": ["v1"]}
    if parts == ["api", "v1"]:
        return _listed("v1", [r for r in resources if not r.group], verbs)
    if parts[0] != "apis" or len(parts) > 3:
        return None
    groups = _groups(resources)
    if len(parts) == 1:
        return {"kind": "APIGroupList", "groups": list(groups.values())}
    if parts[1] not in groups:
        raise Refused(404, "NotFound", "the server could not find the requested resource")
    if len(parts) == 2:
        return groups[parts[1]]
    served = [r for r in resources if [r.group, r.version] == parts[1:]]
    return _listed("/".join(parts[1:]), served, verbs)


def _listed(
    version: str, resources: Iterable[Resource], verbs: Mapping[Resource, list[str]]
) -> Json:
    listed = [
        {
            "name": resource.plural,
            "singularName": resource.kind.lower(),
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": verbs.get(resource, VERBS),
        }
        for resource in resources
    ]
    return {"kind": "APIResourceList", "groupVersion": version, "resources": listed}


def _groups(resources: Iterable[Resource]) -> dict[str, Json]:
    groups: dict[str, Json] = {}
    for resource in filter(lambda each: each.group, resources):
        served = {"groupVersion": resource.api_version, "version": resource.version}
        head: Json = {"name": resource.group, "kind": "APIGroup", "preferredVersion": served}
        group = groups.setdefault(resource.group, head | {"versions": []})
        if served not in group["versions"]:
            group["versions"].append(served)
    return groups

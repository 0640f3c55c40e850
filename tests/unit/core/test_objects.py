import msgspec
import pytest

from dayfly_core.objects import (
    NAMESPACES,
    Key,
    ObjectMeta,
    PartialObject,
    Resource,
    is_segment,
)

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", namespaced=True)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
CLUSTER_ROLES = Resource(
    "rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False
)


@pytest.mark.parametrize(
    ("path", "want"),
    [
        pytest.param(
            DEPLOYMENTS.path("team-a", "web"),
            "/apis/apps/v1/namespaces/team-a/deployments/web",
            id="one object in a namespace",
        ),
        pytest.param(DEPLOYMENTS.path(), "/apis/apps/v1/deployments", id="all namespaces"),
        pytest.param(
            CONFIG_MAPS.path("team-a"), "/api/v1/namespaces/team-a/configmaps", id="the core group"
        ),
        pytest.param(NAMESPACES.path("", "team-a"), "/api/v1/namespaces/team-a", id="no namespace"),
        pytest.param(
            CLUSTER_ROLES.path("", "system:a?b#c d"),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:a%3Fb%23c%20d",
            id="a name that no DNS name can be",
        ),
        pytest.param(
            CLUSTER_ROLES.path("", "ü\n"),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/%C3%BC%0A",
            id="a name that is not printable",
        ),
    ],
)
def test_paths(path: str, want: str) -> None:
    assert path == want


@pytest.mark.parametrize(
    ("name", "want"),
    [
        pytest.param("system:node.a_b-c", True, id="a plain name"),
        pytest.param("a?b", True, id="a name that has to be quoted"),
        pytest.param("...", True, id="three dots"),
        pytest.param("", True, id="no name yet"),
        pytest.param(".", False, id="a dot"),
        pytest.param("..", False, id="two dots"),
        pytest.param("a/b", False, id="a slash"),
        pytest.param("a%2Fb", False, id="a slash in disguise"),
    ],
)
def test_what_can_be_one_step_of_a_path(name: str, want: bool) -> None:
    assert is_segment(name) is want


@pytest.mark.parametrize(
    ("resource", "group_resource", "api_version"),
    [
        pytest.param(DEPLOYMENTS, "deployments.apps", "apps/v1", id="a named group"),
        pytest.param(CONFIG_MAPS, "configmaps", "v1", id="the core group"),
    ],
)
def test_how_kubectl_writes_a_kind(
    resource: Resource, group_resource: str, api_version: str
) -> None:
    assert (resource.group_resource, resource.api_version) == (group_resource, api_version)


@pytest.mark.parametrize(
    ("key", "want"),
    [
        pytest.param(Key(DEPLOYMENTS, "team-a", "web"), "deployments.apps/team-a/web", id="in one"),
        pytest.param(Key(NAMESPACES, "", "team-a"), "namespaces/team-a", id="cluster-scoped"),
    ],
)
def test_keys_read_well(key: Key, want: str) -> None:
    assert str(key) == want


def test_metadata_with_nothing_in_it() -> None:
    meta = ObjectMeta()
    assert (meta.label_map, meta.annotation_map) == ({}, {})
    assert not meta.controlled
    assert not meta.protected


def test_what_is_read_of_an_object() -> None:
    body = b"""{"kind": "ReplicaSet", "spec": {"replicas": 1}, "metadata": {
        "name": "web-1", "generation": 3, "managedFields": [],
        "labels": {"dayfly.dev/protected": "true"},
        "ownerReferences": [{"kind": "A"}, {"kind": "Deployment", "controller": true}]}}"""
    meta = msgspec.json.decode(body, type=PartialObject).metadata
    assert (meta.name, meta.generation) == ("web-1", 3)
    assert meta.controlled
    assert meta.protected

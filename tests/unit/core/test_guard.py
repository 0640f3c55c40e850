import pytest

from dayfly_core.guard import Guard, furniture
from dayfly_core.objects import NAMESPACES, Resource

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)
WIDGETS = Resource("example.com", "v1", "widgets", "Widget", namespaced=False)

GUARD = Guard.parse("dayfly-system", {"namespaces": "# ours\nprod-*\n\n  payments  # audited\n"})


@pytest.mark.parametrize(
    ("name", "want"),
    [
        pytest.param("default", True, id="default is always guarded"),
        pytest.param("kube-system", True, id="kube-* is always guarded"),
        pytest.param("dayfly-system", True, id="so is Dayfly's own"),
        pytest.param("prod-eu", True, id="a prefix from the ConfigMap"),
        pytest.param("payments", True, id="a name from the ConfigMap"),
        pytest.param("payments-2", False, id="a name is not a prefix"),
        pytest.param("prod", False, id="a prefix is not shorter than itself"),
        pytest.param("kubernetes", False, id="kube-* has a dash"),
        pytest.param("team-a", False, id="anything else may end"),
    ],
)
def test_guarded_namespaces(name: str, want: bool) -> None:
    assert GUARD.guarded_namespace(name) is want
    assert (GUARD.refuses(NAMESPACES, "", name) is not None) is want


@pytest.mark.parametrize(
    ("resource", "namespace", "want"),
    [
        pytest.param(CONFIG_MAPS, "team-a", None, id="an ordinary object may end"),
        pytest.param(CONFIG_MAPS, "default", None, id="what is tried out in default may end"),
        pytest.param(
            CONFIG_MAPS,
            "kube-system",
            "objects in namespace kube-system are guarded and never ended",
            id="nothing in kube-* ends",
        ),
        pytest.param(
            CONFIG_MAPS,
            "dayfly-system",
            "objects in namespace dayfly-system are guarded and never ended",
            id="nothing of Dayfly's own ends",
        ),
        pytest.param(
            CONFIG_MAPS,
            "prod-eu",
            "objects in namespace prod-eu are guarded and never ended",
            id="nothing in a namespace from the ConfigMap ends",
        ),
        pytest.param(WIDGETS, "", None, id="a cluster-scoped object may end"),
        pytest.param(NODES, "", "nodes are never ended", id="a node never ends"),
        pytest.param(
            ROLES,
            "",
            "clusterroles.rbac.authorization.k8s.io are never ended",
            id="rights never end",
        ),
    ],
)
def test_objects(resource: Resource, namespace: str, want: str | None) -> None:
    assert GUARD.refuses(resource, namespace, "x") == want


def kind(plural: str, group: str = "", *, namespaced: bool = False) -> Resource:
    return Resource(group, "v1", plural, "X", namespaced=namespaced)


@pytest.mark.parametrize(
    ("resource", "namespace", "want"),
    [
        pytest.param(CONFIG_MAPS, "team-a", None, id="an ordinary object ends with it"),
        pytest.param(ROLES, "", None, id="so do the rights that it brought"),
        pytest.param(NAMESPACES, "", None, id="and a namespace"),
        pytest.param(
            CONFIG_MAPS,
            "prod-eu",
            "objects in namespace prod-eu are guarded and never ended",
            id="nothing in a guarded namespace",
        ),
        *(
            pytest.param(
                resource,
                "",
                f"{resource.group_resource} are never ended, not with a release either",
                id=f"never {resource.plural}",
            )
            for resource in (
                NODES,
                kind("events"),
                kind("persistentvolumes"),
                kind("customresourcedefinitions", "apiextensions.k8s.io"),
                kind("expirypolicies", "dayfly.dev"),
            )
        ),
    ],
)
def test_objects_of_a_release(resource: Resource, namespace: str, want: str | None) -> None:
    assert GUARD.refuses_in_release(resource, namespace, "x") == want


def test_a_guarded_namespace_does_not_end_with_a_release_either() -> None:
    said = GUARD.refuses_in_release(NAMESPACES, "", "prod-eu")
    assert said == "namespace prod-eu is guarded and never ended"


@pytest.mark.parametrize(
    ("written", "want"),
    [
        pytest.param({}, ("kube-*", "default"), id="an empty ConfigMap guards the usual"),
        pytest.param(
            {"namespaces": "default\nkube-*\n"}, ("kube-*", "default"), id="each pattern once"
        ),
        pytest.param(
            {"namespaces": "a*b"}, ("kube-*", "default", "a*"), id="a star inside guards more"
        ),
        pytest.param({"namespaces": "*"}, ("kube-*", "default", "*"), id="a star guards all"),
    ],
)
def test_patterns(written: dict[str, str], want: tuple[str, ...]) -> None:
    assert Guard.parse("dayfly-system", written).patterns == want


@pytest.mark.parametrize(
    ("plural", "namespace", "name", "want"),
    [
        pytest.param("configmaps", "a", "kube-root-ca.crt", True, id="the CA in every namespace"),
        pytest.param("configmaps", "a", "openshift-service-ca.crt", True, id="that of OpenShift"),
        pytest.param("configmaps", "a", "settings", False, id="a ConfigMap of a user"),
        pytest.param("serviceaccounts", "a", "default", True, id="the account of every namespace"),
        pytest.param("services", "default", "kubernetes", True, id="the API server's own Service"),
        pytest.param("services", "a", "kubernetes", False, id="a user's Service of that name"),
    ],
)
def test_the_control_planes_own_objects(plural: str, namespace: str, name: str, want: bool) -> None:
    resource = Resource("", "v1", plural, "X", namespaced=True)
    assert furniture("", plural, namespace, name) is want
    assert (GUARD.refuses(resource, namespace, name) is not None) is want
    assert (GUARD.refuses_in_release(resource, namespace, name) is not None) is want

"""Which kinds are served, over real HTTP."""

import pytest

from dayfly_core.objects import EXPIRY_POLICIES, Resource
from dayfly_kube.client import Client
from dayfly_kube.discovery import Discovery, Group, GroupVersion, preference
from dayfly_kube.errors import ApiError
from support.fake_api import RESOURCES, FakeApi, Fault

WIDGETS = [
    Resource("example.io", version, "widgets", "Widget", namespaced=True)
    for version in ("v1beta1", "v1")
]
GADGETS = Resource("example.io", "v1", "gadgets", "Gadget", namespaced=True)


@pytest.mark.parametrize(
    ("group", "plural", "want"),
    [
        pytest.param("", "configmaps", "v1/ConfigMap", id="the core group"),
        pytest.param("apps", "deployments", "apps/v1/Deployment", id="a named group"),
        pytest.param("example.io", "widgets", "example.io/v1beta1/Widget", id="preferred version"),
        pytest.param("example.io", "gadgets", "example.io/v1/Gadget", id="only in another version"),
        pytest.param("apps", "widgets", None, id="a kind that the group does not have"),
        pytest.param("no.such.group", "widgets", None, id="a group that is not there"),
        pytest.param("", "pods/log", None, id="a subresource"),
    ],
)
async def test_find(group: str, plural: str, want: str | None) -> None:
    async with (
        FakeApi([*RESOURCES, *WIDGETS, GADGETS]) as api,
        Client(api.config(), user_agent="test") as client,
    ):
        found = await Discovery(client).find(group, plural)
        assert (found and f"{found.api_version}/{found.kind}") == want


@pytest.mark.parametrize(
    ("group", "version", "kind", "want"),
    [
        pytest.param("", "v1", "ConfigMap", "v1/configmaps", id="the core group"),
        pytest.param("apps", "v1", "Deployment", "apps/v1/deployments", id="a named group"),
        pytest.param(
            "example.io",
            "v1",
            "Widget",
            "example.io/v1beta1/widgets",
            id="in the version that the server prefers",
        ),
        pytest.param(
            "example.io",
            "v1alpha1",
            "Gadget",
            "example.io/v1/gadgets",
            id="written in a version that is no longer served",
        ),
        pytest.param("apps", "v1", "Widget", None, id="a kind that the group does not have"),
        pytest.param("no.such.group", "v1", "Widget", None, id="a group that is not there"),
    ],
)
async def test_the_kind_that_a_manifest_names(
    group: str, version: str, kind: str, want: str | None
) -> None:
    async with (
        FakeApi([*RESOURCES, *WIDGETS, GADGETS]) as api,
        Client(api.config(), user_agent="test") as client,
    ):
        discovery = Discovery(client)
        found = await discovery.of_kind(group, version, kind)
        assert (found and f"{found.api_version}/{found.plural}") == want
        asked = len(api.requests)
        assert await discovery.of_kind(group, version, kind) == found
        assert (len(api.requests) == asked) is (want is not None)


async def test_what_was_found_is_remembered_what_was_not_is_not() -> None:
    async with FakeApi([]) as api, Client(api.config(), user_agent="test") as client:
        discovery = Discovery(client)
        assert await discovery.find("dayfly.dev", "expirypolicies") is None
        api.resources = [EXPIRY_POLICIES]
        assert await discovery.find("dayfly.dev", "expirypolicies") == EXPIRY_POLICIES
        asked = len(api.requests)
        assert await discovery.find("dayfly.dev", "expirypolicies") == EXPIRY_POLICIES
        assert len(api.requests) == asked
        api.resources = []
        discovery.forget("dayfly.dev", "expirypolicies")
        assert await discovery.find("dayfly.dev", "expirypolicies") is None


async def test_verbs() -> None:
    async with FakeApi([EXPIRY_POLICIES]) as api, Client(api.config(), user_agent="test") as client:
        api.verbs[EXPIRY_POLICIES] = ["get", "list"]
        discovery = Discovery(client)
        assert await discovery.verbs("dayfly.dev", "expirypolicies") == {"get", "list"}
        assert await discovery.verbs("dayfly.dev", "others") == frozenset()


async def test_not_knowing_is_not_the_same_as_not_being_there() -> None:
    async with FakeApi() as api, Client(api.config(), user_agent="test") as client:
        api.fault(Fault("status", code=503))
        with pytest.raises(ApiError):
            await Discovery(client).find("apps", "deployments")


def test_the_preferred_version_comes_first() -> None:
    versions = [GroupVersion("v2"), GroupVersion("v1"), GroupVersion("v1beta1")]
    assert preference(Group(preferred_version=versions[1], versions=versions)) == [
        "v1",
        "v2",
        "v1beta1",
    ]

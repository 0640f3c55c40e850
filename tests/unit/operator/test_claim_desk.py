"""Whether who has a name is there and has it still, as the operator asks it."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from dayfly_core import names
from dayfly_core.api import LabelSelector
from dayfly_core.claim_steps import Presence
from dayfly_core.objects import HTTP_ROUTES, INGRESSES, NAMESPACES, Resource
from dayfly_kube.errors import ApiError, Status, StatusDetails, Unproven
from dayfly_operator.naming.claim_desk import ClaimDesk
from support.claim_values import a_namespace, host
from support.claim_world import a_holder

WEB = host("web.example")
THINGS = Resource("", "v2", "things", "Thing", namespaced=True)
OBJECT = a_holder("web", "uid-web", namespace="x")
PATH, SPACE = "/api/v2/namespaces/x/things/web", "/api/v1/namespaces/x"
ROUTED = INGRESSES.path("x")

ABSENT = ApiError(Status(404, "NotFound", details=StatusDetails(name="web")))
UNSERVED = ApiError(Status(404, "NotFound"))


@dataclass
class Cluster:
    """Client, writer and finder in one: what is behind each path, and which kinds are served."""

    bodies: dict[str, Any]
    kinds: tuple[Resource, ...] = (NAMESPACES, THINGS)
    forgotten: list[str] = field(default_factory=list[str])

    async def get(self, path: str, *, metadata_only: bool = False) -> bytes:
        found = self.bodies[path]
        if isinstance(found, ApiError):
            raise found
        return msgspec.json.encode(found)

    async def get_list(self, path: str) -> bytes:
        return await self.get(path)

    async def find(self, group: str, plural: str) -> Resource | None:
        return next(
            (kind for kind in self.kinds if (kind.group, kind.plural) == (group, plural)), None
        )

    def forget(self, group: str, plural: str) -> None:
        self.forgotten.append(plural)

    async def create(self, path: str, body: object) -> bytes:
        raise AssertionError("finding writes nothing")

    async def merge_patch(self, path: str, body: object) -> bytes:
        raise AssertionError("finding writes nothing")

    async def delete(self, path: str, *, uid: str, resource_version: str) -> bytes:
        raise AssertionError("finding writes nothing")


def desk(cluster: Cluster) -> ClaimDesk:
    return ClaimDesk(cluster, cluster, cluster, LabelSelector(), lambda: (INGRESSES, HTTP_ROUTES))


def thing(its_host: str = "", name: str = "web") -> dict[str, Any]:
    ours = {"labels": {names.POLICY: "previews"}, "annotations": {names.HOST: its_host}}
    return {"metadata": {"name": name, "uid": f"uid-{name}", **ours}}


def beside(*hosts: str) -> dict[str, Any]:
    """A namespace with an Ingress for each host."""
    items = [{"metadata": {"name": "i"}, "spec": {"rules": [{"host": each}]}} for each in hosts]
    none, some = {"kind": "HTTPRouteList"}, {"kind": "IngressList", "items": items}
    return {SPACE: thing(name="x"), ROUTED: some, HTTP_ROUTES.path("x"): none}


@pytest.mark.parametrize(
    ("bodies", "want"),
    [
        pytest.param({PATH: thing("web.example")}, Presence("uid-web", lists=True), id="it has it"),
        pytest.param(beside() | {PATH: thing()}, Presence("uid-web", lists=False), id="given up"),
        pytest.param(beside("other.example") | {PATH: ABSENT}, None, id="gone"),
        pytest.param({PATH: ABSENT, SPACE: ABSENT}, None, id="with its namespace"),
        pytest.param(
            beside("web.example") | {PATH: ABSENT},
            Presence("", lists=False, kin=True),
            id="gone, but an Ingress beside it has the host",
        ),
        pytest.param(
            beside("web.example") | {PATH: thing()},
            Presence("uid-web", lists=False, kin=True),
            id="given up, but an Ingress beside it has the host",
        ),
    ],
)
async def test_who_has_a_host(bodies: dict[str, Any], want: Presence | None) -> None:
    assert await desk(Cluster(bodies)).find(OBJECT, WEB) == want


async def test_a_namespace_has_what_its_ingresses_have() -> None:
    cluster = Cluster(beside("web.example"))
    assert await desk(cluster).find(a_namespace("x"), WEB) == Presence("uid-x", lists=True)


async def test_what_does_not_say_that_it_is_a_list_is_no_list_of_nothing() -> None:
    with pytest.raises(Unproven):
        await desk(Cluster(beside() | {ROUTED: {}})).find(a_namespace("x"), WEB)


async def test_of_a_kind_that_is_gone_for_good_there_is_nothing() -> None:
    assert await desk(Cluster(beside(), kinds=(NAMESPACES,))).find(OBJECT, WEB) is None


async def test_a_version_that_was_withdrawn_is_looked_up_before_anything_is_gone() -> None:
    cluster = Cluster(beside() | {PATH: UNSERVED})
    with pytest.raises(ApiError):
        await desk(cluster).find(OBJECT, WEB)
    assert cluster.forgotten == ["things"]

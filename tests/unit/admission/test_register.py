"""Whether who has a name is there and has it still, as the API server answers."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from dayfly_admission.claiming import Ask, Claiming
from dayfly_admission.naming import LoopClock
from dayfly_admission.register import Register
from dayfly_core import names
from dayfly_core.api import LabelSelector
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claim_steps import Act, Presence, Unverified
from dayfly_core.claimants import Demand
from dayfly_core.objects import NAME_CLAIMS
from dayfly_kube.errors import ApiError, Status, refusal
from support.claim_values import SHOP, a_namespace, host
from support.claim_world import a_holder
from support.shelf import NOW

WEB = host("web.example")
OBJECT = a_holder("web", "uid-web", namespace="x")
PATH = "/api/v1/namespaces/x/things/web"
SPACE = "/api/v1/namespaces/x"
INGRESSES = "/apis/networking.k8s.io/v1/namespaces/x/ingresses"
ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces/x/httproutes"
OLDER = ROUTES.replace("v1", "v1beta1", 1)

GONE = b'{"kind":"Status","reason":"NotFound","details":{"name":"web","kind":"things"},"code":404}'
"""No such object, as an API server says it."""
UNSERVED = [
    pytest.param(b"404 page not found\n", id="no such group, or version of a custom kind"),
    pytest.param(
        b'{"kind":"Status","message":"the server could not find the requested resource",'
        b'"reason":"NotFound","details":{},"code":404}',
        id="no such version or kind in a group of the API server's own",
    ),
]
FORBIDDEN = ApiError(Status(403, "Forbidden", "no"))


def absent(body: bytes = GONE) -> ApiError:
    return refusal(404, body, None)


@dataclass
class Answers:
    """What is behind each path; what is not there is of a kind that is not served."""

    bodies: dict[str, Any] = field(default_factory=dict[str, Any])

    async def get(self, path: str, *, metadata_only: bool = False) -> bytes:
        found = self.bodies.get(path, absent(b"404 page not found\n"))
        if isinstance(found, ApiError):
            raise found
        return found if isinstance(found, bytes) else msgspec.json.encode(found)

    async def get_list(self, path: str, *, params: dict[str, str] | None = None) -> bytes:
        return await self.get(path)

    async def create(self, path: str, body: object) -> bytes:
        raise ApiError(Status(409, "AlreadyExists"))

    async def merge_patch(self, path: str, body: object) -> bytes:
        raise AssertionError("nothing is written over what cannot be read")

    async def delete(self, path: str, *, uid: str, resource_version: str) -> bytes:
        raise AssertionError("nothing was created")


ALL = LabelSelector()


def register(bodies: dict[str, Any], selector: LabelSelector | None = ALL) -> Register:
    return Register(Answers(bodies), selector)


def thing(its_host: str = "", name: str = "web") -> dict[str, Any]:
    ours = {"labels": {names.POLICY: "previews"}, "annotations": {names.HOST: its_host}}
    return {"metadata": {"name": name, "uid": f"uid-{name}", **ours}}


def namespace(its_host: str = "") -> dict[str, Any]:
    return thing(its_host, "x")


def ingresses(*hosts: str) -> dict[str, Any]:
    return {"items": [{"metadata": {"name": "i"}, "spec": {"rules": [{"host": h}]}} for h in hosts]}


HERE = {SPACE: namespace()}
ROUTED = HERE | {INGRESSES: ingresses("other.example", "web.example")}
SEEN: dict[str, Any] = {SPACE: namespace(), INGRESSES: ingresses(), ROUTES: {"items": []}}


@pytest.mark.parametrize(
    ("bodies", "want"),
    [
        pytest.param(
            {PATH: thing("web.example")}, Presence("uid-web", lists=True), id="the object has it"
        ),
        pytest.param(
            SEEN | {PATH: thing()}, Presence("uid-web", lists=False), id="the object gave it up"
        ),
        pytest.param(SEEN | {PATH: absent()}, None, id="the object is gone"),
        pytest.param(HERE | {PATH: absent()}, None, id="where neither kind of routes is served"),
        pytest.param({PATH: absent(), SPACE: absent()}, None, id="so is its namespace"),
        pytest.param(
            ROUTED | {PATH: absent()},
            Presence("", lists=False, kin=True),
            id="the object is gone, and an Ingress beside it has the host",
        ),
        pytest.param(
            ROUTED | {PATH: thing()},
            Presence("uid-web", lists=False, kin=True),
            id="the object gave it up, and an Ingress beside it has it",
        ),
        pytest.param(
            SEEN | {PATH: absent(), ROUTES: {"items": [{"spec": {"hostnames": [WEB.value]}}]}},
            Presence("", lists=False, kin=True),
            id="an HTTPRoute beside it has it",
        ),
        pytest.param(
            HERE | {PATH: absent(), OLDER: {"items": [{"spec": {"hostnames": [WEB.value]}}]}},
            Presence("", lists=False, kin=True),
            id="one that is served in an older version alone",
        ),
        pytest.param(
            {PATH: absent(), SPACE: namespace("web.example")},
            Presence("", lists=False, kin=True),
            id="its namespace has it itself",
        ),
        pytest.param(
            HERE | {PATH: absent(), INGRESSES: FORBIDDEN},
            Presence("", lists=False, kin=True),
            id="nobody may read who has it beside it",
        ),
        pytest.param(
            {PATH: FORBIDDEN}, Presence("uid-web", lists=True), id="nobody may read the object"
        ),
    ],
)
async def test_who_has_a_host(bodies: dict[str, Any], want: Presence | None) -> None:
    assert await register(bodies).find(OBJECT, WEB, 1.0) == want


@pytest.mark.parametrize("body", UNSERVED)
async def test_of_a_kind_or_version_that_is_not_served_nothing_is_known(body: bytes) -> None:
    found = await register({PATH: absent(body)}).find(OBJECT, WEB, 1.0)
    assert found == Presence("uid-web", lists=True)


@pytest.mark.parametrize(
    "selector",
    [
        pytest.param(None, id="nowhere"),
        pytest.param(LabelSelector(match_labels={"team": "web"}), id="in other namespaces"),
    ],
)
async def test_ingresses_count_where_the_administrator_opts_in(
    selector: LabelSelector | None,
) -> None:
    assert await register(ROUTED | {PATH: absent()}, selector).find(OBJECT, WEB, 1.0) is None


@pytest.mark.parametrize(
    ("bodies", "want"),
    [
        pytest.param(ROUTED, Presence("uid-x", lists=True), id="by an Ingress"),
        pytest.param(SEEN, Presence("uid-x", lists=False), id="no longer"),
        pytest.param({SPACE: absent()}, None, id="it is gone"),
    ],
)
async def test_whether_a_namespace_has_a_host(
    bodies: dict[str, Any], want: Presence | None
) -> None:
    assert await register(bodies).find(a_namespace("x"), WEB, 1.0) == want


async def test_what_goes_wrong_otherwise_comes_through() -> None:
    broken = register({PATH: ApiError(Status(500, "InternalError"))})
    with pytest.raises(ApiError):
        await broken.find(OBJECT, WEB, 1.0)


# Claims that make no sense.

NONSENSE = {"metadata": {"name": "by-hand"}, "spec": {"key": {"kind": "street"}}}
ADVICE = "has to delete it (kubectl delete nameclaim by-hand)"


@pytest.mark.parametrize(
    ("bodies", "key", "says"),
    [
        pytest.param({NAME_CLAIMS.path(name=SHOP.claim_name): NONSENSE}, SHOP, ADVICE, id="one"),
        pytest.param(
            {NAME_CLAIMS.path(): {"kind": "NameClaimList", "items": [NONSENSE]}},
            host("*.example"),
            ADVICE,
            id="one of many",
        ),
        pytest.param(
            {NAME_CLAIMS.path(name=SHOP.claim_name): b"<html>"},
            SHOP,
            "what the API server says cannot be read",
            id="something else altogether",
        ),
    ],
)
async def test_a_claim_that_makes_no_sense_is_told_and_left_alone(
    bodies: dict[str, Any], key: ClaimKey, says: str
) -> None:
    clock = LoopClock(asyncio.get_running_loop().time, lambda: NOW)
    demands = [Demand(key, key.value, "")]
    ask = Ask(demands, OBJECT, Act.CREATE, clock.now() + 1.0, read_only=True)
    (outcome,) = await Claiming(register(bodies), clock).claim(ask)
    assert isinstance(outcome, Unverified)
    assert says in outcome.why

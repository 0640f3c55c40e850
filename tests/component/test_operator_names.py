"""Names over real HTTP: what the leader does to claims, and to objects that want one name."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dayfly_core import names
from dayfly_core.claim_key import ClaimKey, KeyKind
from dayfly_core.objects import HTTP_ROUTES, INGRESSES, NAME_CLAIMS
from support.fake_api import FakeApi, Fault, Recorded
from support.operators import MAPS, Running, operating, stamped
from support.waiting import eventually

CLAIMS = NAME_CLAIMS.path()
NOTHING_HAPPENS = 0.8
"""Seconds in which nothing must happen: longer than a name without a claim is left to settle."""

SHOP = ClaimKey(KeyKind.ENVIRONMENT, "shop")
HOST = ClaimKey(KeyKind.HOST, "shop.example.com")


def namespace(name: str) -> str:
    return f"/api/v1/namespaces/{name}"


def put_environment(api: FakeApi, name: str, environment: str = "shop") -> Any:
    """Create a namespace, or change its label and nothing else."""
    labels = {names.ENVIRONMENT: environment} if environment else {}
    before = api.objects.get(namespace(name), {"metadata": {}})["metadata"]
    kept = {"annotations": before.get("annotations") or {}}
    return api.put(namespace(name), {"metadata": {"labels": labels, **kept}})


def put_ingress(api: FakeApi, where: str, *hosts: str, **annotations: str) -> Any:
    rules = [{"host": host} for host in hosts]
    item = {"metadata": {"annotations": annotations}, "spec": {"rules": rules}}
    return api.put(INGRESSES.path(where, "web"), item)


def claim(api: FakeApi, key: ClaimKey = SHOP) -> dict[str, Any]:
    """The claim of a key as it is stored; empty if there is none."""
    stored: dict[str, Any] = api.objects.get(f"{CLAIMS}/{key.claim_name}", {})
    return stored


def holder(api: FakeApi, key: ClaimKey = SHOP) -> str:
    """Who has the key for certain, by name; empty if nobody has."""
    spec = claim(api, key).get("spec", {})
    return str(spec["holder"]["name"]) if spec.get("state") == "Bound" else ""


def put_claim(api: FakeApi, holder: dict[str, Any], key: ClaimKey = SHOP, **spec: Any) -> None:
    """Put a claim there as the webhook writes it."""
    meta = holder["metadata"]
    api.put(
        f"{CLAIMS}/{key.claim_name}",
        {
            "metadata": {"labels": {names.CLAIM: key.kind.value}},
            "spec": {
                "key": {"kind": key.kind.value, "value": key.value, "written": key.value},
                "holder": {
                    "version": "v1",
                    "resource": "namespaces",
                    "kind": "Namespace",
                    "name": meta["name"],
                    "uid": meta["uid"],
                },
                "state": "Pending",
                "claimedAt": "2026-11-22T10:00:00Z",
                **spec,
            },
        },
    )


def note(api: FakeApi, path: str) -> str:
    """The conflict that is noted on an object."""
    annotations = api.objects[path]["metadata"].get("annotations") or {}
    return str(annotations.get(names.NAME_CONFLICT, ""))


def about_claims(operator: Running) -> list[Recorded]:
    """Writes of claims and notes, and reads of what should hold them; no watches."""
    asked = [r for r in operator.api.requests if not r.watch]
    return [r for r in asked if r.path.startswith(CLAIMS) or r.method == "PATCH"]


async def test_an_environment_without_a_claim_gets_one() -> None:
    async with FakeApi() as api, operating(api) as operator:
        stored = put_environment(api, "team-a")
        await eventually(lambda: holder(api) == "team-a")
        assert claim(api)["spec"]["holder"]["uid"] == stored["metadata"]["uid"]
        assert claim(api)["metadata"]["labels"] == {names.CLAIM: "environment"}
        assert operator.events("team-a") == []


async def test_a_pending_claim_is_bound_once_its_object_is_seen() -> None:
    async with FakeApi() as api, operating(api):
        stored = put_environment(api, "team-a", "")
        put_claim(api, stored)
        put_environment(api, "team-a")
        await eventually(lambda: holder(api) == "team-a")


async def test_a_claim_deleted_by_hand_comes_back() -> None:
    async with FakeApi() as api, operating(api):
        put_environment(api, "team-a")
        await eventually(lambda: holder(api) == "team-a")
        api.remove(f"{CLAIMS}/{SHOP.claim_name}")
        await eventually(lambda: holder(api) == "team-a")


async def test_a_claim_that_was_tampered_with_is_put_right() -> None:
    async with FakeApi() as api, operating(api):
        stored = put_environment(api, "team-a")
        other = put_environment(api, "team-b", "")
        put_claim(api, stored, state="Bound")
        await asyncio.sleep(0.1)
        put_claim(api, other, state="Bound")
        await eventually(lambda: holder(api) == "team-a")


async def test_of_two_stored_without_admission_the_older_wins_and_the_other_is_told() -> None:
    async with FakeApi() as api, operating(api) as operator:
        put_environment(api, "team-a")
        put_environment(api, "team-b")
        await eventually(lambda: holder(api) == "team-a")
        await eventually(lambda: note(api, namespace("team-b")))
        await eventually(lambda: operator.events("team-b") == ["NameConflict"])
        said = note(api, namespace("team-b"))
        assert said.startswith("environment shop is held by namespace team-a since 20")
        assert said.endswith("; rename this one or delete that one")
        assert note(api, namespace("team-a")) == ""
        assert operator.events("team-a") == []
        assert operator.deletes() == []
        registry = operator.program.parts.metrics.registry
        assert registry.get_sample_value("dayfly_name_conflicts") == 1
        bound = {"kind": "environment", "state": "Bound"}
        assert registry.get_sample_value("dayfly_name_claims", bound) == 1


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda api: put_environment(api, "team-b", "store"), id="it is renamed"),
        pytest.param(lambda api: api.remove(namespace("team-a")), id="the winner is deleted"),
        pytest.param(lambda api: put_environment(api, "team-a", "store"), id="the winner renames"),
        pytest.param(lambda api: put_environment(api, "team-b", ""), id="it gives the name up"),
    ],
)
async def test_the_note_goes_when(end: Callable[[FakeApi], object]) -> None:
    async with FakeApi() as api, operating(api) as operator:
        put_environment(api, "team-a")
        put_environment(api, "team-b")
        await eventually(lambda: note(api, namespace("team-b")))
        end(api)
        assert note(api, namespace("team-b"))
        await eventually(lambda: not note(api, namespace("team-b")))
        assert operator.events("team-b") == ["NameConflict"]

"""Our own kinds over real TLS: the API server is asked what their authors may do, or it hangs."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import pytest
from msgspec.structs import replace

from dayfly_core import names
from dayfly_core.outgoing.destinations import Rules
from dayfly_core.reasons import Reason
from support.admission import SETTINGS, Replica, a_replica, ask, install
from support.fake_api import FakeApi, Fault
from support.handshakes import a_bundle
from support.own_manifests import a_manager, a_policy, a_stay, an_ephemerator, of
from support.policy_manifests import manifest
from support.reviews import Json
from support.waiting import at_most, eventually

BUNDLE = a_bundle()
KINDS = "/kinds?timeout=5s"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
GUARD = f"/api/v1/namespaces/{names.SYSTEM_NAMESPACE}/configmaps/{names.GUARD_CONFIG_MAP}"
THERE = a_manager(target="shop")


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with FakeApi() as api:
        install(api, BUNDLE)
        yield api


@pytest.fixture
async def replica(api: FakeApi) -> AsyncIterator[Replica]:
    async with a_replica(api, BUNDLE) as replica:
        await eventually(lambda: replica.program.unready() is None)
        yield replica


def asked(api: FakeApi) -> int:
    return sum(request.path == REVIEWS for request in api.requests)


def reason(said: Json) -> str:
    return str(said["auditAnnotations"]["reason"])


async def test_the_api_server_is_asked_about_the_author(api: FakeApi, replica: Replica) -> None:
    seen = list[Json]()

    def may(spec: Json) -> bool:
        seen.append(spec)
        return bool(spec["user"] == "alice")

    api.may = may
    user = {"username": "bob", "uid": "7", "groups": ["dev"], "extra": {"scopes": ["a"]}}
    assert (await ask(replica, of(THERE), KINDS))["allowed"]
    refused = await ask(replica, of(THERE, userInfo=user), KINDS)
    assert refused["status"]["code"] == 403
    assert reason(refused) == Reason.TARGET_FORBIDDEN
    assert seen[1] == {
        "user": "bob",
        "uid": "7",
        "groups": ["dev"],
        "extra": {"scopes": ["a"]},
        "resourceAttributes": {
            "verb": "delete",
            "group": "",
            "version": "v1",
            "resource": "namespaces",
            "namespace": "shop",
            "name": "shop",
        },
    }


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("status", REVIEWS, code=500), id="fails"),
        pytest.param(Fault("status", REVIEWS, code=403), id="does not let us ask"),
        pytest.param(Fault("hang", REVIEWS), id="hangs"),
        pytest.param(Fault("reset", REVIEWS), id="hangs up"),
    ],
)
async def test_if_the_api_server(api: FakeApi, replica: Replica, fault: Fault) -> None:
    api.may = lambda spec: True
    api.fault(fault)
    async with at_most(2):
        said = await ask(replica, of(an_ephemerator()), "/kinds?timeout=1s")
    assert (said["allowed"], reason(said)) == (False, Reason.CANNOT_VERIFY)
    assert said["status"]["code"] == 500
    assert "whether alice may delete namespaces/shop was not found out" in said["status"]["message"]


async def test_a_crowd_is_answered_whole(api: FakeApi, replica: Replica) -> None:
    api.may = lambda spec: spec["user"] in ("user-0", "user-1")
    reviews = [of(THERE, userInfo={"username": f"user-{n % 4}"}) for n in range(200)]
    answers = await asyncio.gather(*(ask(replica, review, KINDS) for review in reviews))
    assert [said["allowed"] for said in answers] == [n % 4 < 2 for n in range(200)]


async def test_a_flag_asks_nobody(api: FakeApi) -> None:
    settings = replace(SETTINGS, allow_any_target=True)
    async with a_replica(api, BUNDLE, settings) as replica:
        await eventually(lambda: replica.program.unready() is None)
        assert (await ask(replica, of(THERE), KINDS))["allowed"]
        guarded = await ask(replica, of(an_ephemerator("kube-system")), KINDS)
    assert reason(guarded) == Reason.GUARDED
    assert asked(api) == 0


async def test_the_guard_is_the_one_that_the_config_map_lists(
    api: FakeApi, replica: Replica
) -> None:
    api.may = lambda spec: True
    prod = of(an_ephemerator("prod-shop"))
    assert (await ask(replica, prod, KINDS))["allowed"]

    async def said(word: str) -> None:
        async with at_most(5):
            while reason(await ask(replica, prod, KINDS)) != word:
                pass

    api.put(GUARD, {"data": {"namespaces": "prod-*"}})
    await said(Reason.GUARDED)
    api.put(GUARD, {"data": {"namespaces": "# nothing more"}})
    await said(Reason.ACTIVE)


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        pytest.param(Rules(), False, id="not to loopback"),
        pytest.param(Rules(allow=(ip_network("127.0.0.1/32"),)), True, id="unless vouched for"),
    ],
)
async def test_webhooks_go_where_the_flags_say(api: FakeApi, rules: Rules, allowed: bool) -> None:
    call = of(a_manager(a_policy("WEBHOOK", url="http://127.0.0.1:8080/"), name="team-a"))
    async with a_replica(api, BUNDLE, replace(SETTINGS, destinations=rules)) as replica:
        await eventually(lambda: replica.program.unready() is None)
        assert (await ask(replica, call, KINDS))["allowed"] is allowed


NAMESPACES: Json = {"resources": [{"apiGroups": [""], "resources": ["namespaces"]}]}


async def test_a_stay_is_judged_by_what_its_namespace_carries(
    api: FakeApi, replica: Replica
) -> None:
    api.put(
        "/apis/dayfly.dev/v1alpha1/expirypolicies/teams",
        manifest("teams", match=NAMESPACES, ttl={"default": "8h", "max": "7d", "maxTotal": "8d"}),
    )
    api.put("/api/v1/namespaces/team-b", stamped("2020-01-01T00:00:00Z"))

    async def told(**spec: Any) -> Json:
        stay = a_stay(**spec)
        stay["metadata"]["namespace"] = "team-b"
        return await ask(replica, of(stay), KINDS)

    async with at_most(5):
        while reason(said := await told(length="1d")) == Reason.NOTHING_TO_EXTEND:
            pass
    # An end this long after its creation is what the creation in the watch is kept for.
    assert reason(said) == Reason.TOTAL_TOO_LONG
    assert "8d after the creation" in said["status"]["message"]


def stamped(created: str) -> Json:
    meta = {
        "labels": {names.POLICY: "teams"},
        "annotations": {names.EXPIRES_AT: "2020-01-02T00:00:00Z"},
        "creationTimestamp": created,
    }
    return {"metadata": meta}

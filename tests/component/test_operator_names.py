"""Claims over real HTTP: they follow what is stored, whoever else writes them, or nobody."""

import asyncio

import pytest

from dayfly_core import names
from dayfly_core.claim_key import ClaimKey, KeyKind
from support.fake_api import FakeApi, Fault
from support.named import (
    CLAIMS,
    HOST,
    SHOP,
    UNSETTLED,
    asked,
    claim,
    holder,
    namespace,
    put_claim,
    put_environment,
)
from support.operators import MAPS, operating, stamped
from support.waiting import eventually


async def test_an_environment_without_a_claim_gets_one() -> None:
    async with FakeApi() as api, operating(api) as operator:
        stored = put_environment(api, "team-a")
        await eventually(lambda: holder(api) == "team-a")
        assert claim(api)["spec"]["holder"]["uid"] == stored["metadata"]["uid"]
        assert claim(api)["metadata"]["labels"] == {names.CLAIM: "environment"}
        assert operator.events("team-a") == []


async def test_a_stamped_host_is_the_objects_own() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        item = stamped(operator.clock.text(3600))
        item["metadata"]["annotations"][names.HOST] = "Shop.Example.com."
        api.put(f"{MAPS}/web", item)
        await eventually(lambda: holder(api, HOST) == "web")
        assert claim(api, HOST)["spec"]["holder"]["namespace"] == "team"
        assert claim(api, HOST)["spec"]["key"]["written"] == "Shop.Example.com."


async def test_a_pending_claim_is_bound_once_its_object_is_seen() -> None:
    async with FakeApi() as api, operating(api) as operator:
        put_claim(api, put_environment(api, "team-a", ""))
        put_environment(api, "team-a")
        await eventually(lambda: holder(api) == "team-a")
        written = [r.method for r in asked(operator, CLAIMS) if r.method != "GET"]
    assert written == ["PATCH"]


async def test_a_claim_deleted_by_hand_comes_back() -> None:
    async with FakeApi() as api, operating(api):
        put_environment(api, "team-a")
        await eventually(lambda: holder(api) == "team-a")
        api.remove(f"{CLAIMS}/{SHOP.claim_name}")
        await eventually(lambda: holder(api) == "team-a")


async def test_a_claim_that_was_tampered_with_is_put_right() -> None:
    async with FakeApi() as api, operating(api):
        put_environment(api, "team-a")
        await eventually(lambda: holder(api) == "team-a")
        put_claim(api, put_environment(api, "team-b", ""), state="Bound")
        await eventually(lambda: holder(api) == "team-a")


async def test_a_name_that_was_given_up_is_free_after_the_grace() -> None:
    async with FakeApi() as api, operating(api, "--claim-grace", "1s") as operator:
        put_environment(api, "team-a")
        await eventually(lambda: holder(api) == "team-a")
        bound = claim(api)["metadata"]
        put_environment(api, "team-a", "store")
        await eventually(lambda: not claim(api))
        (delete,) = [r for r in asked(operator, CLAIMS) if r.method == "DELETE"]
    assert delete.body["preconditions"] == {
        "uid": bound["uid"],
        "resourceVersion": bound["resourceVersion"],
    }


async def test_what_a_request_left_behind_goes_after_the_grace_and_not_before() -> None:
    async with FakeApi() as api, operating(api, "--claim-grace", "2s") as operator:
        gone = {"kind": "Namespace", "metadata": {"name": "never-stored", "uid": "1"}}
        put_claim(api, gone)
        loop = asyncio.get_running_loop()
        since = loop.time()
        await asyncio.sleep(1)
        put_claim(api, gone, claimedAt="2026-11-22T10:00:01Z")
        await eventually(lambda: not claim(api))
        assert loop.time() - since >= 3
        looked = [r for r in asked(operator, namespace("never-stored"))]
    assert [r.method for r in looked] == ["GET"]


async def test_a_claim_is_kept_while_etcd_knows_a_holder_that_no_watch_shows() -> None:
    """No policy names ConfigMaps, so nobody watches them."""
    async with FakeApi() as api, operating(api, "--claim-grace", "1s") as operator:
        item = stamped(operator.clock.text(3600))
        item["metadata"]["annotations"][names.HOST] = HOST.value
        put_claim(api, api.put(f"{MAPS}/web", item), HOST, state="Bound")
        await eventually(lambda: operator.reads(f"{MAPS}/web"))
        await asyncio.sleep(UNSETTLED * 2)
        assert holder(api, HOST) == "web"
        assert len(operator.reads(f"{MAPS}/web")) <= 3


async def test_a_holder_whose_kind_is_gone_has_nothing() -> None:
    async with FakeApi() as api, operating(api, "--claim-grace", "1s"):
        unicorn = {"kind": "Unicorn", "metadata": {"name": "x", "namespace": "team", "uid": "1"}}
        put_claim(api, unicorn, HOST)
        await eventually(lambda: not claim(api, HOST))


async def test_nothing_is_asked_for_once_all_is_well() -> None:
    async with FakeApi() as api, operating(api) as operator:
        for number in range(20):
            put_environment(api, f"team-{number}", f"shop-{number}")
        await eventually(lambda: all(bound(api, number) for number in range(20)))
        await asyncio.sleep(UNSETTLED)
        before = len(asked(operator))
        operator.program.leadership_changed(True)
        await asyncio.sleep(UNSETTLED)
        again = [r.path for r in asked(operator)[before:] if "nameclaims" in r.path]
    assert again == []


def bound(api: FakeApi, number: int) -> bool:
    key = ClaimKey(KeyKind.ENVIRONMENT, f"shop-{number}")
    return holder(api, key) == f"team-{number}"


async def test_a_claim_by_a_name_that_its_key_does_not_give_it_goes() -> None:
    async with FakeApi() as api:
        put_claim(api, put_environment(api, "team-a"))
        stray = api.objects.pop(f"{CLAIMS}/{SHOP.claim_name}")
        api.put(f"{CLAIMS}/mine", {"spec": stray["spec"]})
        async with operating(api, "--claim-grace", "1s") as operator:
            await eventually(lambda: holder(api) == "team-a")
            operator.clock.age(2)
            operator.program.leadership_changed(True)
            await eventually(lambda: f"{CLAIMS}/mine" not in api.objects)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("status", CLAIMS, "POST", times=2), id="the API server is in trouble"),
        pytest.param(Fault("reset", CLAIMS, "POST", times=2), id="connections break"),
        pytest.param(
            Fault("status", CLAIMS, "POST", code=409, reason="AlreadyExists"),
            id="somebody else has written the claim just now",
        ),
    ],
)
async def test_a_claim_is_written_in_spite_of(fault: Fault) -> None:
    async with FakeApi() as api, operating(api):
        api.fault(fault)
        put_environment(api, "team-a")
        await eventually(lambda: holder(api) == "team-a")


async def test_two_leaders_at_once_do_no_harm() -> None:
    async with FakeApi() as api, operating(api), operating(api) as other:
        for number in range(10):
            put_environment(api, f"team-{number}", f"shop-{number}")
        await eventually(lambda: all(bound(api, number) for number in range(10)))
        for number in range(0, 10, 2):
            put_environment(api, f"team-{number}", f"shop-{number + 100}")
        await asyncio.sleep(UNSETTLED)
        assert all(bound(api, number) for number in range(1, 10, 2))
        assert other.deletes() == []


async def test_a_follower_writes_nothing() -> None:
    async with FakeApi() as api, operating(api, "--claim-grace", "1s", leading=False) as operator:
        put_environment(api, "team-a")
        put_environment(api, "team-b")
        put_claim(api, {"kind": "Namespace", "metadata": {"name": "x", "uid": "1"}}, HOST)
        await asyncio.sleep(UNSETTLED)
        assert [r for r in operator.writes() if "/secrets/" not in r.path] == []
        operator.lead()
        await eventually(lambda: holder(api) == "team-a")
        await eventually(lambda: not claim(api, HOST))


async def test_a_dry_run_writes_nothing() -> None:
    async with FakeApi() as api, operating(api, "--dry-run", "--claim-grace", "1s") as operator:
        put_environment(api, "team-a")
        put_environment(api, "team-b")
        put_claim(api, {"kind": "Namespace", "metadata": {"name": "x", "uid": "1"}}, HOST)
        await asyncio.sleep(UNSETTLED)
        assert operator.program.parts.names.in_conflict() == 1
        assert operator.writes() == []
        assert operator.events("team-b") == []

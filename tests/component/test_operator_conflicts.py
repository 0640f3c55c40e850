"""Objects that were stored without admission and want one name: one wins, the others are told."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from dayfly_core import names
from dayfly_core.objects import INGRESSES
from support.fake_api import FakeApi, Fault
from support.named import (
    HOST,
    UNSETTLED,
    holder,
    ingress,
    namespace,
    note,
    put_environment,
    put_ingress,
)
from support.operators import MAPS, operating, stamped
from support.waiting import eventually


async def test_of_two_the_older_wins_and_the_other_is_told() -> None:
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
        read = operator.program.parts.metrics.registry.get_sample_value
        assert read("dayfly_name_conflicts") == 1
        bound = {"kind": "environment", "state": "Bound"}
        await eventually(lambda: read("dayfly_name_claims", bound) == 1)


def rename_it(api: FakeApi) -> None:
    put_environment(api, "team-b", "store")


def have_it_give_the_name_up(api: FakeApi) -> None:
    put_environment(api, "team-b", "")


def delete_the_winner(api: FakeApi) -> None:
    api.remove(namespace("team-a"))


def rename_the_winner(api: FakeApi) -> None:
    put_environment(api, "team-a", "store")


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(rename_it, id="it is renamed"),
        pytest.param(have_it_give_the_name_up, id="it gives the name up"),
        pytest.param(delete_the_winner, id="the winner is deleted"),
        pytest.param(rename_the_winner, id="the winner is renamed"),
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


async def test_a_note_that_somebody_removes_or_copies_is_put_right_without_another_event() -> None:
    async with FakeApi() as api, operating(api) as operator:
        put_environment(api, "team-a")
        put_environment(api, "team-b")
        await eventually(lambda: note(api, namespace("team-b")))
        copied = {"annotations": {names.NAME_CONFLICT: "nonsense"}}
        api.put(namespace("innocent"), {"metadata": copied})
        api.put(namespace("team-b"), {"metadata": {"labels": {names.ENVIRONMENT: "shop"}}})
        await eventually(lambda: note(api, namespace("team-b")))
        await eventually(lambda: not note(api, namespace("innocent")))
        await eventually(lambda: operator.events("team-b") == ["NameConflict"])
        assert operator.events("innocent") == []


async def test_the_next_leader_finds_all_said() -> None:
    async with FakeApi() as api:
        put_environment(api, "team-a")
        put_environment(api, "team-b")
        async with operating(api) as operator:
            await eventually(lambda: operator.events("team-b"))
            await eventually(lambda: note(api, namespace("team-b")))
        api.requests.clear()
        async with operating(api) as operator:
            await asyncio.sleep(UNSETTLED)
            assert operator.program.parts.names.in_conflict() == 1
            assert operator.events("team-b") == []
            assert [r for r in operator.writes() if r.path == namespace("team-b")] == []


async def test_where_a_note_is_forbidden_there_is_still_an_event_and_the_others_are_told() -> None:
    async with FakeApi() as api, operating(api) as operator:
        refusal = Fault(
            "status", namespace("team-b"), "PATCH", code=403, reason="Forbidden", times=99
        )
        api.fault(refusal)
        for name in "abc":
            put_environment(api, f"team-{name}")
        await eventually(lambda: note(api, namespace("team-c")))
        await eventually(lambda: operator.events("team-b") == ["NameConflict"])
        put_environment(api, "team-d")
        await eventually(lambda: note(api, namespace("team-d")))
        tries = [r for r in operator.writes() if r.path == namespace("team-b")]
    assert len(tries) == 1


async def test_who_cannot_be_told_keeps_nobody_from_being_told() -> None:
    async with FakeApi() as api, operating(api):
        denial = Fault("status", namespace("team-b"), "PATCH", code=400, reason="BadRequest")
        api.fault(replace(denial, times=99))
        for name in "abc":
            put_environment(api, f"team-{name}")
        await eventually(lambda: note(api, namespace("team-c")))
        assert note(api, namespace("team-b")) == ""


async def test_a_note_that_could_not_be_written_is_written_later() -> None:
    async with FakeApi() as api, operating(api) as operator:
        api.fault(Fault("status", namespace("team-b"), "PATCH", times=2))
        put_environment(api, "team-a")
        put_environment(api, "team-b")
        await eventually(lambda: note(api, namespace("team-b")))
        assert operator.events("team-b") == ["NameConflict"]


async def test_in_guarded_namespaces_nothing_is_written() -> None:
    async with FakeApi() as api, operating(api) as operator:
        put_environment(api, "team-a")
        put_environment(api, "kube-system")
        await eventually(lambda: operator.events("kube-system") == ["NameConflict"])
        await asyncio.sleep(UNSETTLED)
        assert note(api, namespace("kube-system")) == ""


async def test_what_loses_a_stamped_host_is_told_which_object_has_it() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        for name in ("first", "second"):
            item = stamped(operator.clock.text(3600))
            item["metadata"]["annotations"][names.HOST] = HOST.value
            api.put(f"{MAPS}/{name}", item)
        await eventually(lambda: note(api, f"{MAPS}/second"))
        await eventually(lambda: holder(api, HOST) == "first")
        said = note(api, f"{MAPS}/second")
        assert said.startswith("host shop.example.com is held by configmap first in namespace team")
        api.remove(f"{MAPS}/first")
        await eventually(lambda: holder(api, HOST) == "second")
        await eventually(lambda: not note(api, f"{MAPS}/second"))


# Ingresses and HTTPRoutes.


ALL = ("--claim-ingress-hosts", "*")
SOME = ("--claim-ingress-hosts", f"{names.ENVIRONMENT} in (shop,store)")


async def test_the_namespace_holds_the_hosts_of_its_ingresses() -> None:
    async with FakeApi() as api, operating(api, *ALL) as operator:
        for where in ("team-a", "team-b"):
            put_environment(api, where, "")
        put_ingress(api, ingress("team-a"), HOST.value)
        put_ingress(api, ingress("team-a", "again"), HOST.value)
        put_ingress(api, ingress("team-b"), HOST.value, "other.example.com")
        await eventually(lambda: holder(api, HOST) == "team-a")
        await eventually(lambda: note(api, ingress("team-b")))
        said = note(api, ingress("team-b"))
        assert said.startswith("host shop.example.com is held by namespace team-a since 20")
        assert said.endswith("; choose another host or take it away there")
        assert not any(note(api, ingress("team-a", name)) for name in ("web", "again"))
        assert note(api, namespace("team-b")) == ""
        put_ingress(api, ingress("team-b"), "other.example.com")
        await eventually(lambda: not note(api, ingress("team-b")))
        assert operator.events("web") == ["NameConflict"]


async def test_an_ingress_may_route_the_host_that_it_was_given() -> None:
    async with FakeApi() as api, operating(api, *ALL) as operator:
        put_environment(api, "team", "")
        kinds = [{"apiGroups": [INGRESSES.group], "resources": [INGRESSES.plural]}]
        await operator.put_policy(match={"resources": kinds})
        item = stamped(operator.clock.text(3600))
        item["metadata"]["annotations"][names.HOST] = HOST.value
        item["spec"] = {"rules": [{"host": HOST.value}]}
        api.put(ingress("team"), item)
        await eventually(lambda: holder(api, HOST) == "web")
        await asyncio.sleep(UNSETTLED)
        assert holder(api, HOST) == "web"
        assert note(api, ingress("team")) == ""


async def test_what_a_controller_made_claims_nothing_until_it_is_let_go() -> None:
    async with FakeApi() as api, operating(api, *ALL):
        put_environment(api, "team-a", "")
        item = {"spec": {"rules": [{"host": HOST.value}]}}
        owner = {"apiVersion": "v1", "kind": "Shop", "name": "x", "uid": "1", "controller": True}
        api.put(ingress("team-a"), item | {"metadata": {"ownerReferences": [owner]}})
        await asyncio.sleep(UNSETTLED)
        assert holder(api, HOST) == ""
        api.put(ingress("team-a"), item)
        await eventually(lambda: holder(api, HOST) == "team-a")


async def test_the_older_ingress_wins_whatever_the_age_of_its_namespace() -> None:
    async with FakeApi() as api, operating(api, *ALL):
        for where in ("team-a", "team-b"):
            put_environment(api, where, "")
        put_ingress(api, ingress("team-b"), HOST.value)
        await eventually(lambda: holder(api, HOST) == "team-b")
        put_ingress(api, ingress("team-a"), HOST.value)
        await eventually(lambda: note(api, ingress("team-a")))
        assert holder(api, HOST) == "team-b"


async def test_a_wildcard_and_a_host_below_it_are_in_conflict() -> None:
    async with FakeApi() as api, operating(api, *ALL):
        for where in ("team-a", "team-b", "team-c"):
            put_environment(api, where, "")
        put_ingress(api, ingress("team-a"), "shop.example.com")
        put_ingress(api, ingress("team-b"), "*.example.com")
        put_ingress(api, ingress("team-c"), "example.com")
        await eventually(lambda: note(api, ingress("team-b")))
        assert note(api, ingress("team-b")).startswith(
            "host *.example.com overlaps shop.example.com, which is held by namespace team-a since"
        )
        assert not note(api, ingress("team-a"))
        assert not note(api, ingress("team-c"))


async def test_only_selected_namespaces_claim_and_selecting_one_later_counts() -> None:
    async with FakeApi() as api, operating(api, *SOME):
        put_environment(api, "team-a", "")
        put_environment(api, "team-b", "store")
        put_ingress(api, ingress("team-a"), HOST.value)
        put_ingress(api, ingress("team-b"), HOST.value)
        await eventually(lambda: holder(api, HOST) == "team-b")
        assert not note(api, ingress("team-b"))
        put_environment(api, "team-a", "shop")
        await eventually(lambda: note(api, ingress("team-b")))
        await eventually(lambda: holder(api, HOST) == "team-a")
        put_environment(api, "team-a", "")
        await eventually(lambda: holder(api, HOST) == "team-b")
        await eventually(lambda: not note(api, ingress("team-b")))


async def test_without_the_flag_ingresses_claim_nothing_and_are_not_read() -> None:
    async with FakeApi() as api, operating(api) as operator:
        put_environment(api, "team-a", "")
        put_ingress(api, ingress("team-a"), HOST.value)
        await asyncio.sleep(UNSETTLED)
        assert holder(api, HOST) == ""
        assert [r.path for r in operator.api.requests if "networking" in r.path] == []


async def test_a_host_that_is_moved_away_is_given_up_after_the_grace() -> None:
    async with FakeApi() as api, operating(api, *ALL, "--claim-grace", "1s"):
        put_environment(api, "team-a", "")
        put_ingress(api, ingress("team-a"), HOST.value)
        put_ingress(api, ingress("team-a", "again"), HOST.value)
        await eventually(lambda: holder(api, HOST) == "team-a")
        put_ingress(api, ingress("team-a"), "other.example.com")
        await asyncio.sleep(UNSETTLED)
        assert holder(api, HOST) == "team-a"
        api.remove(ingress("team-a", "again"))
        await eventually(lambda: holder(api, HOST) == "")


async def test_a_kind_that_is_not_served_holds_nothing_up() -> None:
    async with FakeApi() as api:
        api.resources = [r for r in api.resources if r.plural != "httproutes"]
        async with operating(api, *ALL):
            put_environment(api, "team-a", "")
            put_ingress(api, ingress("team-a"), HOST.value)
            await eventually(lambda: holder(api, HOST) == "team-a")

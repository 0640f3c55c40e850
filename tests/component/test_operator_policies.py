"""Policies that change, go, or name what cannot be: what becomes of their objects."""

import asyncio
from typing import Any

import pytest

from dayfly_core import names
from support.fake_api import FakeApi
from support.operators import MAPS, NOBODY_LISTENS, POLICIES, operating, stamped
from support.waiting import eventually


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(None, id="deleted"),
        pytest.param({"suspend": True}, id="suspended"),
        pytest.param({"enforcement": "Audit"}, id="turned into an audit"),
        pytest.param(
            {"match": {"resources": [{"apiGroups": [""], "resources": ["secrets"]}]}},
            id="made for other kinds",
        ),
        pytest.param(
            {
                "match": {
                    "resources": [{"apiGroups": [""], "resources": ["configmaps"]}],
                    "objectSelector": {"matchLabels": {"never": "there"}},
                }
            },
            id="made for other objects",
        ),
    ],
)
async def test_nothing_ends_by_a_policy_that_was_just(change: dict[str, Any] | None) -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        path = f"{POLICIES}/previews"
        if change is None:
            api.remove(path)
        else:
            stored = api.objects[path]
            api.put(path, {"spec": stored["spec"] | change})
        operator.clock.age(2)  # nobody told the operator, and what it knows is old by now
        extra = len(operator.reads(POLICIES))
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
        await eventually(lambda: len(operator.reads(POLICIES)) > extra)
        await asyncio.sleep(NOBODY_LISTENS)
        assert operator.deletes() == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"enforcement": "Audit"}, id="only audits now"),
        pytest.param(None, id="is deleted"),
    ],
)
async def test_what_a_policy_lets_go_is_handed_over_long_before_its_end(
    change: dict[str, Any] | None,
) -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        await operator.put_policy("next", priority=-1)
        api.put(f"{MAPS}/a", stamped(operator.clock.text(3600)))
        await asyncio.sleep(NOBODY_LISTENS)
        if change is None:
            api.remove(f"{POLICIES}/previews")
        else:
            stored = api.objects[f"{POLICIES}/previews"]
            api.put(f"{POLICIES}/previews", {"spec": stored["spec"] | change})
        await operator.heard()

        def decides() -> str:
            label: str = api.objects[f"{MAPS}/a"]["metadata"]["labels"][names.POLICY]
            return label

        await eventually(lambda: decides() == "next")


async def test_a_suspended_policy_that_is_resumed_ends_what_came_due_meanwhile() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy(suspend=True)
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.05)))
        await asyncio.sleep(NOBODY_LISTENS)
        assert not operator.gone("a")
        await operator.put_policy(suspend=False)
        await eventually(lambda: operator.gone("a"))


async def test_what_slipped_past_the_webhook_is_stamped_with_grace_and_ends() -> None:
    async with FakeApi() as api, operating(api) as operator:
        api.put(f"{MAPS}/old", {"data": {}})
        api.put(f"{MAPS}/other", {"metadata": {"labels": {"keep": "me"}}})
        selector = {"matchExpressions": [{"key": "keep", "operator": "DoesNotExist"}]}
        resources = [{"apiGroups": [""], "resources": ["configmaps"]}]
        match = {"resources": resources, "objectSelector": selector}
        await operator.put_policy(match=match, ttl={"default": "1s"})
        await eventually(lambda: "CaughtUp" in operator.events("old"))
        await eventually(lambda: operator.gone("old"))
        assert "labels" in api.objects[f"{MAPS}/other"]["metadata"]
        assert operator.deletes("other") == []


async def test_stamped_objects_go_to_the_next_policy_when_theirs_is_deleted() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        await operator.put_policy("second", priority=-1)
        api.put(f"{MAPS}/a", stamped(operator.clock.text(3600)))
        await eventually(lambda: operator.knows("a"))
        api.remove(f"{POLICIES}/previews")
        await operator.heard()
        await eventually(lambda: labels_of(api, "a")[names.POLICY] == "second")


async def test_a_policy_for_a_kind_that_is_not_there_says_so_and_ends_the_others() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy(resources=("configmaps", "unicorns"))
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("a"))
        await eventually(
            lambda: operator.conditions().get("Enforceable", ("True",))[0] == "False", 9
        )
        _, reason, message = operator.conditions()["Enforceable"]
    assert reason == "KindNotFound"
    assert "unicorns" in message


async def test_a_missing_right_is_spelled_out_with_how_to_grant_it() -> None:
    async with FakeApi() as api:
        api.allowed = lambda attributes: attributes["verb"] != "delete"
        async with operating(api) as operator:
            await operator.put_policy()
            await eventually(
                lambda: operator.conditions().get("Enforceable", ("True",))[0] == "False", 9
            )
            _, reason, message = operator.conditions()["Enforceable"]
    assert reason == "MissingRights"
    assert message.startswith("may not delete configmaps: grant it by a ClusterRole")
    assert names.AGGREGATE_LABEL in message


async def test_the_status_counts_objects_and_names_the_next_end() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        first = operator.clock.text(100)
        api.put(f"{MAPS}/a", stamped(operator.clock.text(200)))
        api.put(f"{MAPS}/b", stamped(first))
        await eventually(lambda: status_of(api).get("matched") == 2)
        assert status_of(api)["nextEnd"] == first
        # There are no webhook configurations here: that is the off switch.
        assert operator.conditions()["Ready"][:2] == ("False", "AdmissionOff")


def labels_of(api: FakeApi, name: str) -> dict[str, str]:
    labels: dict[str, str] = api.objects[f"{MAPS}/{name}"]["metadata"]["labels"]
    return labels


def status_of(api: FakeApi) -> dict[str, Any]:
    status: dict[str, Any] = api.objects[f"{POLICIES}/previews"].get("status", {})
    return status

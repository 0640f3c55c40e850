"""Which policy an object belongs to, when selectors, namespaces and kinds change around it."""

import asyncio
from typing import Any

from dayfly_core import names
from dayfly_core.objects import Resource
from support.fake_api import FakeApi, Fault
from support.operators import MAPS, POLICIES, Running, operating, stamped
from support.waiting import eventually

TEAM = "/api/v1/namespaces/team"
NAMESPACES = "/api/v1/namespaces"
NOWHERE = f"{NAMESPACES}/nowhere/configmaps"
NOTHING_HAPPENS = 0.3
"""Seconds in which nothing must happen; a DELETE would come within a tenth of it."""

REPORTS = Resource("metrics.example.com", "v1", "reports", "Report", namespaced=True)


def within(**labels: str) -> dict[str, Any]:
    """Return the ``match`` of a policy for ConfigMaps in namespaces with these labels."""
    resources = [{"apiGroups": [""], "resources": ["configmaps"]}]
    return {"resources": resources, "namespaceSelector": {"matchLabels": labels}}


def label(api: FakeApi, **labels: str) -> None:
    """Give the namespace these labels, and no others."""
    api.put(TEAM, {"metadata": {"labels": labels}})


def holder(api: FakeApi, name: str = "a") -> str:
    found: str = api.objects[f"{MAPS}/{name}"]["metadata"]["labels"][names.POLICY]
    return found


def status(api: FakeApi, policy: str) -> dict[str, Any]:
    found: dict[str, Any] = api.objects[f"{POLICIES}/{policy}"].get("status", {})
    return found


async def in_web(operator: Running, heir: str = "") -> None:
    """Have ``previews`` hold an object in a namespace of team web, long before its end."""
    label(operator.api, team="web")
    if heir:
        await operator.put_policy(heir, priority=-1)
    await operator.put_policy(match=within(team="web"))
    operator.api.put(f"{MAPS}/a", stamped(operator.clock.text(3600)))
    await eventually(lambda: status(operator.api, "previews").get("matched") == 1)


async def test_what_a_selector_no_longer_fits_is_handed_over_at_once() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await in_web(operator, "next")
        await operator.put_policy(match=within(team="other"))
        await eventually(lambda: holder(api) == "next", 2)


async def test_what_a_relabelled_namespace_holds_is_handed_over_at_once() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await in_web(operator, "next")
        label(api, team="other")
        await eventually(lambda: holder(api) == "next", 2)
        await operator.heard()
        await eventually(lambda: status(api, "next").get("matched") == 1)
        await eventually(lambda: status(api, "previews").get("matched") == 0)


async def test_what_no_policy_holds_any_more_is_not_counted() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await in_web(operator)
        label(api, team="other")
        await eventually(lambda: status(api, "previews").get("matched") == 0)
        assert "nextEnd" not in status(api, "previews")
        await operator.heard()
        label(api, team="web")
        await eventually(lambda: status(api, "previews").get("matched") == 1)


async def test_objects_in_a_namespace_that_is_not_known_cost_no_request() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy(match=within(team="web"))
        for number in range(20):
            api.put(f"{NOWHERE}/a{number}", stamped(operator.clock.text(3600)))
        await eventually(lambda: len(operator.program.parts.engine.deadlines) == 20)
        await asyncio.sleep(NOTHING_HAPPENS)
        assert [r for r in api.requests if r.path.startswith(f"{NAMESPACES}/nowhere")] == []


async def half_open(operator: Running) -> None:
    """Let the watch of namespaces, and those below that path, hear of nothing any more."""
    operator.api.fault(Fault("silent", NAMESPACES, watch=True, times=9))
    watches = namespace_watches(operator)
    operator.api.release()
    await eventually(lambda: namespace_watches(operator) > watches)


def namespace_watches(operator: Running) -> int:
    return len([r for r in operator.api.watches() if r.path == NAMESPACES])


async def test_nothing_ends_in_a_namespace_that_opted_out_unheard() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await in_web(operator)
        await half_open(operator)
        label(api, team="other")
        operator.clock.age(5)
        api.put(f"{MAPS}/b", stamped(operator.clock.text(0.2)))
        await eventually(lambda: bool(operator.reads(TEAM)))
        await asyncio.sleep(NOTHING_HAPPENS)
        assert operator.deletes() == []


async def test_a_burst_in_one_namespace_asks_for_it_once_a_second() -> None:
    async with FakeApi() as api, operating(api, "--max-deletes-per-second", "0") as operator:
        await in_web(operator)
        operator.clock.age(5)
        end = operator.clock.text(0.3)
        for number in range(100):
            api.put(f"{MAPS}/b{number}", stamped(end))
        await eventually(lambda: len(operator.deletes()) == 100)
        assert len(operator.reads(TEAM)) <= 2


async def test_nothing_ends_while_its_namespace_cannot_be_read() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await in_web(operator)
        operator.clock.age(5)
        api.fault(Fault("status", TEAM, "GET", times=2))
        api.put(f"{MAPS}/b", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("b"))
        assert len(operator.reads(TEAM)) == 3


async def test_a_kind_that_cannot_be_watched_is_not_followed_and_the_policy_says_so() -> None:
    async with FakeApi() as api:
        api.resources.append(REPORTS)
        api.verbs[REPORTS] = ["get", "delete", "patch"]
        async with operating(api) as operator:
            resources = [
                {"apiGroups": [""], "resources": ["configmaps"]},
                {"apiGroups": [REPORTS.group], "resources": [REPORTS.plural]},
            ]
            await operator.put_policy(match={"resources": resources})
            api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
            await eventually(lambda: operator.gone("a"))
            await eventually(lambda: "Enforceable" in operator.conditions())
            found, reason, message = operator.conditions()["Enforceable"]
        assert (found, reason) == ("False", "KindNotFound")
        assert "offers no list or watch for reports.metrics.example.com" in message
        assert operator.reads(REPORTS.path()) == []

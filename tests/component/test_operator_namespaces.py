"""Namespaces, which end as a whole: what keeps one, and what does not go."""

from typing import Any

from dayfly_core import names
from support.fake_api import FakeApi
from support.operators import operating, stamped
from support.waiting import eventually

NAMESPACES = "/api/v1/namespaces"


async def test_a_namespace_with_something_protected_in_it_stays_and_says_what() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy(resources=("namespaces",))
        api.put(f"{NAMESPACES}/empty", stamped(operator.clock.text(0.5)))
        api.put(f"{NAMESPACES}/full", stamped(operator.clock.text(0.5)))
        labels = {"labels": {names.PROTECTED: "true"}}
        api.put(f"{NAMESPACES}/full/configmaps/precious", {"metadata": labels})
        await eventually(lambda: f"{NAMESPACES}/empty" not in api.objects)
        await eventually(lambda: "Protected" in operator.events("full"))
        assert operator.deletes("full") == []


async def test_namespaces_that_are_guarded_never_end() -> None:
    async with FakeApi() as api, operating(api) as operator:
        guard = f"{NAMESPACES}/{names.SYSTEM_NAMESPACE}/configmaps/{names.GUARD_CONFIG_MAP}"
        api.put(guard, {"data": {"namespaces": "team-*"}})
        await operator.put_policy(resources=("namespaces",))
        spared = ("default", "kube-system", names.SYSTEM_NAMESPACE, "team-a")
        for name in (*spared, "other"):
            api.put(f"{NAMESPACES}/{name}", stamped(operator.clock.text(0.3)))
        await eventually(lambda: f"{NAMESPACES}/other" not in api.objects)
        assert len(operator.deletes()) == 1


async def test_a_namespace_that_does_not_go_is_reported_with_what_holds_it() -> None:
    async with FakeApi() as api, operating(api, "--stuck-after", "200ms") as operator:
        await operator.put_policy(resources=("namespaces",))
        held = {"metadata": {"finalizers": ["example.com/hold"]}}
        api.put(f"{NAMESPACES}/sticky/configmaps/held", held)
        remaining = {
            "type": "NamespaceContentRemaining",
            "status": "True",
            "message": "Some resources are remaining: configmaps. has 1 resource instances",
        }
        item: dict[str, Any] = stamped(operator.clock.text(-1))
        item["status"] = {"conditions": [remaining]}
        item["metadata"]["deletionTimestamp"] = operator.clock.text(-0.5)
        item["metadata"]["finalizers"] = ["kubernetes"]
        api.put(f"{NAMESPACES}/sticky", item)
        await eventually(lambda: "NamespaceStuck" in operator.events("sticky"))
        await eventually(lambda: "Stuck" in operator.conditions())
        status, _, message = operator.conditions()["Stuck"]
        assert status == "True"
        assert "configmaps/sticky/held keeps finalizer example.com/hold" in message
        assert operator.deletes("sticky") == []

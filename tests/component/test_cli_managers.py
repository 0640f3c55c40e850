"""Ephemerators and NamespaceManagers in ``list``, ``explain`` and ``simulate``, over real HTTP."""

import json
from typing import Any

import pytest

from dayfly_core import names
from dayfly_core.objects import EPHEMERATORS, NAMESPACE_MANAGERS
from support.fake_api import Fault
from support.shell import Shell, stamped

CREATED = "2026-11-22T09:00:00Z"


def ephemerator(namespace: str, **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"annotations": {names.ENABLED: "true"}, "creationTimestamp": CREATED},
        "spec": {
            "resourceToWatch": {"namespace": namespace},
            "lifetime": {"duration": {"months": 1}},
        },
        "status": status,
    }


def manager(seconds: int, action: str = "DELETE") -> dict[str, Any]:
    policy = {
        "name": "by time",
        "condition": {"type": "TTL", "params": {"ttlSeconds": seconds}},
        "action": {"type": action},
    }
    return {"metadata": {"creationTimestamp": CREATED}, "spec": {"policies": [policy]}}


@pytest.fixture(autouse=True)
def fresh(shell: Shell) -> None:
    shell.api.put("/api/v1/namespaces/fresh", {"metadata": {"creationTimestamp": CREATED}})


def put_manager(shell: Shell, name: str, spec: dict[str, Any]) -> None:
    spec["spec"]["namespace"] = "fresh"
    shell.api.put(NAMESPACE_MANAGERS.path("fresh", name), spec)


async def listed(shell: Shell, flags: str) -> dict[str, dict[str, Any]]:
    answer = await shell.run(f"list {flags} -o json")
    return {f"{i['kind']}/{i['name']}": i for i in json.loads(answer.out)["items"]}


async def test_of_two_managers_of_one_namespace_the_earlier_one_is_its_end(shell: Shell) -> None:
    put_manager(shell, "late", manager(7 * 3600))
    put_manager(shell, "soon", manager(3 * 3600))
    found = await listed(shell, "-n fresh")
    assert found["Namespace/fresh"]["endsAt"] == "2026-11-22T12:00:00Z"
    assert found["Namespace/fresh"]["endedBy"] == "NamespaceManager/fresh/soon"


@pytest.mark.parametrize(
    ("status", "end"),
    [
        pytest.param({}, "2026-12-22T09:00:00Z", id="a month of the calendar"),
        pytest.param(
            {"expiresAtSeconds": 1797757200},
            "2026-12-20T09:00:00Z",
            id="28 days, as its operator says",
        ),
    ],
)
async def test_an_ephemerator_is_listed_with_its_namespace(
    shell: Shell, status: dict[str, Any], end: str
) -> None:
    shell.api.put(EPHEMERATORS.path(name="e"), ephemerator("fresh", **status))
    found = await listed(shell, "-A")
    assert found["Namespace/fresh"]["endsAt"] == end
    assert found["Namespace/fresh"]["endedBy"] == "Ephemerator/e"
    assert found["Ephemerator/e"]["endsAt"] == end


async def test_what_is_in_a_namespace_ends_with_it_whoever_ends_it(shell: Shell) -> None:
    put_manager(shell, "m", manager(3 * 3600))
    inside = "/apis/apps/v1/namespaces/fresh/deployments/web"
    shell.api.put(inside, stamped("2026-11-22T18:00:00Z"))
    found = await listed(shell, "-n fresh")
    assert found["Deployment/web"]["endsAt"] == "2026-11-22T12:00:00Z"


async def test_one_that_only_scales_down_is_listed_by_what_it_does(shell: Shell) -> None:
    put_manager(shell, "m", manager(7200, "SCALE_DOWN"))
    answer = await shell.run("list -n fresh")
    assert "namespacemanager.k8s.consol.de/m" in answer.out
    assert "scale down namespaces/fresh" in answer.out
    assert "namespace/fresh " not in answer.out


async def test_explain_says_what_a_manager_will_do(shell: Shell) -> None:
    put_manager(shell, "m", manager(7200))
    answer = await shell.run("explain namespacemanager/m -n fresh")
    assert "delete namespaces/fresh" in answer.out
    assert "by time of NamespaceManager/fresh/m" in answer.out


async def test_explain_says_who_ends_a_namespace(shell: Shell) -> None:
    put_manager(shell, "m", manager(7200))
    answer = await shell.run("explain namespace/fresh")
    assert answer.out.splitlines()[1].split()[0] == "2026-11-22T11:00:00Z"


async def test_simulate_runs_managers_and_policies_together(shell: Shell) -> None:
    put_manager(shell, "m", manager(7200))
    answer = await shell.run("simulate -A --for 3h -o json")
    events = json.loads(answer.out)["events"]
    assert [(each["what"], each["name"]) for each in events] == [
        ("delete", "fresh"),
        ("delete", "web"),
    ]


async def test_who_may_not_list_them_sees_the_rest(shell: Shell) -> None:
    for resource in (EPHEMERATORS, NAMESPACE_MANAGERS):
        shell.api.fault(Fault("status", resource.path(), code=403, reason="Forbidden"))
    assert set(await listed(shell, "-n shop")) == {
        "Deployment/web",
        "Namespace/shop",
        "Deployment/api",
    }


def waiting_for_pods() -> dict[str, Any]:
    spec = manager(0, "SCALE_DOWN")
    spec["spec"]["policies"][0]["condition"] = {
        "type": "PODS_SUCCEED",
        "params": {"podLabels": {"component": "main"}},
    }
    seen = {"name": "by time", "result": "Waiting", "message": "1 of 3 pods have succeeded"}
    return {**spec, "status": {"policies": [seen]}}


WAITS = (
    "namespace fresh is scaled down once all pods with component=main have succeeded, "
    "by its policy by time; 1 of 3 pods have succeeded"
)


@pytest.mark.parametrize("command", ["explain", "show"])
@pytest.mark.parametrize("target", ["namespace/fresh", "namespacemanager/m"])
async def test_what_waits_for_pods_is_said(shell: Shell, command: str, target: str) -> None:
    put_manager(shell, "m", waiting_for_pods())
    answer = await shell.run(f"{command} {target} -n fresh")
    assert WAITS in answer.out
    assert "nothing will happen" not in answer.out


def deactivated() -> dict[str, Any]:
    spec = manager(60)
    done = {"name": "by time", "result": "Done", "id": "x", "targetUid": "u"}
    return {**spec, "spec": {**spec["spec"], "deactivated": True}, "status": {"policies": [done]}}


@pytest.mark.parametrize("command", ["explain", "show"])
@pytest.mark.parametrize(
    ("path", "stored", "why"),
    [
        pytest.param(
            EPHEMERATORS.path(name="m"),
            {**ephemerator("fresh"), "metadata": {"creationTimestamp": CREATED}},
            f'it does not carry the annotation {names.ENABLED}: "true" (Disabled)',
            id="an Ephemerator that is not in force",
        ),
        pytest.param(
            EPHEMERATORS.path(name="m"),
            {"metadata": {"creationTimestamp": CREATED}, "spec": {"namespaceToWatch": "fresh"}},
            "(InvalidSpec)",
            id="an Ephemerator that cannot be read",
        ),
        pytest.param(
            NAMESPACE_MANAGERS.path("fresh", "m"),
            deactivated(),
            "policy by time has acted; set it to false to begin anew (Deactivated)",
            id="a NamespaceManager that has acted",
        ),
    ],
)
async def test_what_does_nothing_says_why(
    shell: Shell, command: str, path: str, stored: dict[str, Any], why: str
) -> None:
    shell.api.put(path, stored)
    target = "ephemerator/m" if path == EPHEMERATORS.path(name="m") else "namespacemanager/m"
    answer = await shell.run(f"{command} {target} -n fresh")
    assert ("it does nothing: " if command == "explain" else "does        nothing: ") in answer.out
    assert why in answer.out


async def test_show_says_who_ends_a_namespace_and_what_is_in_it(shell: Shell) -> None:
    shell.api.put(EPHEMERATORS.path(name="e"), ephemerator("fresh"))
    answer = await shell.run("show namespace/fresh")
    assert "2026-12-22T09:00:00Z (in 29d23h), by Ephemerator/e" in answer.out
    assert "moved by    a change of Ephemerator/e" in answer.out
    shell.api.put("/apis/apps/v1/namespaces/fresh/deployments/web", {"metadata": {}})
    inside = await shell.run("show deployments/web -n fresh")
    assert "namespace   fresh ends 2026-12-22T09:00:00Z" in inside.out


async def test_show_says_what_an_ephemerator_does(shell: Shell) -> None:
    shell.api.put(EPHEMERATORS.path(name="e"), ephemerator("fresh"))
    answer = await shell.run("show ephemerator/e")
    assert "does        delete namespaces/fresh at 2026-12-22T09:00:00Z (in 29d23h)" in answer.out
    assert "ends        by itself, once its namespace is gone" in answer.out

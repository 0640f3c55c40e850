"""Managers without a known instant in ``list``, and ``list --watch`` of managers, over HTTP."""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from dayfly_core import names
from dayfly_core.objects import EPHEMERATORS, NAMESPACE_MANAGERS
from support.fake_api import Fault
from support.shell import Shell, stamped
from support.waiting import eventually

CREATED = "2026-11-22T09:00:00Z"
FRESH = "/api/v1/namespaces/fresh"
WEB = "/apis/apps/v1/namespaces/fresh/deployments/web"
EPHEMERATOR = EPHEMERATORS.path(name="e")
MANAGER = NAMESPACE_MANAGERS.path("ops", "m")
BY = "NamespaceManager/ops/m"
NOON, LATER, EVENING = "2026-11-22T12:00:00Z", "2026-11-22T15:00:00Z", "2026-11-22T18:00:00Z"


def ephemerator(until: str, *, enabled: bool = True) -> dict[str, Any]:
    date, _, time = until.removesuffix("Z").partition("T")
    lifetime = {"until": {"date": date, "time": time, "timezone": "UTC"}}
    annotations = {names.ENABLED: "true"} if enabled else {}
    return {
        "metadata": {"annotations": annotations, "creationTimestamp": CREATED},
        "spec": {"namespaceToWatch": "fresh", "lifetime": lifetime},
    }


def manager(condition: dict[str, Any], action: str = "DELETE") -> dict[str, Any]:
    policy = {"name": "p", "condition": condition, "action": {"type": action}}
    spec = {"namespace": "fresh", "policies": [policy]}
    return {"metadata": {"creationTimestamp": CREATED}, "spec": spec}


def after(hours: int) -> dict[str, Any]:
    return {"type": "TTL", "params": {"ttlSeconds": hours * 3600}}


PODS = {"type": "PODS_SUCCEED", "params": {"podLabels": {"type": "test"}}}


@pytest.fixture(autouse=True)
def fresh(shell: Shell) -> None:
    shell.api.put(FRESH, {"metadata": {"creationTimestamp": CREATED}})
    shell.api.put("/api/v1/namespaces/ops")


async def items(shell: Shell, flags: str) -> dict[str, dict[str, Any]]:
    answer = await shell.run(f"list {flags} -o json")
    return {f"{i['kind']}/{i['name']}": i for i in json.loads(answer.out)["items"]}


@pytest.mark.parametrize("flags", ["-A", "-n fresh"])
async def test_what_waits_for_pods_is_listed_with_the_namespace_that_it_ends(
    shell: Shell, flags: str
) -> None:
    shell.api.put(MANAGER, manager(PODS))
    found = await items(shell, flags)
    for name in ("NamespaceManager/m", "Namespace/fresh"):
        assert (found[name]["endsAt"], found[name]["endedBy"]) == (None, BY)
        assert found[name]["awaits"]["reason"] == "PodsNotSucceeded"
    assert "once all pods with type=test have succeeded" in found[name]["awaits"]["message"]


async def test_in_the_table_a_word_stands_where_no_instant_is_known(shell: Shell) -> None:
    shell.api.put(MANAGER, manager(PODS, "SCALE_DOWN"))
    shell.api.put(EPHEMERATOR, ephemerator(NOON, enabled=False))
    lines = (await shell.run("list -n fresh")).out.splitlines()
    [waits] = [line for line in lines if "namespacemanager" in line]
    [disabled] = [line for line in lines if "ephemerator" in line]
    columns = ["when its pods succeed", "-", BY, "scale down namespaces/fresh"]
    assert re.split("  +", waits)[1:] == columns
    assert disabled.split()[1] == "disabled"
    assert names.ENABLED in disabled


async def test_a_manager_beside_the_namespace_that_it_is_about_is_listed_there(
    shell: Shell,
) -> None:
    shell.api.put(MANAGER, manager(after(3)))
    found = await items(shell, "-n ops")
    assert found["NamespaceManager/m"]["endsAt"] == NOON
    assert "Namespace/fresh" not in found


async def test_a_manager_that_nobody_can_read_hides_no_other(shell: Shell) -> None:
    shell.api.put(MANAGER, {"spec": {"namespace": "fresh", "policies": ["x"]}})
    shell.api.put(EPHEMERATOR, ephemerator(NOON))
    found = await items(shell, "-A")
    assert found["Ephemerator/e"]["endsAt"] == NOON
    assert found["NamespaceManager/m"]["awaits"]["reason"] == "InvalidRule"


Told = list[tuple[str, str | None, bool]]


def told(lines: list[str]) -> Told:
    """Name, end and whether it is gone, of each line of ``-o json``."""
    return [(i["name"], i["endsAt"], i["gone"]) for i in map(json.loads, lines)]


def _are_told(expected: set[tuple[str, str, bool]], lines: Callable[[], list[str]]) -> bool:
    return expected <= set(told(lines()))


WHERE = pytest.mark.parametrize("flags", ["-A", "-n fresh"])


@WHERE
async def test_watch_hears_of_an_ephemerator_that_comes_changes_and_goes(
    shell: Shell, flags: str
) -> None:
    shell.api.put(WEB, stamped(EVENING))
    async with shell.watching(f"{flags} -o json") as lines:
        await eventually(lambda: ("web", EVENING, False) in told(lines()))
        for end in (NOON, LATER):
            shell.api.put(EPHEMERATOR, ephemerator(end))
            ends = {(name, end, False) for name in ("e", "fresh", "web")}
            await eventually(partial(_are_told, ends, lines))
        shell.api.remove(EPHEMERATOR)
        await eventually(lambda: ("e", LATER, True) in told(lines()))
        await eventually(lambda: ("fresh", LATER, True) in told(lines()))
        await eventually(lambda: told(lines()).count(("web", EVENING, False)) == 2)


@WHERE
async def test_watch_hears_of_a_manager_that_is_done(shell: Shell, flags: str) -> None:
    shell.api.put(MANAGER, manager(PODS))
    async with shell.watching(f"{flags} -o json") as lines:
        await eventually(lambda: ("m", None, False) in told(lines()))
        done = manager(PODS)
        done["spec"]["deactivated"] = True
        done["status"] = {
            "policies": [{"name": "p", "result": "Done", "id": "x", "targetUid": "u"}]
        }
        shell.api.put(MANAGER, done)
        await eventually(lambda: {("m", None, True), ("fresh", None, True)} <= set(told(lines())))


async def test_watch_hears_of_a_namespace_that_a_manager_waits_for(shell: Shell) -> None:
    shell.api.remove(FRESH)
    shell.api.put(MANAGER, manager(after(3)))
    async with shell.watching("-A -o json") as lines:
        await eventually(lambda: ("m", None, False) in told(lines()))
        shell.api.put(FRESH, {"metadata": {"creationTimestamp": CREATED}})
        await eventually(lambda: {("m", NOON, False), ("fresh", NOON, False)} <= set(told(lines())))


async def test_with_labels_only_the_end_of_the_namespace_counts(shell: Shell) -> None:
    shell.api.put(WEB, stamped(EVENING, tier="back"))
    async with shell.watching("-A -l tier=back -o json") as lines:
        await eventually(lambda: ("web", EVENING, False) in told(lines()))
        shell.api.put(EPHEMERATOR, ephemerator(NOON))
        await eventually(lambda: ("web", NOON, False) in told(lines()))
        assert {name for name, _, _ in told(lines())} == {"web"}


async def test_who_may_list_managers_only_here_watches_those(shell: Shell) -> None:
    everywhere = NAMESPACE_MANAGERS.path()
    shell.api.fault(Fault("status", everywhere, code=403, reason="Forbidden"))
    here = NAMESPACE_MANAGERS.path("fresh", "m")
    async with shell.watching("-n fresh -o json") as lines:
        shell.api.put(here, manager(after(3)))
        await eventually(lambda: ("m", NOON, False) in told(lines()))
    assert [r.path for r in shell.api.watches() if "manager" in r.path] == [
        NAMESPACE_MANAGERS.path("fresh")
    ]


async def test_watch_looks_again_after_trouble_and_tells_of_it_beside_the_list(
    shell: Shell,
) -> None:
    async with shell.watching("-n fresh -o json") as lines:
        shell.api.fault(Fault("status", FRESH, code=500, times=100_000))
        shell.api.put(EPHEMERATOR, ephemerator(NOON))
        await eventually(lambda: "the connection is lost" in shell.remarks.getvalue())
        shell.api.heal()
        await eventually(lambda: ("e", NOON, False) in told(lines()))
    assert len(shell.remarks.getvalue().splitlines()) == 2, "that it is lost, that it is back"


async def test_watch_tells_once_that_all_of_its_streams_are_lost_and_once_that_they_are_back(
    shell: Shell,
) -> None:
    shell.api.put(EPHEMERATOR, ephemerator(NOON))
    async with shell.watching("-A -o json") as lines:
        await eventually(lambda: len(shell.api.watches()) > 2)
        shell.api.fault(Fault("reset", times=100_000))
        shell.api.release()
        await eventually(lambda: "the connection is lost" in shell.remarks.getvalue())
        shell.api.heal()
        shell.api.put(FRESH, {"metadata": {"creationTimestamp": CREATED}})
        await eventually(lambda: "the connection is back" in shell.remarks.getvalue())
        assert ("e", NOON, False) in told(lines())
    assert len(shell.remarks.getvalue().splitlines()) == 2

"""A policy that ends 500 namespaces by mistake: none of them ends until a person says so."""

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from dayfly_core.reasons import Condition
from playground import ControlPlane, System
from playground.audit import AuditEvent
from playground.tenure import by_nobody, written
from support.plots import administrator, now, planted, until, until_time
from support.replicas import back
from support.stalls import Stalls

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

MANY = 500
RATE = 50
UNDER_WAY = 16
"""As many acts are begun at most, and arrive at once when the machine stood still meanwhile."""
GRACE = timedelta(seconds=5)
LIFE = timedelta(minutes=1)
SLOW = 120
"""Seconds; the machine may be busy with other things."""


@pytest.fixture(scope="module")
def paced(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Dayfly on a control plane of its own, which need not be tidied up."""
    flags = ("--max-deletes-per-second", str(RATE))
    with (
        ControlPlane.start(tmp_path_factory.mktemp("mass")) as started,
        System.install(started, operator_flags=flags) as installed,
    ):
        yield installed


def namespaces(label: str) -> str:
    items = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": f"{label}-{number:03}", "labels": {"mass": label}},
        }
        for number in range(MANY)
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def mistake(label: str) -> str:
    match = {
        "namespaceSelector": {"matchLabels": {"mass": label}},
        "resources": [{"apiGroups": [""], "resources": ["namespaces"]}],
    }
    return json.dumps(
        {
            "apiVersion": "dayfly.dev/v1alpha1",
            "kind": "ExpiryPolicy",
            "metadata": {"name": label},
            "spec": {"match": match, "ttl": {"default": "1m"}, "grace": "5s"},
        }
    )


def dayfly(system: System, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dayfly_cli", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONSAFEPATH": "1", "KUBECONFIG": str(system.plane.kubeconfig)},
        check=False,
        timeout=60,
    )


def status(system: System, policy: str) -> dict[str, Any]:
    found: dict[str, Any] = system.plane.read("expirypolicy", policy).get("status", {})
    return found


def caught(system: System, policy: str) -> tuple[int, int, int]:
    """Return how many its breaker holds, how many it matches, and how many ends are told."""
    found = status(system, policy)
    held = found.get("breaker", {}).get("held", 0)
    return held, found.get("matched", 0), len(found.get("nextEnds", ()))


def condition(system: System, policy: str) -> str:
    conditions = status(system, policy).get("conditions", [])
    return next((c["status"] for c in conditions if c["type"] == Condition.BREAKER_OPEN), "")


def deletions(system: System, since: int, label: str) -> list[AuditEvent]:
    return [
        event
        for event in written(system.plane.audit(since))
        if event.verb == "delete"
        and event.accepted
        and event.object_ref.resource == "namespaces"
        and event.object_ref.name.startswith(f"{label}-")
    ]


def left(system: System, label: str) -> int:
    found = system.plane.read("namespaces", "-l", f"mass={label}")["items"]
    return sum(1 for item in found if "deletionTimestamp" not in item["metadata"])


async def test_a_mass_mistake_ends_nothing_until_a_person_confirms_it(
    paced: System, stalls: Stalls
) -> None:
    label = f"mass-{secrets.token_hex(2)}"
    since = paced.plane.audit_log.position()
    paced.plane.apply(namespaces(label), "--server-side")
    began = now()
    paced.plane.apply(mistake(label))

    await holds(lambda: condition(paced, label) == "True")
    assert deletions(paced, since, label) == [], "nothing ends before the breaker opens"
    await holds(lambda: caught(paced, label) == (MANY, MANY, 20))

    leader = paced.leader()
    leader.kill(signal.SIGKILL)
    paced.leader(other_than=leader)
    await until_time(max(began + GRACE + LIFE, now()) + timedelta(seconds=10))
    assert deletions(paced, since, label) == []
    assert left(paced, label) == MANY
    leader.stop()
    back(leader)

    shown = dayfly(paced, "breaker", "show", label)
    assert shown.returncode == 0, shown.stderr
    assert f"The breaker of {label} is open since" in shown.stdout
    assert f"and {MANY - 10} more" in shown.stdout
    unsure = dayfly(paced, "breaker", "reset", label)
    assert unsure.returncode == 1
    assert f"{MANY} objects would end" in unsure.stderr
    assert left(paced, label) == MANY

    sure = dayfly(paced, "breaker", "reset", label, "--yes")
    assert sure.returncode == 0, sure.stderr
    await holds(lambda: left(paced, label) == 0)
    await holds(lambda: len(deletions(paced, since, label)) >= MANY)
    ended = deletions(paced, since, label)
    assert len({event.object_ref.name for event in ended}) == len(ended) == MANY
    assert busiest([event.request_received_timestamp for event in ended]) <= 2 * RATE + UNDER_WAY
    assert by_nobody(list(paced.plane.audit(since)), still=stalls.spans) == []
    await holds(lambda: condition(paced, label) == "False")
    await holds(lambda: told(paced, label) == MANY)


SLEPT_OVER = 60


async def test_a_policy_that_is_resumed_ends_nothing_until_a_person_confirms_it(
    paced: System,
) -> None:
    async with administrator(paced.plane) as client, planted(client) as plot:
        end = now() + timedelta(seconds=20)
        await plot.sow({f"preview-{number:02}": end for number in range(SLEPT_OVER)})
        await plot.amend({"suspend": True})
        await holds(lambda: not status(paced, plot.name).get("reach", {"digest": "-"})["digest"])
        await until_time(max(end, now()) + timedelta(seconds=1))
        assert len(await plot.left()) == SLEPT_OVER
        await plot.amend({"suspend": False})
        await holds(lambda: condition(paced, plot.name) == "True")

        leader = paced.leader()
        leader.kill(signal.SIGKILL)
        paced.leader(other_than=leader)
        await plot.after(now())  # what is announced ends as ever, meanwhile
        assert len(await plot.left()) == SLEPT_OVER
        await holds(lambda: caught(paced, plot.name)[0] == SLEPT_OVER)
        leader.stop()
        back(leader)

        assert dayfly(paced, "breaker", "reset", plot.name, "--yes").returncode == 0
        await plot.gone(await plot.left(), SLOW)
        await holds(lambda: condition(paced, plot.name) == "False")


def told(system: System, label: str) -> int:
    """Count what the history says of the policy."""
    answer = dayfly(system, "history", "-A", "--policy", label, "-o", "json")
    assert answer.returncode == 0, answer.stderr
    items: list[dict[str, Any]] = json.loads(answer.stdout)["items"]
    assert len({item["uid"] for item in items}) == len(items)
    return len(items)


async def holds(question: Callable[[], object]) -> None:
    """Wait until it does; each question is a process or a request, beside the event loop."""
    await until(lambda: asyncio.to_thread(question), SLOW)


def busiest(times: list[datetime]) -> int:
    """Count what came in the busiest second."""
    ordered, first, most = sorted(times), 0, 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] >= timedelta(seconds=1):
            first += 1
        most = max(most, last - first + 1)
    return most

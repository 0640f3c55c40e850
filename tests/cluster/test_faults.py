"""What happens around Dayfly: the API server goes away, its configuration is tampered with,
namespaces do not go, and the machine stands in another place than the programmer's."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dayfly_core import instant, names, reasons
from dayfly_core.lease import Lease
from dayfly_core.objects import NAMESPACES
from playground import System
from playground.ports import free
from playground.process import Process, eventually
from playground.programs import Replica, admission, operator
from playground.system import names_replica
from playground.tenure import written
from support.doors import elsewhere, over_ipv6, second_api_server
from support.plots import (
    PATIENCE,
    Plot,
    administrator,
    condition,
    now,
    planted,
    until,
    until_time,
)
from support.replicas import away, frozen, metric, said, spoken
from support.stalls import Stalls

pytestmark = pytest.mark.cluster

OUTAGE = timedelta(seconds=20)


def api_server(system: System) -> Process:
    (process,) = system.plane.roster.named("kube-apiserver")
    return process


@pytest.fixture(scope="module")
def door(rough: System) -> Iterator[str]:
    """The URL of an API server that Dayfly does not know."""
    with second_api_server(rough.plane) as url:
        yield url


@contextmanager
def controllers_back(system: System) -> Generator[None]:
    """Start the controllers anew afterwards: they would wait up to 40 s before they look again."""
    yield
    for process in system.plane.roster.named("kube-controller-manager"):
        process.restart(60)


@pytest.mark.parametrize(
    "outage",
    [
        pytest.param(frozen, id="that does not answer"),
        pytest.param(away, id="that is not there"),
    ],
)
async def test_ends_during_an_api_server_outage(
    rough: System,
    door: str,
    stalls: Stalls,
    outage: Callable[[Process], AbstractContextManager[None]],
) -> None:
    async with (
        administrator(rough.plane, door) as client,
        planted(client) as plot,
        planted(client) as freed,
    ):
        start = now() + timedelta(seconds=10)
        ends = {f"due-{i:02}": start + i * timedelta(seconds=0.5) for i in range(24)}
        await plot.sow(ends)
        await freed.sow(ends)
        extended = sorted(ends)[1::2]
        with controllers_back(rough), outage(api_server(rough)):
            gone_at = now()
            await freed.forsake()
            accepted = [await plot.extend(name) for name in extended]
            assert all(accepted)
            await until_time(max(gone_at + OUTAGE, max(ends.values()) + timedelta(seconds=1)))
            assert [metric(replica, "dayfly_leading") for replica in rough.operators] == [0] * 3
            assert len(await plot.left()) == len(ends)
        await plot.gone(set(ends) - set(extended))
        returned = now()
        await plot.after(returned)
        took = now() - returned - stalls.lost(returned, now())
        assert took < timedelta(seconds=30), "the watches are back, too: nobody asks so soon again"
        assert (await plot.left()).keys() == set(extended)
        assert (await freed.left()).keys() == set(ends)


# What the leader keeps in the webhook configurations.


def webhook(system: System, name: str) -> dict[str, Any]:
    return next(entry for entry in system.webhooks() if entry["name"] == name)


@pytest.mark.parametrize(
    ("kind", "configuration", "entry"),
    [
        pytest.param(
            "mutatingwebhookconfiguration",
            names.MUTATING_CONFIGURATION,
            names.STAMP_WEBHOOK,
            id="what stamps",
        ),
        pytest.param(
            "validatingwebhookconfiguration",
            names.VALIDATING_CONFIGURATION,
            names.JUDGE_WEBHOOK,
            id="what judges",
        ),
    ],
)
@pytest.mark.parametrize("field", ["rules", "clientConfig/caBundle"])
def test_a_wiped_webhook_is_repaired(
    rough: System, kind: str, configuration: str, entry: str, field: str
) -> None:
    before = webhook(rough, entry)
    wipe = [{"op": "remove", "path": f"/webhooks/0/{field}"}]
    patch = msgspec.json.encode(wipe).decode()
    rough.plane.kubectl("patch", kind, configuration, "--type=json", "-p", patch)
    assert eventually(lambda: webhook(rough, entry) == before, PATIENCE)


async def test_a_deleted_webhook_configuration_stays_deleted_and_ends_go_on(
    rough: System, plot: Plot
) -> None:
    due = now() + timedelta(seconds=6)
    await plot.sow({f"still-{i}": due for i in range(5)})
    heard = [spoken(replica) for replica in rough.operators]
    with switched_off(rough):
        await plot.gone([f"still-{i}" for i in range(5)])
        await until(lambda: leader_reads(rough, "dayfly_webhook_configurations_missing", 1))
        await until(lambda: is_made_unstamped(plot))
        missing = rough.plane.try_kubectl(
            "get", "mutatingwebhookconfiguration", names.MUTATING_CONFIGURATION
        )
        assert not missing.ok
    told = [said(*of).count(MISSING) for of in zip(rough.operators, heard, strict=True)]
    assert max(told) == 1
    await until(lambda: leader_reads(rough, "dayfly_webhook_configurations_missing", 0))


MISSING = "webhook configuration is missing"


async def is_made_unstamped(plot: Plot) -> bool:
    """Whether the API server asks nobody any more: it hears a little later than who deleted it."""
    meta = await plot.make("unstamped", {names.TTL: "1h"}, dry_run=True)
    return names.POLICY not in meta.label_map


@contextmanager
def switched_off(system: System) -> Generator[None]:
    """Delete the configuration that stamps, as an administrator in trouble would."""
    system.plane.kubectl("delete", "mutatingwebhookconfiguration", names.MUTATING_CONFIGURATION)
    try:
        yield
    finally:
        system.apply()
        system.wait_ready()
        system.wait_enforced(["configmaps", "namespaces"])


async def leader_reads(system: System, name: str, value: float) -> bool:
    """Ask whoever leads: that may change while the machine stands still."""
    leader = await asyncio.to_thread(system.leader)
    return await asyncio.to_thread(metric, leader, name) == value


# A namespace that does not go.


HELD = "test.example/hold"


@pytest.fixture
async def held(rough: System) -> AsyncIterator[Plot]:
    """A namespace that ends, with something in it that somebody else has to let go of."""
    async with administrator(rough.plane) as client, planted(client) as plot:
        meta = {"name": "anchor", "finalizers": [HELD]}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
        await client.create(plot.path(), body)
        match = {"resources": [{"apiGroups": [""], "resources": ["configmaps", "namespaces"]}]}
        await plot.amend({"match": match})
        try:
            yield plot
        finally:
            await plot.change("anchor", finalizers=[])


async def test_a_namespace_that_does_not_go_is_reported_until_it_does(
    rough: System, held: Plot
) -> None:
    path = NAMESPACES.path(name=held.name)
    await until(lambda: stamped_to_end(held, path))
    why = f"configmaps/{held.name}/anchor keeps finalizer {HELD}"
    await until(lambda: condition(held, "Stuck", "True", why))
    assert "is Terminating since 20" in await condition(held, "Stuck", "True")
    await until(lambda: leader_reads(rough, "dayfly_namespaces_stuck", 1))
    await until(lambda: is_told(rough, held.name, reasons.Reason.NAMESPACE_STUCK))
    await held.change("anchor", finalizers=[])
    await until(lambda: condition(held, "Stuck", "False"))
    await until(lambda: leader_reads(rough, "dayfly_namespaces_stuck", 0))
    gone = rough.plane.try_kubectl("get", "namespace", held.name)
    assert "not found" in gone.stderr


async def is_told(system: System, name: str, reason: str) -> bool:
    """Whether there is an Event about it."""
    found = await asyncio.to_thread(
        system.plane.kubectl,
        *("get", "events.events.k8s.io", "-A", "-o", "jsonpath={.items[*].reason}"),
        f"--field-selector=regarding.name={name}",
    )
    return reason in found.split()


async def stamped_to_end(plot: Plot, path: str) -> bool:
    """Give the namespace an end, once the webhooks take it for the policy's."""
    change = {"metadata": {"annotations": {names.TTL: "2s"}}}
    answer = await plot.client.merge_patch(path, change)
    return names.EXPIRES_AT.encode() in answer


# Places.


async def test_another_time_zone_moves_no_end(rough: System, plot: Plot) -> None:
    """The only operator and one admission replica believe to be in India, 5:30 h ahead."""
    operators, moved = rough.operators[1:], (rough.operators[0], rough.admissions[0])
    with away(*operators), moved_to("Asia/Kolkata", *moved):
        leader = await asyncio.to_thread(rough.leader)
        assert leader is moved[0]
        since = rough.plane.audit_log.position()
        made = [await plot.make(f"soon-{i}", {names.TTL: "3s"}) for i in range(8)]
        ends = {meta.name: instant.parse(meta.annotation_map[names.EXPIRES_AT]) for meta in made}
        assert all(abs(end - now()) < timedelta(minutes=1) for end in ends.values())
        await plot.gone(ends)
        await until(lambda: are_over(rough, plot, since, ends))
        path = f"/apis/coordination.k8s.io/v1/namespaces/{names.SYSTEM_NAMESPACE}/leases"
        lease = msgspec.json.decode(await plot.client.get(f"{path}/{names.LEASE}"), type=Lease)
        assert lease.spec
        assert lease.spec.renew_time
        assert abs(instant.parse(lease.spec.renew_time) - now()) < timedelta(minutes=1)


async def are_over(system: System, plot: Plot, since: int, ends: Mapping[str, datetime]) -> bool:
    """Whether each was deleted, and none before its end."""
    acts = (e for e in written(system.plane.audit(since)) if e.object_ref.namespace == plot.name)
    over = {e.object_ref.name: e.request_received_timestamp for e in acts if e.verb == "delete"}
    assert all(ends[name] <= at for name, at in over.items() if name in ends)
    return ends.keys() <= over.keys()


@contextmanager
def moved_to(zone: str, *processes: Process) -> Generator[None]:
    """Restart them with another TZ meanwhile."""
    specs = [process.spec for process in processes]
    try:
        for process in processes:
            process.spec = msgspec.structs.replace(
                process.spec, env={**process.spec.env, "TZ": zone, "LC_ALL": "C"}
            )
            process.restart(60)
        yield
    finally:
        for process, spec in zip(processes, specs, strict=True):
            process.spec = spec
            process.restart(60)


@pytest.fixture
def kubeconfig_over_ipv6(rough: System) -> Iterator[Callable[[str], Path]]:
    """Kubeconfigs of accounts (``admin`` too) that name the API server by ``https://[::1]``."""
    with over_ipv6(rough.plane) as port:
        yield lambda account: elsewhere(
            rough.plane.layout.credential(account), f"https://[::1]:{port}", "localhost"
        )


async def test_programs_reach_an_api_server_by_ipv6(
    rough: System, plot: Plot, kubeconfig_over_ipv6: Callable[[str], Path]
) -> None:
    ports = free(3)
    roster = rough.plane.roster
    added = roster.launch(
        admission(
            Replica("sixth-admission", kubeconfig_over_ipv6(names.ADMISSION_ACCOUNT), ports[0]),
            ports[1],
        ),
        operator(Replica("sixth-operator", kubeconfig_over_ipv6(names.OPERATOR_ACCOUNT), ports[2])),
    )
    try:
        for process in added:
            await asyncio.to_thread(process.wait_ready, PATIENCE)
        with away(*rough.operators):
            await until(lambda: holds(rough, "sixth-operator"))
            await plot.make("by-six", {names.TTL: "2s"})
            await plot.gone(["by-six"])
            heard = spoken(added[1])
            await plot.amend({"priority": 7})
            await until(lambda: heard_of(added[1], heard, f"policies changed policies={plot.name}"))
            assert "CERTIFICATE_VERIFY_FAILED" not in said(added[1])
        listed = await asyncio.to_thread(
            dayfly, "list", "-A", "--kubeconfig", str(kubeconfig_over_ipv6("admin"))
        )
        assert listed.returncode == 0, listed.stderr
    finally:
        for process in added:
            process.stop()
            roster.processes.remove(process)


async def holds(system: System, replica: str) -> bool:
    return names_replica(await asyncio.to_thread(system.holder), replica)


async def heard_of(process: Process, since: int, words: str) -> bool:
    return words in said(process, since)


def dayfly(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "dayfly_cli", *arguments]
    environ = {**os.environ, "PYTHONSAFEPATH": "1"}
    return subprocess.run(argv, capture_output=True, text=True, env=environ, check=False)

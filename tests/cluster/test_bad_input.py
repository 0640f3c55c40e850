"""What cannot be right: kinds that are not there, rights that are missing, wishes that nobody can
read, wrong flags. Each is refused or reported with what would be right, and the rest goes on."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Collection
from functools import partial

import msgspec
import pytest
import yaml

from dayfly_core import names
from dayfly_core.objects import Resource
from dayfly_core.reasons import Reason
from dayfly_kube.errors import ApiError
from playground import System
from support.plots import (
    Plot,
    administrator,
    condition,
    delete,
    now,
    planted,
    until,
)
from support.replicas import away, said, spoken

pytestmark = pytest.mark.cluster


# Kinds and rights.


GADGETS = Resource("test.example", "v1", "gadgets", "Gadget", namespaced=True)
DEFINITION = yaml.safe_load("""
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.test.example}
spec:
  group: test.example
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object}}
""")
GRANT = yaml.safe_load("""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: test-gadgets-and-secrets
  labels: {dayfly.dev/aggregate-to-operator: "true"}
rules:
- {apiGroups: [test.example], resources: [gadgets], verbs: [get, list, watch, patch, delete]}
- {apiGroups: [""], resources: [secrets], verbs: [get, list, watch, patch, delete]}
""")
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
MISSING_KIND = "the API server does not serve gadgets.test.example; install the kind"
MISSING_RIGHT = (
    "may not get, list, watch, patch, delete secrets: grant it by a ClusterRole with the label "
    'dayfly.dev/aggregate-to-operator: "true" and the verbs get, list, watch, patch, delete'
)


@pytest.fixture
async def overreaching(rough: System) -> AsyncIterator[Plot]:
    """A policy for ConfigMaps, a kind that does not exist and one that Dayfly may not end."""
    resources = [
        {"apiGroups": [""], "resources": ["configmaps", "secrets"]},
        {"apiGroups": [GADGETS.group], "resources": [GADGETS.plural]},
    ]
    async with administrator(rough.plane) as client, planted(client) as plot:
        await plot.amend({"match": {"resources": resources}})
        try:
            yield plot
        finally:
            await delete(client, f"{ROLES}/{GRANT['metadata']['name']}")
            await delete(client, f"{DEFINITIONS}/{DEFINITION['metadata']['name']}")


async def test_what_is_missing_is_spelled_out_and_noticed_when_it_comes(
    rough: System, plot: Plot, overreaching: Plot
) -> None:
    pids = [replica.pid for replica in rough.operators]
    for words in (MISSING_KIND, MISSING_RIGHT):
        await until(partial(condition, overreaching, "Enforceable", "False", words))
    await until(lambda: condition(plot, "Enforceable", "True"))
    for place, name in ((overreaching, "covered"), (plot, "others")):
        assert names.POLICY in (await place.make(name, {names.TTL: "1s"})).label_map
    await overreaching.gone(["covered"])
    await plot.gone(["others"])

    await plot.client.create(DEFINITIONS, DEFINITION)
    await plot.client.create(ROLES, GRANT)
    await until(lambda: condition(overreaching, "Enforceable", "True"), 90)
    for resource in (GADGETS, Resource("", "v1", "secrets", "Secret", namespaced=True)):
        await until(partial(made_to_end, overreaching, resource))
        await until(partial(is_gone, overreaching, resource))
    assert [replica.pid for replica in rough.operators] == pids


async def made_to_end(plot: Plot, resource: Resource) -> bool:
    """Create one that ends soon; False, and removed again, while the webhooks do not know it."""
    head = {"apiVersion": resource.api_version, "kind": resource.kind}
    meta = {"name": "soon", "annotations": {names.TTL: "2s"}}
    path = resource.path(plot.name)
    made = await plot.client.create(path, {**head, "metadata": meta})
    if names.EXPIRES_AT.encode() not in made:
        await delete(plot.client, f"{path}/soon")
        return False
    return True


async def is_gone(plot: Plot, resource: Resource) -> bool:
    try:
        await plot.client.get(resource.path(plot.name, "soon"))
    except ApiError as error:
        return error.not_found
    return False


# Wishes that nobody can read.


LONG = "9" * 10_240
ABSURD = [
    pytest.param(names.TTL, LONG, id="10 KiB of digits"),
    pytest.param(names.TTL, "8h" + "\n" * 10_240, id="10 KiB of line ends"),
    pytest.param(names.TTL, "\x1b[31m8h\x00\x07", id="control characters"),
    pytest.param(names.TTL, '8h","extra":"\\u0000', id="escapes"),
    pytest.param(names.TTL, "9999999w", id="192,000 years"),
    pytest.param(names.TTL, "-1h", id="a negative life"),
    pytest.param(names.TTL, "5", id="no unit"),
    pytest.param(names.TTL, "", id="nothing"),
    pytest.param(names.TTL, "8\N{FULLWIDTH LATIN SMALL LETTER H}", id="a wide letter"),
    pytest.param(names.TTL, "\U0001f997", id="an emoji"),
    pytest.param(names.EXPIRES_AT, "10000-01-01T00:00:00Z", id="year 10000"),
    pytest.param(names.EXPIRES_AT, "0000-00-00T00:00:00Z", id="year 0"),
    pytest.param(names.EXPIRES_AT, "2026-02-30T00:00:00Z", id="30 February"),
    pytest.param(names.EXPIRES_AT, "2099-01-01T00:00:00", id="no offset"),
    pytest.param(names.EXPIRES_AT, LONG, id="an instant of 10 KiB"),
    pytest.param(names.EXPIRES_AT, "\U0001f551", id="a clock face"),
    pytest.param(names.EXPIRES_AT, "2001-01-01T00:00:00Z", id="long ago"),
]


@pytest.mark.parametrize(("key", "value"), ABSURD)
async def test_absurd_wishes_are_refused_on_write(plot: Plot, key: str, value: str) -> None:
    with pytest.raises(ApiError) as refused:
        await plot.make("absurd", {key: value})
    said_so = refused.value.message
    assert refused.value.invalid
    assert f"metadata.annotations[{key}]: Invalid value:" in said_so
    assert len(said_so) < 600
    assert said_so.isprintable()
    assert await plot.left() == {}


async def test_kubectl_prints_the_field_path(rough: System, plot: Plot) -> None:
    meta = {"name": "absurd", "annotations": {names.TTL: "-1h"}}
    absurd = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
    told = rough.plane.try_kubectl(
        *("create", "-n", plot.name, "-f", "-"), stdin=msgspec.json.encode(absurd).decode()
    ).stderr
    assert told.startswith('The ConfigMap "absurd" is invalid: ')
    assert "metadata.annotations[dayfly.dev/ttl]: Invalid value" in told


async def test_absurd_wishes_that_are_stored_are_reported_and_ignored(
    rough: System, plot: Plot
) -> None:
    pids = [replica.pid for replica in rough.operators]
    heard = {replica.name: spoken(replica) for replica in rough.operators}
    wishes = {f"stored-{i:02}": wish for i, wish in enumerate(UNREADABLE)}
    # The API server's own rules let nobody put the label on what has no wish at all.
    labelled = {f"labelled-{i:02}": wish for i, wish in enumerate(UNREADABLE) if wish[1]}
    with away(*rough.admissions):
        for name, (key, value) in (wishes | labelled).items():
            await plot.make(name, {key: value})
        for name in labelled:
            assert await plot.change(name, labels={names.POLICY: plot.name})
        await plot.make("sound", {names.TTL: "1s"})
    await plot.gone(["sound"])
    await plot.after(now())
    bad = (wishes | labelled).keys()
    assert bad == (await plot.left()).keys()
    await until(lambda: complained_of(rough, plot, bad))
    assert [replica.pid for replica in rough.operators if replica.alive] == pids
    spoke = [said(replica, heard[replica.name]).splitlines() for replica in rough.operators]
    assert all(line.isprintable() and len(line) < 1000 for lines in spoke for line in lines)
    for name in bad:
        # Leaders may have changed; each says it again.
        words = f"ignored object=configmaps/{plot.name}/{name} "
        about = [sum(words in line for line in lines) for lines in spoke]
        assert any(about), "the log says so"
        assert max(about) <= 2, "once while it is not labelled, once when it is"


UNREADABLE: list[tuple[str, str]] = [
    (str(p.values[0]), str(p.values[1])) for p in ABSURD if p.id != "long ago"
]


async def complained_of(system: System, plot: Plot, those: Collection[str]) -> bool:
    """Whether there is an Event for each, with the reason."""
    items = await asyncio.to_thread(
        system.plane.read, "events.events.k8s.io", "-n", plot.name, "--field-selector=type=Warning"
    )
    reasons = {Reason.INVALID_TTL, Reason.INVALID_EXPIRES_AT}
    about = {e["regarding"]["name"] for e in items["items"] if e["reason"] in reasons}
    return about >= set(those)


async def test_the_last_second_of_the_calendar_is_an_end_like_any_other(
    rough: System, plot: Plot
) -> None:
    made = await plot.make("eternal", {names.EXPIRES_AT: "9999-12-31T23:59:59Z"})
    assert made.label_map[names.POLICY] == plot.name
    await plot.after(now())
    assert (await plot.left()).keys() == {"eternal"}
    for replica in (*rough.operators, *rough.admissions):
        await asyncio.to_thread(replica.wait_ready, 60)


# Flags.


@pytest.mark.parametrize(
    ("command", "words"),
    [
        pytest.param("admission --listen nowhere", "--listen", id="admission: no address"),
        pytest.param("admission --lame-duck soon", "--lame-duck", id="admission: no time"),
        pytest.param("operator --lease-duration 1s", "lease times", id="operator: lease too short"),
        pytest.param("operator --workers 0", "--workers", id="operator: no workers"),
        pytest.param(
            "operator --max-deletes-per-second fast", "--max-deletes", id="operator: no number"
        ),
        pytest.param("operator --frobnicate", "--frobnicate", id="operator: unknown flag"),
        pytest.param("certs burn", "burn", id="certs: unknown command"),
        pytest.param("list -o xml", "xml", id="list: unknown format"),
        pytest.param("show", "KIND/NAME", id="show: nothing named"),
        pytest.param("extend configmap/a", "extend", id="extend: no time"),
        pytest.param("extend configmap/a soon", "soon", id="extend: no such time"),
        pytest.param("version --loud", "--loud", id="version: unknown flag"),
        pytest.param("frobnicate", "frobnicate", id="unknown command"),
    ],
)
def test_wrong_flags_are_one_line_and_status_2(command: str, words: str) -> None:
    ended = dayfly(*command.split())
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("dayfly")
    assert words in line


@pytest.mark.parametrize("program", ["admission", "operator", "list", "certs show"])
def test_a_kubeconfig_that_is_not_there_is_one_line(program: str) -> None:
    ended = dayfly(*program.split(), "--kubeconfig", "/nowhere/kubeconfig")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "/nowhere/kubeconfig" in line


def dayfly(*arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, "-m", "dayfly_cli", *arguments],
        capture_output=True,
        text=True,
        env=environ,
        check=False,
        timeout=60,
    )

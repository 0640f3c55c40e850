"""Hosts on a real control plane: given with the end, kept ever after, nobody's to write."""

import json
from collections.abc import AsyncIterator, Mapping

import pytest

from dayfly_core import names
from dayfly_core.objects import ObjectMeta
from playground import System
from support.crowds import let_in, place
from support.plots import Plot, administrator, delete, planted, stored, until
from support.replicas import away

pytestmark = pytest.mark.cluster

DOMAIN = "dev.example.com"
WISH = {names.TTL: "4h"}


@pytest.fixture
async def hosting(rough: System) -> AsyncIterator[Plot]:
    """A plot whose policy gives hosts to what asks for an end."""
    host = {"template": "{name}-{namespace}.{domain}", "domain": DOMAIN}
    async with administrator(rough.plane) as client, planted(client, host=host) as plot:
        yield plot


async def made(plot: Plot, rough: System, name: str, *notes: Mapping[str, str]) -> ObjectMeta:
    """Create it, and again if the API server did not wait for the webhooks on a busy machine."""
    while True:
        since = rough.plane.audit_log.position()
        meta = await plot.make(name, *notes)
        if place(plot.name, name) not in let_in(rough.plane, since):
            return meta
        await delete(plot.client, plot.path(name))


def host_of(meta: ObjectMeta | None) -> str | None:
    assert meta is not None
    return meta.annotation_map.get(names.HOST)


async def test_a_host_is_given_with_the_end_and_survives_whatever_is_written(
    hosting: Plot, rough: System
) -> None:
    host = f"web-{hosting.name}.{DOMAIN}"
    assert host_of(await made(hosting, rough, "web", WISH)) == host
    await hosting.amend({"host": {"template": "{hash}.{domain}"}})
    changed = await hosting.change("web", annotations={names.HOST: "mine.example.com"})
    assert host_of(changed) == host
    assert host_of(await hosting.change("web", annotations={names.HOST: None})) == host
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "web", "namespace": hosting.name},
    }
    rough.plane.kubectl("replace", "-f", "-", stdin=json.dumps(manifest))
    assert host_of(await hosting.read("web")) == host


async def test_neither_an_authors_host_nor_a_copys_counts(hosting: Plot, rough: System) -> None:
    own = await made(hosting, rough, "own", {**WISH, names.HOST: "mine.example.com"})
    assert host_of(own) == f"own-{hosting.name}.{DOMAIN}"
    copy = await made(hosting, rough, "copy", own.annotation_map, own.label_map)
    assert host_of(copy) == f"copy-{hosting.name}.{DOMAIN}"
    unstamped = await made(hosting, rough, "unstamped", {names.HOST: "mine.example.com"})
    assert host_of(unstamped) is None


async def test_what_asks_for_an_end_later_gets_its_host_then(hosting: Plot) -> None:
    assert host_of(await hosting.make("late")) is None
    assert (
        host_of(await hosting.change("late", annotations=WISH)) == f"late-{hosting.name}.{DOMAIN}"
    )


async def test_what_slipped_past_the_webhook_gets_its_host_from_the_operator(
    hosting: Plot, rough: System
) -> None:
    with away(*rough.admissions):
        assert host_of(await hosting.make("missed", WISH)) is None

    async def given() -> bool:
        return host_of(await hosting.read("missed")) == f"missed-{hosting.name}.{DOMAIN}"

    await until(given)


async def test_a_generated_name_gives_no_host(hosting: Plot) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"generateName": "some-", "annotations": WISH},
    }
    made = stored(await hosting.client.create(hosting.path(), body))
    assert (made.label_map[names.POLICY], host_of(made)) == (hosting.name, None)

"""Hosts on a real control plane: given with the end, kept ever after, nobody's to write."""

import json
from collections.abc import AsyncIterator

import pytest

from dayfly_core import names
from dayfly_core.objects import ObjectMeta
from playground import System
from support.plots import Plot, administrator, planted, stored, until
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


def host_of(meta: ObjectMeta | None) -> str | None:
    assert meta is not None
    return meta.annotation_map.get(names.HOST)


async def test_a_host_is_given_with_the_end_and_survives_whatever_is_written(
    hosting: Plot, rough: System
) -> None:
    host = f"web-{hosting.name}.{DOMAIN}"
    assert host_of(await hosting.make("web", WISH)) == host
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


async def test_neither_an_authors_host_nor_a_copys_counts(hosting: Plot) -> None:
    own = await hosting.make("own", {**WISH, names.HOST: "mine.example.com"})
    assert host_of(own) == f"own-{hosting.name}.{DOMAIN}"
    copy = await hosting.make("copy", own.annotation_map, own.label_map)
    assert host_of(copy) == f"copy-{hosting.name}.{DOMAIN}"
    assert host_of(await hosting.make("unstamped", {names.HOST: "mine.example.com"})) is None


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

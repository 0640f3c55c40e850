"""Filling the Secrets through a real HTTP API, together with other replicas."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from dayfly_certs import issue, secrets, store
from dayfly_certs.__main__ import run
from dayfly_certs.bundle import Bundle
from dayfly_certs.store import NotInstalled
from dayfly_core import names
from dayfly_kube.client import Client
from dayfly_kube.errors import ApiError
from support.admission import write_kubeconfig
from support.fake_api import FakeApi, Fault

NAMESPACE = names.SYSTEM_NAMESPACE
START = datetime(2026, 11, 22, 10, tzinfo=UTC)
NAMES = store.service_names(NAMESPACE)
CA_PATH = secrets.path(NAMESPACE, names.CA_SECRET)
TLS_PATH = secrets.path(NAMESPACE, names.TLS_SECRET)
DAY = timedelta(days=1)


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    """An installation that was just applied: two Secrets, labelled and empty."""
    async with FakeApi() as api:
        for path in (CA_PATH, TLS_PATH):
            api.put(path, {"metadata": {"labels": {"app": "dayfly"}}, "type": "Opaque"})
        yield api


@pytest.fixture
async def client(api: FakeApi) -> AsyncIterator[Client]:
    async with Client(api.config(), user_agent="test") as client:
        yield client


def stored(api: FakeApi, path: str) -> secrets.Secret:
    return secrets.decode(msgspec.json.encode(api.objects[path]))


def writes(api: FakeApi) -> list[str]:
    return [f"{r.method} {r.path}" for r in api.requests if r.method != "GET"]


async def test_empty_secrets_are_filled(api: FakeApi, client: Client) -> None:
    bundle = await store.ensure(client, NAMESPACE, NAMES, START)
    assert bundle == secrets.bundle(stored(api, TLS_PATH).contents)
    assert bundle.ca_pem == secrets.authority(stored(api, CA_PATH).contents).cert_pem
    assert bundle.names == set(NAMES)
    assert writes(api) == [f"PUT {CA_PATH}", f"PUT {TLS_PATH}"]


async def test_what_others_wrote_on_the_secrets_stays(api: FakeApi, client: Client) -> None:
    await store.ensure(client, NAMESPACE, NAMES, START)
    assert api.objects[TLS_PATH]["metadata"]["labels"] == {"app": "dayfly"}
    assert api.objects[TLS_PATH]["type"] == "Opaque"


async def test_the_private_key_of_the_ca_is_only_in_its_own_secret(
    api: FakeApi, client: Client
) -> None:
    await store.ensure(client, NAMESPACE, NAMES, START)
    assert set(stored(api, CA_PATH).contents) == {"ca.crt", "ca.key"}
    assert set(stored(api, TLS_PATH).contents) == {"ca.crt", "tls.crt", "tls.key"}


async def test_a_second_time_writes_nothing(api: FakeApi, client: Client) -> None:
    first = await store.ensure(client, NAMESPACE, NAMES, START)
    api.requests.clear()
    assert await store.ensure(client, NAMESPACE, NAMES, START + DAY) == first
    assert writes(api) == []


@pytest.mark.parametrize("replicas", [2, 3, 5])
async def test_replicas_that_start_together_end_with_one_authority(
    api: FakeApi, replicas: int
) -> None:
    async def replica(number: int) -> Bundle:
        async with Client(api.config(), user_agent=f"replica-{number}") as client:
            return await store.ensure(client, NAMESPACE, NAMES, START)

    bundles = await asyncio.gather(*(replica(number) for number in range(replicas)))
    assert {bundle.ca_pem for bundle in bundles} == {stored(api, CA_PATH).contents["ca.crt"]}
    assert {bundle.cert_pem for bundle in bundles} == {stored(api, TLS_PATH).contents["tls.crt"]}


async def test_filling_leaves_alone_what_is_filled(api: FakeApi, client: Client) -> None:
    filled = await store.fill(client, NAMESPACE, NAMES, START)
    assert filled.names == set(NAMES)
    api.requests.clear()
    late = START + 29 * DAY
    assert await store.fill(client, NAMESPACE, ["admission.example.com"], late) == filled
    assert writes(api) == []


async def test_a_lost_race_is_read_again(api: FakeApi, client: Client) -> None:
    api.fault(Fault("status", CA_PATH, method="PUT", code=409, reason="Conflict", times=2))
    bundle = await store.ensure(client, NAMESPACE, NAMES, START)
    assert bundle.ca_pem == stored(api, CA_PATH).contents["ca.crt"]


async def test_a_race_that_never_ends_is_given_up(api: FakeApi, client: Client) -> None:
    api.fault(Fault("status", CA_PATH, method="PUT", code=409, reason="Conflict", times=99))
    with pytest.raises(TimeoutError, match="dayfly-ca changed 8 times"):
        await store.ensure(client, NAMESPACE, NAMES, START)


async def test_a_missing_secret_names_what_to_do_and_is_not_created(
    api: FakeApi, client: Client
) -> None:
    api.remove(TLS_PATH)
    with pytest.raises(NotInstalled, match=r"dayfly-tls.*kubectl apply -k manifests/base"):
        await store.ensure(client, NAMESPACE, NAMES, START)
    assert not any(write.startswith("POST") for write in writes(api))


async def test_an_api_that_fails_is_not_taken_for_an_empty_secret(
    api: FakeApi, client: Client
) -> None:
    api.fault(Fault("status", CA_PATH, code=500, times=99))
    with pytest.raises(ApiError):
        await store.ensure(client, NAMESPACE, NAMES, START)
    assert writes(api) == []


async def test_the_leaf_is_renewed_at_half_of_its_life_by_the_same_authority(
    api: FakeApi, client: Client
) -> None:
    first = await store.ensure(client, NAMESPACE, NAMES, START)
    second = await store.ensure(client, NAMESPACE, NAMES, START + 16 * DAY)
    assert second.ca_pem == first.ca_pem
    assert second.not_after > first.not_after


async def test_a_new_authority_comes_before_the_leaf_that_needs_it(
    api: FakeApi, client: Client
) -> None:
    """So that API servers trust it already when its first leaf is served."""
    await store.ensure(client, NAMESPACE, NAMES, START)
    late = START + issue.AUTHORITY_LIFE - 35 * DAY
    before = await store.ensure(client, NAMESPACE, NAMES, late)
    overlap = await store.ensure(client, NAMESPACE, NAMES, late + 5 * DAY)
    after = await store.ensure(client, NAMESPACE, NAMES, late + 16 * DAY)
    assert (len(before.authorities), len(overlap.authorities)) == (1, 2)
    assert overlap.cert_pem == before.cert_pem
    assert overlap.authorities[1] == before.authorities[0]
    after.certificate.verify_directly_issued_by(overlap.authorities[0])


async def test_a_wiped_or_spoilt_serving_secret_is_filled_again(
    api: FakeApi, client: Client
) -> None:
    first = await store.ensure(client, NAMESPACE, NAMES, START)
    api.put(TLS_PATH, {"type": "Opaque", "data": {"tls.crt": "cnViYmlzaA=="}})
    second = await store.ensure(client, NAMESPACE, NAMES, START)
    assert second.ca_pem == first.ca_pem
    assert second.cert_pem != first.cert_pem


# ``dayfly certs``, as people call it.


async def command(api: FakeApi, directory: Path, *argv: str) -> int:
    """Run it against the fake API, in a thread: it has an event loop of its own."""
    path = write_kubeconfig(directory, api.url)
    return await asyncio.to_thread(run, [*argv, "--kubeconfig", str(path)])


async def test_show_says_what_is_missing_and_ensure_makes_it(
    api: FakeApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command(api, tmp_path, "show") == 1
    assert (
        "dayfly-tls: no certificate (Missing); run: dayfly certs ensure" in capsys.readouterr().out
    )
    assert await command(api, tmp_path, "ensure", "--serving-name", "admission.example.com") == 0
    assert "names admission.example.com" in capsys.readouterr().out
    assert await command(api, tmp_path, "show", "--output", "json") == 0
    shown = json.loads(capsys.readouterr().out)["certificates"]
    assert [found["secret"] for found in shown] == ["dayfly-ca", "dayfly-tls"]
    assert shown[1]["names"] == ["admission.example.com"]


async def test_keys_are_never_shown(
    api: FakeApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await command(api, tmp_path, "ensure", "--output", "json")
    assert "PRIVATE" not in capsys.readouterr().out


async def test_what_cannot_be_done_is_one_line(
    api: FakeApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.remove(CA_PATH)
    assert await command(api, tmp_path, "ensure") == 1
    said = capsys.readouterr().err
    assert said.startswith("dayfly certs: Secret dayfly-system/dayfly-ca does not exist")
    assert said.count("\n") == 1


def test_a_wrong_flag_ends_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["rotate"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("dayfly certs: ")

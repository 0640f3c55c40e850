"""The webhook server over real TLS sockets, following a real HTTP API."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509

from dayfly_certs import issue
from dayfly_certs.bundle import Bundle
from dayfly_core.names import Reason
from support.admission import (
    REVIEW,
    SETTINGS,
    Replica,
    a_replica,
    install,
    publish,
    write_kubeconfig,
)
from support.fake_api import FakeApi, Fault
from support.handshakes import NAMES, a_bundle, client_context
from support.policy_manifests import manifest
from support.reviews import UID, a_review, accepted, an_object, encoded
from support.waiting import eventually

BUNDLE = a_bundle()
POLICY = "/apis/dayfly.dev/v1alpha1/expirypolicies/previews"


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with FakeApi() as api:
        install(api, BUNDLE)
        yield api


@pytest.fixture
async def replica(api: FakeApi) -> AsyncIterator[Replica]:
    async with a_replica(api, BUNDLE) as replica:
        await eventually(lambda: replica.program.unready() is None)
        yield replica


async def test_stamps_and_judges(replica: Replica) -> None:
    status, answer = await replica.post("/stamp?timeout=5s")
    stamped = accepted(answer, mutating=True)
    judged = accepted((await replica.post("/judge?timeout=5s"))[1], mutating=False)
    assert (status, stamped["uid"], "patch" in stamped) == (200, UID, True)
    assert judged["allowed"] is True


@pytest.mark.parametrize("path", ["/stamp", "/judge", "/kinds"])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"", "application/json", id="an empty body"),
        pytest.param(REVIEW, "text/plain", id="another content type"),
        pytest.param(b"{", "application/json", id="half of a body"),
    ],
)
async def test_what_is_no_review_is_answered_with_code_400(
    replica: Replica, path: str, body: bytes, content_type: str
) -> None:
    status, answer = await replica.post(path, body, content_type)
    said = accepted(answer, mutating=True)
    assert status == 200
    assert (said["allowed"], said["status"]["code"]) == (False, 400)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/stamp", 405, id="a wrong method"),
        pytest.param("PUT", "/judge", 405, id="another wrong method"),
        pytest.param("POST", "/", 404, id="no webhook"),
        pytest.param("POST", "/stamp/", 404, id="nearly a webhook"),
        pytest.param("GET", "/metrics", 404, id="metrics are on the other port"),
    ],
)
async def test_only_posts_to_the_webhooks(
    replica: Replica, method: str, path: str, status: int
) -> None:
    async with replica.session() as session, session.request(method, path) as response:
        assert response.status == status


ENDLESS = 64
"""Chunks of a MiB: nine times what is allowed."""


async def test_a_body_without_end_is_cut_off(replica: Replica) -> None:
    reader, writer = await replica.connect()
    head = b"POST /stamp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b"100000\r\n" + b"x" * 2**20 + b"\r\n"

    sent = 0

    async def pour() -> None:
        nonlocal sent
        with suppress(ConnectionError):
            while sent < ENDLESS:
                writer.write(chunk)
                await writer.drain()
                sent += 1

    pouring = asyncio.create_task(pour())
    answer = await _head(reader)
    async with asyncio.timeout(30):
        await pouring
    assert sent < ENDLESS
    assert answer is None or answer.startswith(b"HTTP/1.1 413 ")
    assert answer is None or b"connection: close" in answer.lower()
    writer.transport.abort()


async def _head(reader: asyncio.StreamReader) -> bytes | None:
    """Read an answer's head; None if the connection was reset.

    A server that closes while a body is on its way cannot help it (RFC 9112, 9.6): the reset may
    overtake the answer.
    """
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (ConnectionError, asyncio.IncompleteReadError):
        return None


async def test_an_announced_giant_is_refused_before_it_comes(replica: Replica) -> None:
    reader, writer = await replica.connect()
    head = b"POST /stamp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    writer.write(head + b"Content-Length: 8000000\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 413 ")
    writer.transport.abort()


async def test_the_largest_review_passes(replica: Replica) -> None:
    big = an_object() | {"data": "x" * 6_500_000}
    _, answer = await replica.post("/stamp", encoded(a_review(big)))
    assert "patch" in accepted(answer, mutating=True)


async def test_connections_are_kept(replica: Replica) -> None:
    reader, writer = await replica.connect()
    head = b"POST /stamp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    request = head + b"Content-Length: %d\r\n\r\n" % len(REVIEW) + REVIEW
    for _ in range(3):
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert b"connection: close" not in answer.lower()
        length = re.search(rb"content-length: (\d+)", answer)
        assert length
        accepted(await reader.readexactly(int(length[1])), mutating=True)
    writer.transport.abort()


async def test_a_policy_that_changes_counts_for_the_next_request(
    api: FakeApi, replica: Replica
) -> None:
    async with replica.session() as session:

        async def reason() -> str:
            async with session.post("/stamp", data=REVIEW) as response:
                said = accepted(await response.read(), mutating=True)
                return str(said["auditAnnotations"]["reason"])

        assert await reason() == Reason.STAMPED
        api.put(POLICY, manifest(ttl={"default": "8h"}, suspend=True))
        async with asyncio.timeout(5):
            while await reason() != Reason.SUSPENDED:
                pass
        api.remove(POLICY)
        async with asyncio.timeout(5):
            while await reason() != Reason.NO_POLICY:
                pass


async def test_a_namespace_created_a_moment_ago_is_asked_for(
    api: FakeApi, replica: Replica
) -> None:
    api.put("/api/v1/namespaces/fresh")
    body = encoded(a_review(an_object(namespace="fresh"), namespace="fresh"))
    _, answer = await replica.post("/stamp?timeout=5s", body)
    assert "patch" in accepted(answer, mutating=True)


async def test_an_api_that_hangs_is_not_waited_for_beyond_the_deadline(
    api: FakeApi, replica: Replica
) -> None:
    api.fault(Fault("hang", "/api/v1/namespaces/nobody"))
    body = encoded(a_review(an_object(namespace="nobody"), namespace="nobody"))
    async with asyncio.timeout(1):
        _, answer = await replica.post("/stamp?timeout=1s", body)
    said = accepted(answer, mutating=True)
    assert said["auditAnnotations"]["reason"] == Reason.NAMESPACE_UNKNOWN


async def test_metrics_count_answers_by_reason(replica: Replica) -> None:
    await replica.post("/stamp")
    _, text = await replica.health("/metrics")
    series = 'dayfly_admission_reviews_total{reason="Stamped",result="patched",webhook="stamp"} 1.0'
    assert series in text
    assert 'dayfly_admission_review_seconds_count{webhook="stamp"} 1.0' in text


# When it is ready.


async def test_not_ready_says_what_is_missing() -> None:
    async with FakeApi() as api, a_replica(api) as replica:
        program = replica.program
        await eventually(lambda: "certificate" in (program.unready() or ""))
        assert (await replica.health("/readyz"))[0] == 503
        assert (await replica.health("/healthz"))[0] == 200
        install(api, BUNDLE)
        await eventually(lambda: program.unready() is None)
        assert await replica.health("/readyz") == (200, "ok\n")


async def test_not_ready_without_the_kind() -> None:
    from support.fake_resources import RESOURCES

    served = [resource for resource in RESOURCES if resource.plural != "expirypolicies"]
    async with FakeApi(served) as api, a_replica(api) as replica:
        publish(api, BUNDLE)
        status, text = await replica.health("/readyz")
        assert (status, "expirypolicies" in text) == (503, True)


async def test_not_ready_with_a_certificate_that_is_not_usable(api: FakeApi) -> None:
    publish(api, replace(BUNDLE, key_pem=a_bundle().key_pem))
    async with a_replica(api) as replica:
        await eventually(lambda: "MISMATCH" in (replica.program.unready() or ""))


# Certificates under load.


async def call(replica: Replica, path: str = "/stamp") -> int:
    """Ask on a new connection; return the serial number of the certificate it was served with."""
    reader, writer = await replica.connect()
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode())
    writer.write(b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(REVIEW))
    writer.write(REVIEW)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.1 200 ")
    accepted(body, mutating=True)
    return x509.load_der_x509_certificate(der).serial_number


async def calls(replica: Replica, done: asyncio.Event) -> set[int]:
    """Call without pause; whatever fails fails the test."""
    seen: set[int] = set()
    while not done.is_set():
        seen.add(await call(replica))
    return seen


async def test_a_certificate_swapped_under_load_fails_no_request(api: FakeApi) -> None:
    ca = issue.authority(a_bundle().not_before)
    bundles = [a_bundle(ca) for _ in range(5)]
    bad: list[Bundle] = [replace(a_bundle(ca), key_pem=b.key_pem) for b in bundles]
    publish(api, bundles[0])
    done = asyncio.Event()
    async with a_replica(api, bundles[0]) as replica:
        await eventually(lambda: replica.program.unready() is None)
        calling = [asyncio.create_task(calls(replica, done)) for _ in range(4)]
        async with replica.session() as session:  # a connection kept over all of it
            for good, spoilt in zip(bundles, bad, strict=True):
                publish(api, good)
                await eventually(partial(serves, replica, good))
                publish(api, spoilt)
                async with session.post("/stamp", data=REVIEW) as response:
                    accepted(await response.read(), mutating=True)
        await eventually(lambda: rejected(replica) >= len(bad))
        done.set()
        seen = set[int]().union(*await asyncio.gather(*calling))
        assert await call(replica) == bundles[-1].certificate.serial_number
    assert seen <= {bundle.certificate.serial_number for bundle in bundles}


def serves(replica: Replica, bundle: Bundle) -> bool:
    return replica.program.serving.bundle == bundle


def rejected(replica: Replica) -> float:
    found = replica.program.metrics.registry.get_sample_value("dayfly_certificate_rejected_total")
    return found or 0.0


# Leaving.


async def test_a_lame_duck_answers_and_sends_its_callers_away(api: FakeApi) -> None:
    async with a_replica(api, BUNDLE, replace(SETTINGS, lame_duck=1.0)) as replica:
        await eventually(lambda: replica.program.unready() is None)
        async with replica.session() as session:
            replica.program.leave.set()
            await eventually(lambda: replica.program.unready() == "shutting down")
            assert (await replica.health("/readyz"))[0] == 503
            async with session.post("/stamp", data=REVIEW) as response:
                assert response.headers["Connection"] == "close"
                assert "patch" in accepted(await response.read(), mutating=True)


async def test_sigterm_lets_requests_in_flight_finish(api: FakeApi, tmp_path: Path) -> None:
    """The whole program, as a process: its request is half sent when the signal comes."""
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "dayfly_admission",
            "--kubeconfig",
            write_kubeconfig(tmp_path, api.url),
        ),
        *("--listen=127.0.0.1:0", "--health-listen=127.0.0.1:0", "--lame-duck=300ms"),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    async with asyncio.timeout(20):
        port = await logged(process.stderr, rb" serving port=(\d+)", rb"certificate loaded")
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client_context(BUNDLE.ca_pem), server_hostname=NAMES[0]
        )
        head = b"POST /judge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(REVIEW) + REVIEW[:50])
        await writer.drain()
        process.send_signal(signal.SIGTERM)
        await logged(process.stderr, rb"leaving lame-duck-seconds=(\d)")
        writer.write(REVIEW[50:])
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in answer.lower()
        accepted(await reader.read(), mutating=False)
        assert await process.wait() == 0


async def logged(stream: asyncio.StreamReader, *patterns: bytes) -> int:
    """Wait until all have been logged; return the number that the first one captures."""
    number, missing = 0, set(patterns)
    while missing:
        line = await stream.readline()
        assert line, "the program ended"
        for pattern in list(missing):
            if found := re.search(pattern, line):
                missing.discard(pattern)
                number = int(found[1]) if found.groups() else number
    return number


@pytest.mark.parametrize("flag", ["--listen", "--health-listen"])
async def test_a_port_that_is_taken_is_one_line_and_status_1(
    api: FakeApi, tmp_path: Path, flag: str
) -> None:
    free = ["--listen=127.0.0.1:0", "--health-listen=127.0.0.1:0", "--log-level=error"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dayfly_admission", *free, flag, f"127.0.0.1:{api.port}"),
        *("--kubeconfig", write_kubeconfig(tmp_path, api.url)),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert said.startswith(b"dayfly admission: ")
    assert str(api.port).encode() in said
    assert said.count(b"\n") == 1

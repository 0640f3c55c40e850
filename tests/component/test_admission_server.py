"""The webhook server over real TLS sockets, following a real HTTP API."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial

import pytest
from cryptography import x509
from msgspec.structs import replace

from dayfly_certs import issue
from dayfly_certs.bundle import Bundle
from dayfly_core.reasons import Reason
from support.admission import (
    REVIEW,
    Replica,
    a_replica,
    install,
    publish,
)
from support.fake_api import FakeApi, Fault
from support.handshakes import a_bundle
from support.policy_manifests import manifest
from support.reviews import UID, a_namespace, a_review, accepted, an_object, encoded
from support.waiting import at_most, eventually

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
                # A lost connection takes all that is written, until the event loop had its turn.
                await asyncio.sleep(0)
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
        async with at_most(5):
            while await reason() != Reason.SUSPENDED:
                pass
        api.remove(POLICY)
        async with at_most(5):
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
    async with at_most(1):
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


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        pytest.param("/environments", False, id="is refused where a name is at stake"),
        pytest.param("/judge", True, id="passes elsewhere: the API server refuses it"),
        pytest.param("/stamp", True, id="is not stamped"),
    ],
)
async def test_what_is_nested_too_deeply(replica: Replica, path: str, allowed: bool) -> None:
    deep = encoded(a_review(a_namespace() | {"spec": "DEEP"}))
    deep = deep.replace(b'"DEEP"', b"[" * 20_000 + b"]" * 20_000)
    status, said = await replica.post(path, deep)
    response = accepted(said, mutating=path == "/stamp")
    assert (status, response["allowed"]) == (200, allowed)

"""The operator and a receiver, end to end: recorded first, sent at least once, with one key."""

import asyncio
import hashlib
import hmac
import json
from asyncio import StreamReader, StreamWriter
from base64 import b64encode
from typing import Any

import msgspec
import pytest

from dayfly_core import names
from dayfly_core.objects import ObjectMeta
from dayfly_core.outgoing.outbox import Retries
from dayfly_core.pace import Backoff
from support.fake_api import FakeApi, Fault
from support.operators import MAPS, NOBODY_LISTENS, operating, stamped
from support.receivers import OK, Receiver, receiver, silent, status
from support.waiting import eventually

VOUCHED = ("--webhook-allow", "127.0.0.1/32")
SOON = Retries(limit=2, backoff=Backoff(first=0.05))
PATIENT = Retries(limit=100, backoff=Backoff(first=0.1, cap=0.1))
SECRET = "/api/v1/namespaces/dayfly-system/secrets/dayfly-webhook"


def timeline(web: Receiver, **hook: Any) -> list[dict[str, Any]]:
    """Call at the end, then delete."""
    url = {"url": f"http://127.0.0.1:{web.port}/ended"}
    call = {"type": "WEBHOOK", "webhook": url | hook}
    return [{"at": "0s", "action": call}, {"at": "0s", "action": {"type": "DELETE"}}]


def signed(web: Receiver) -> list[dict[str, Any]]:
    return timeline(web, secretRef={"name": "dayfly-webhook"})


def put_secret(api: FakeApi) -> None:
    api.put(SECRET, {"data": {"hmac": b64encode(b"a secret").decode()}})


def record(api: FakeApi) -> dict[str, Any]:
    """Return what is noted of the call on the object; nothing if the object is gone."""
    meta = ObjectMeta()
    if f"{MAPS}/a" in api.objects:
        meta = msgspec.convert(api.objects[f"{MAPS}/a"]["metadata"], ObjectMeta)
    stored: dict[str, Any] = json.loads(meta.annotation_map.get(names.STEPS, "{}"))
    done: list[dict[str, Any]] = stored.get("done", [])
    return next((each for each in done if each["step"] == "WEBHOOK@0s"), dict[str, Any]())


def keys(web: Receiver) -> list[str]:
    return [heard.headers["Idempotency-Key"] for heard in web.heard]


async def test_a_call_is_on_record_before_it_is_sent_and_done_before_the_object_goes() -> None:
    found: list[dict[str, Any]] = []

    async def answer(_: StreamReader, writer: StreamWriter) -> None:
        found.append(record(api))
        writer.write(OK)

    async with (
        receiver(answer) as web,
        FakeApi() as api,
        operating(api, *VOUCHED) as operator,
    ):
        await operator.put_policy(timeline=timeline(web))
        uid = api.put(f"{MAPS}/a", stamped(operator.clock.text(0.2)))["metadata"]["uid"]
        await eventually(lambda: operator.gone("a"))
        await eventually(lambda: "CallDelivered" in operator.events("a"))
    (noted,), (heard,) = found, web.heard
    assert (noted["result"], noted["id"]) == ("Pending", heard.headers["Idempotency-Key"])
    body = json.loads(heard.body)
    assert (body["id"], body["policy"], body["step"]) == (noted["id"], "previews", "WEBHOOK@0s")
    assert (body["object"]["name"], body["object"]["uid"]) == ("a", uid)
    assert "Dayfly-Signature" not in heard.headers


async def test_a_leader_killed_between_record_and_request_leaves_it_to_the_next() -> None:
    async with receiver() as web, FakeApi() as api:
        put_secret(api)
        api.fault(Fault("hang", SECRET, "GET"))  # between the record and the request
        async with operating(api, *VOUCHED) as first:
            await first.put_policy(timeline=signed(web))
            api.put(f"{MAPS}/a", stamped(first.clock.text(0.1)))
            await eventually(lambda: first.reads(SECRET))
            noted = record(api)
        assert (noted["result"], web.heard) == ("Pending", [])
        async with operating(api, *VOUCHED) as second:
            await second.heard()
            await eventually(lambda: second.gone("a"))
    assert keys(web) == [noted["id"]]


async def test_a_leader_killed_between_request_and_record_leaves_it_to_the_next() -> None:
    async with FakeApi() as api, receiver(silent) as web:
        async with operating(api, *VOUCHED) as first:
            await first.put_policy(timeline=timeline(web))
            api.put(f"{MAPS}/a", stamped(first.clock.text(0.1)))
            await eventually(lambda: web.heard)
            assert record(api)["result"] == "Pending"
        web.answer = status(204)
        async with operating(api, *VOUCHED) as second:
            await second.heard()
            await eventually(lambda: second.gone("a"))
    first_key, second_key = keys(web)
    assert first_key == second_key
    assert web.heard[0].body == web.heard[1].body


async def test_who_has_lost_the_lease_meanwhile_sends_nothing() -> None:
    async with receiver() as web, FakeApi() as api:
        put_secret(api)
        api.fault(Fault("hang", SECRET, "GET"))
        async with operating(api, *VOUCHED) as operator:
            await operator.put_policy(timeline=signed(web))
            api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
            await eventually(lambda: operator.reads(SECRET))
            operator.leadership.close()
            api.release()
            await asyncio.sleep(NOBODY_LISTENS)
        assert "DELETE" not in {request.method for request in api.requests}
    assert not web.heard


async def test_a_call_is_made_again_with_the_same_key_until_it_is_taken() -> None:
    async with (
        receiver(status(503)) as web,
        FakeApi() as api,
        operating(api, *VOUCHED, retries=PATIENT) as operator,
    ):
        await operator.put_policy(timeline=timeline(web))
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
        await eventually(lambda: record(api).get("attempts"))
        assert record(api)["message"] == "the receiver answered 503"
        assert not operator.gone("a")
        web.answer = status(204)
        await eventually(lambda: operator.gone("a"))
    assert len(set(keys(web))) == 1
    assert len(web.heard) >= 2


async def test_what_is_given_up_is_told_counted_and_holds_up_nothing_any_more() -> None:
    async with (
        receiver(status(302)) as web,
        FakeApi() as api,
        operating(api, *VOUCHED, retries=SOON) as operator,
    ):
        await operator.put_policy(timeline=timeline(web))
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("a"))
        await eventually(lambda: "CallGivenUp" in operator.events("a"))
        await eventually(lambda: "CallGivenUp" in operator.events("previews"))
        metrics = operator.program.parts.metrics.registry
    assert len(web.heard) == 2
    dead = "dayfly_webhook_dead_letters_total"
    assert metrics.get_sample_value(dead, {"kind": "ExpiryPolicy"}) == 1
    assert metrics.get_sample_value("dayfly_webhook_calls_total", {"result": "failed"}) == 2


async def test_where_nothing_may_be_sent_it_is_given_up_at_once() -> None:
    async with receiver() as web, FakeApi() as api, operating(api) as operator:
        await operator.put_policy(timeline=timeline(web))
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("a"))
        await eventually(lambda: "DestinationForbidden" in operator.events("a"))
    assert not web.connections


async def test_a_missing_secret_is_no_reason_to_send_without_one() -> None:
    async with (
        receiver() as web,
        FakeApi() as api,
        operating(api, *VOUCHED, retries=PATIENT) as operator,
    ):
        await operator.put_policy(timeline=signed(web))
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
        await eventually(lambda: record(api).get("attempts"))
        assert "to sign with does not exist" in record(api)["message"]
        assert not web.connections
        put_secret(api)
        await eventually(lambda: operator.gone("a"))
    (heard,) = web.heard
    fields = dict(part.split("=", 1) for part in heard.headers["Dayfly-Signature"].split(","))
    proof = hmac.new(b"a secret", fields["t"].encode() + b"." + heard.body, hashlib.sha256)
    assert fields["v1"] == proof.hexdigest()


@pytest.mark.parametrize("count", [40])
async def test_a_receiver_that_hangs_delays_no_other_end(count: int) -> None:
    async with receiver(silent) as web, FakeApi() as api, operating(api, *VOUCHED) as operator:
        await operator.put_policy("calling", timeline=timeline(web))
        await operator.put_policy(priority=1)
        for number in range(count):
            api.put(f"{MAPS}/calling-{number}", stamped(operator.clock.text(0.1), "calling"))
        await eventually(lambda: web.connections == 4)
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("a"), within=2)
        assert web.connections == 4

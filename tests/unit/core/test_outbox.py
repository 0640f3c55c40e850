"""What is said to receivers, how it is signed, and when it is said again."""

import hashlib
import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core.objects import DEPLOYMENTS, NAMESPACES, Key
from dayfly_core.outgoing import outbox
from dayfly_core.outgoing.outbox import (
    Delivered,
    Failed,
    FollowUp,
    Outcome,
    Refused,
    Retries,
    SecretRef,
    TimelineCall,
    follow_up,
    timeline_body,
)
from dayfly_core.reasons import Reason

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        pytest.param(200, Delivered(200), id="200 is success"),
        pytest.param(204, Delivered(204), id="so is every 2xx"),
        pytest.param(299, Delivered(299), id="also one that nobody knows"),
        pytest.param(199, Failed("the receiver answered 199", None, 199), id="1xx is none"),
        pytest.param(
            302,
            Failed("the receiver answered 302: redirects are not followed", None, 302),
            id="a redirect is none, and says so",
        ),
        *(
            pytest.param(
                status,
                Failed(f"the receiver answered {status}: redirects are not followed", None, status),
                id=f"so does {status}",
            )
            for status in (300, 399)
        ),
        pytest.param(400, Failed("the receiver answered 400", None, 400), id="400 is no redirect"),
        pytest.param(404, Failed("the receiver answered 404", None, 404), id="4xx is none"),
        pytest.param(503, Failed("the receiver answered 503", None, 503), id="5xx is none"),
    ],
)
def test_the_status_code_decides(status: int, outcome: Outcome) -> None:
    assert outbox.answered(status) == outcome


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param(None, None, id="none"),
        pytest.param("120", 120.0, id="seconds"),
        pytest.param("0", 0.0, id="at once"),
        pytest.param("Sun, 22 Nov 2026 12:01:00 GMT", 60.0, id="a date"),
        pytest.param("Sun, 22 Nov 2026 11:00:00 GMT", 0.0, id="a date that has passed"),
        pytest.param("Sun, 22 Nov 2026 12:01:00", None, id="a date without zone"),
        pytest.param("Sun, 22 Nov 2026 25:01:00 GMT", None, id="an hour that no day has"),
        pytest.param("Sun, 22 Nov 2026 12:01:00 +99999999999999", None, id="a zone too far"),
        pytest.param("-5", None, id="a negative number"),
        pytest.param("1.5", None, id="a fraction"),
        pytest.param("²", None, id="a digit of another kind"),
        pytest.param("soon", None, id="a word"),
        pytest.param("9" * 65, None, id="a number without end"),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert outbox.retry_after(header, NOON) == seconds


@given(st.text(max_size=70))
def test_no_retry_after_does_harm(text: str) -> None:
    asked = outbox.retry_after(text, NOON)
    again = Retries().after(1, NOON, 0.0, asked)
    assert again
    assert again - NOON <= timedelta(seconds=outbox.LONGEST_PAUSE)


@pytest.mark.parametrize(
    ("attempts", "chance", "asked", "seconds"),
    [
        pytest.param(1, 0.0, None, 15, id="after the first attempt"),
        pytest.param(2, 0.0, None, 30, id="doubled after each"),
        pytest.param(2, 0.5, None, 22.5, id="less a random part"),
        pytest.param(2, 0.5, 60.0, 60, id="no sooner than the receiver asks for"),
        pytest.param(5, 0.0, 1.0, 240, id="nor sooner than ever"),
        pytest.param(1, 0.0, 1e9, 3600, id="a receiver can ask for an hour at most"),
        pytest.param(6, 0.0, None, None, id="after the sixth it is given up"),
        pytest.param(7, 0.0, 60.0, None, id="whatever the receiver asks for"),
    ],
)
def test_attempts(attempts: int, chance: float, asked: float | None, seconds: float | None) -> None:
    again = Retries().after(attempts, NOON, chance, asked)
    assert again == (None if seconds is None else NOON + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("outcome", "attempts", "meaning"),
    [
        pytest.param(
            Delivered(204),
            1,
            FollowUp(Reason.CALL_DELIVERED, "the receiver answered 204"),
            id="delivered",
        ),
        pytest.param(
            Failed("the receiver answered 503", 60.0, 503),
            1,
            FollowUp(Reason.CALL_FAILED, "the receiver answered 503", NOON + timedelta(minutes=1)),
            id="to be tried again",
        ),
        pytest.param(
            Failed(outbox.NO_ANSWER),
            6,
            FollowUp(Reason.CALL_GIVEN_UP, outbox.NO_ANSWER),
            id="given up",
        ),
        pytest.param(
            Refused("no webhook is sent to x: its address is loopback"),
            1,
            FollowUp(
                Reason.DESTINATION_FORBIDDEN, "no webhook is sent to x: its address is loopback"
            ),
            id="given up at once, where nothing may be sent",
        ),
    ],
)
def test_what_follows_of_an_outcome(outcome: Outcome, attempts: int, meaning: FollowUp) -> None:
    found = follow_up(outcome, attempts, Retries(), NOON, chance=0.0)
    assert found == meaning
    done = {Reason.CALL_DELIVERED: (True, False), Reason.CALL_FAILED: (False, False)}
    assert (found.delivered, found.given_up) == done.get(meaning.reason, (False, True))


def test_the_signature_is_the_one_that_anybody_computes() -> None:
    # HMAC by its definition (RFC 2104), from a hash alone.
    secret, body = b"a secret", b'{"id":"x"}'
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in secret.ljust(64, b"\0")) + b"1795348800." + body)
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in secret.ljust(64, b"\0")) + inner.digest())
    signed = outbox.signature(secret, 1795348800, body)
    assert signed == f"t=1795348800,v1={outer.hexdigest()}"


def test_openssl_agrees() -> None:
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", "a secret", "-r"],
        input=b"1795348800.{}",
        capture_output=True,
        check=True,
    )
    signed = outbox.signature(b"a secret", 1795348800, b"{}")
    assert signed == f"t=1795348800,v1={done.stdout.split()[0].decode()}"


def test_headers_say_what_was_signed_and_nothing_about_us() -> None:
    assert outbox.headers("an-id", "t=1,v1=00") == {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "dayfly/0.1.0",
        "Idempotency-Key": "an-id",
        "Dayfly-Signature": "t=1,v1=00",
    }
    assert "Dayfly-Signature" not in outbox.headers("an-id", None)


def test_the_body_of_a_step() -> None:
    key = Key(DEPLOYMENTS, "shop", "web")
    call = TimelineCall("an-id", "previews", "WEBHOOK@-1h", NOON, key, "a-uid")
    assert timeline_body(call).startswith(b'{"id":"an-id","policy":"previews"')
    assert json.loads(timeline_body(call)) == {
        "id": "an-id",
        "policy": "previews",
        "step": "WEBHOOK@-1h",
        "expiresAt": "2026-11-22T12:00:00Z",
        "object": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "namespace": "shop",
            "name": "web",
            "uid": "a-uid",
        },
    }


def test_what_is_in_no_namespace_says_null() -> None:
    call = TimelineCall("an-id", "p", "DELETE@0s", NOON, Key(NAMESPACES, "", "shop"), "a-uid")
    assert json.loads(timeline_body(call))["object"]["namespace"] is None


def test_a_secret_is_named_as_people_do() -> None:
    assert str(SecretRef("team-a", "dayfly-webhook")) == "team-a/dayfly-webhook"

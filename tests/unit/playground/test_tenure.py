"""Whose acts the audit log shows, held against the history of the Lease in the same log."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from dayfly_core import instant, names
from dayfly_core.lease import LeaseRecord
from playground.audit import Answer, AuditEvent, ObjectReference, User
from playground.lags import OPERATOR
from playground.programs import RENEW_DEADLINE
from playground.spans import Span
from playground.tenure import by_nobody, tenures, written

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
MAP = ObjectReference(resource="configmaps", namespace="a", name="b")
LEASE = ObjectReference(resource="leases", namespace="dayfly-system", name=names.LEASE)
HISTORY = ObjectReference(
    resource="configmaps", namespace="dayfly-system", name=f"{names.HISTORY_CONFIG_MAP}-3"
)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def event(verb: str, of: ObjectReference, seconds: float, **more: object) -> AuditEvent:
    plain = AuditEvent(
        stage="ResponseComplete",
        verb=verb,
        user=User(username=OPERATOR),
        user_agent="dayfly-operator/0.1.0 (dayfly-operator-1)",
        object_ref=of,
        response_status=Answer(code=200),
        request_received_timestamp=at(seconds),
        stage_timestamp=at(seconds + 0.01),
    )
    return msgspec.structs.replace(plain, **more)


def renewal(holder: str, seconds: float, *, code: int = 200) -> AuditEvent:
    record = LeaseRecord(holder_identity=holder, renew_time=instant.render(at(seconds)))
    body = msgspec.Raw(msgspec.json.encode({"spec": record}))
    return event("update", LEASE, seconds, request_object=body, response_status=Answer(code=code))


ONE, TWO = "dayfly-operator-1_x", "dayfly-operator-2_y"


@pytest.mark.parametrize(
    ("history", "seconds", "strays"),
    [
        pytest.param([renewal(ONE, 0)], 1, 0, id="by who holds the Lease"),
        pytest.param([renewal(ONE, 0)], 1.44, 0, id="sent before the gate closed"),
        pytest.param([renewal(ONE, 0)], 1.5, 1, id="after the gate has closed"),
        pytest.param([renewal(ONE, 0), renewal(ONE, 1)], 1.5, 0, id="renewed meanwhile"),
        pytest.param([renewal(ONE, 0), renewal(TWO, 0.5)], 1, 1, id="taken over meanwhile"),
        pytest.param([renewal(ONE, 0), renewal("", 0.5)], 1, 1, id="released meanwhile"),
        pytest.param(
            [renewal(ONE, 0), renewal(TWO, 0.5, code=409)], 1, 0, id="a claim that was refused"
        ),
        pytest.param([renewal(TWO, 0), renewal(ONE, 0.5)], 1, 0, id="its own takeover"),
        pytest.param([renewal(TWO, 2)], 1, 0, id="before the log begins nobody can tell"),
    ],
)
def test_a_write(history: list[AuditEvent], seconds: float, strays: int) -> None:
    assert len(by_nobody([*history, event("delete", MAP, seconds)])) == strays


@pytest.mark.parametrize(
    ("history", "seconds", "strays"),
    [
        pytest.param([renewal(ONE, 0)], 2.44, 0, id="sent before the gate closed"),
        pytest.param([renewal(ONE, 0)], 2.5, 1, id="after the gate has closed"),
        pytest.param([renewal(ONE, 0), renewal(TWO, 2.1)], 2.4, 0, id="overtaken on the way"),
        pytest.param([renewal(ONE, 0), renewal(TWO, 2.1)], 2.5, 1, id="taken over before it"),
        pytest.param([renewal(TWO, 0)], 1, 1, id="by one that never led"),
    ],
)
def test_a_write_on_a_machine_that_stood_still(
    history: list[AuditEvent], seconds: float, strays: int
) -> None:
    events = [*history, event("delete", MAP, seconds)]
    assert len(by_nobody(events, still=[Span(at(1.1), at(2.1)), Span(at(1.2), at(2.4))])) == strays


@pytest.mark.parametrize(
    ("claim", "seconds", "strays"),
    [
        pytest.param({}, 2.3, 0, id="as long on its way as a claim of the same sender"),
        pytest.param({}, 2.5, 1, id="longer"),
        pytest.param({"response_status": Answer(code=504)}, 2.3, 0, id="as one nobody heard of"),
        pytest.param({"response_status": Answer(code=409)}, 2.3, 1, id="as one that was too late"),
        pytest.param({"user_agent": "x (dayfly-operator-2)"}, 2.3, 1, id="as one of another"),
    ],
)
def test_a_write_that_was_on_its_way(claim: dict[str, object], seconds: float, strays: int) -> None:
    slow = {"request_received_timestamp": at(2.4), "stage_timestamp": at(2.45)}
    events = [renewal(ONE, 0), msgspec.structs.replace(renewal(ONE, 1), **(slow | claim))]
    assert len(by_nobody([*events, event("delete", MAP, seconds)])) == strays


def test_who_takes_over_may_have_its_answer_before_the_log_has_the_time_of_it() -> None:
    slow = msgspec.structs.replace(renewal(ONE, 1), stage_timestamp=at(1.2))
    assert by_nobody([renewal(TWO, 0), slow, event("delete", MAP, 1.1)]) == []
    assert len(by_nobody([renewal(TWO, 0), slow, event("delete", MAP, 0.9)])) == 1


def test_the_secret_of_a_helm_release_is_the_leaders_alone() -> None:
    secret = ObjectReference(resource="secrets", namespace="a", name="sh.helm.release.v1.shop.v1")
    assert len(by_nobody([renewal(TWO, 0), event("delete", secret, 1)])) == 1


def test_a_stray_write_is_told_in_a_line() -> None:
    assert by_nobody([renewal(TWO, 0), event("patch", MAP, 1)]) == [
        "patch configmaps/a/b by dayfly-operator-1 at 2026-11-22 10:00:01+00:00"
    ]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(event("get", MAP, 1), id="reading"),
        pytest.param(event("update", LEASE, 1), id="the election itself"),
        pytest.param(event("patch", HISTORY, 1), id="telling what was done"),
        pytest.param(event("delete", MAP, 1, user=User(username="somebody")), id="somebody else"),
        pytest.param(event("delete", MAP, 1, stage="ResponseStarted"), id="not yet answered"),
    ],
)
def test_what_is_no_act_of_a_leader(other: AuditEvent) -> None:
    assert written([other]) == []


def test_a_refused_write_is_an_attempt_and_no_stray() -> None:
    refused = event("delete", MAP, 1, response_status=Answer(code=409))
    assert written([refused]) == [refused]
    assert by_nobody([renewal(TWO, 0), refused]) == []


def test_a_tenure_ends_with_the_gate_of_its_last_renewal() -> None:
    [tenure] = tenures([renewal(ONE, 3)])
    assert (tenure.holder, tenure.valid_until) == (ONE, at(3) + RENEW_DEADLINE)

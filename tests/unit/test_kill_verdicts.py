"""What counts as done once, when some who did it were killed before they were answered."""

from dataclasses import replace
from datetime import timedelta

import pytest

from playground.audit import AuditEvent, ObjectReference, User
from playground.spans import Span
from playground.tenure import Tenure
from support.build import NOW
from support.deeds import Deed
from support.kill_verdicts import called_by_nobody, hasty, is_excused, torn, unequal
from support.kills import BY_CHANCE, Kill

DELETED = Deed("over-0001", "delete namespaces", "u1", NOW, NOW, "r-0", version="7")
IN_DOUBT = replace(DELETED, doubtful=True)
SHARED = replace(DELETED, what="delete deployments")
RESTED = Deed("asleep-0001", "rest deployments", "u2", NOW, NOW, "r-0", version="3", id="one")


@pytest.mark.parametrize(
    ("deeds", "sound"),
    [
        pytest.param([DELETED], True, id="once"),
        pytest.param([IN_DOUBT], True, id="nobody heard of it, and it is gone"),
        pytest.param([IN_DOUBT, DELETED], True, id="again, over the version that was to go"),
        pytest.param(
            [replace(SHARED, doubtful=True), replace(SHARED, version="8")],
            True,
            id="again, over what a controller of Kubernetes has written meanwhile",
        ),
        pytest.param([], False, id="never"),
        pytest.param([DELETED, DELETED], False, id="twice"),
        pytest.param(
            [IN_DOUBT, replace(DELETED, version="8")], False, id="perhaps twice: it had changed"
        ),
        pytest.param([DELETED, replace(DELETED, uid="u9")], False, id="what should have stayed"),
    ],
)
def test_once(deeds: list[Deed], sound: bool) -> None:
    assert (not list(unequal("deleted", {"u1": "over-0001"}, deeds, "delete "))) is sound


@pytest.mark.parametrize(
    ("id", "sound"),
    [
        pytest.param("one", True, id="by the same occurrence"),
        pytest.param("other", False, id="by another"),
        pytest.param("", False, id="by none"),
    ],
)
def test_workloads_of_a_namespace_are_scaled_down_by_one_occurrence(id: str, sound: bool) -> None:
    assert (not list(torn([RESTED, replace(RESTED, uid="u3", id=id)]))) is sound


CALLED = replace(DELETED, what="POST")
LED = Tenure(NOW - timedelta(seconds=9), "r-0", NOW - timedelta(seconds=1), NOW)


@pytest.mark.parametrize(
    ("deed", "history", "sound"),
    [
        pytest.param(CALLED, [replace(LED, valid_until=NOW)], True, id="while somebody led"),
        pytest.param(CALLED, [LED], False, id="when the last Lease had run out"),
        pytest.param(DELETED, [LED], True, id="a write, of which the audit log knows more"),
        pytest.param(CALLED, [], True, id="before the first Lease that was read"),
    ],
)
def test_calls_come_from_who_leads(deed: Deed, history: list[Tenure], sound: bool) -> None:
    assert (not list(called_by_nobody([deed], history))) is sound


def test_calls_that_were_long_on_their_way_come_from_who_led() -> None:
    stood = Span(NOW - timedelta(seconds=0.5), NOW)
    assert list(called_by_nobody([CALLED], [LED], [stood])) == []
    assert len(list(called_by_nobody([CALLED], [LED], [stood._replace(until=stood.since)]))) == 1


RECORDED = replace(DELETED, what="pending configmaps", since=NOW - timedelta(seconds=1))
SENT_EARLY = [replace(CALLED, at=NOW - timedelta(seconds=0.5)), RECORDED]


def of_another(number: int, *deeds: Deed) -> list[Deed]:
    return [replace(deed, actor=f"call-{number:04}") for deed in deeds]


@pytest.mark.parametrize(
    ("deeds", "sound"),
    [
        pytest.param([CALLED, RECORDED], True, id="when that was recorded"),
        pytest.param([CALLED], False, id="when nothing was"),
        pytest.param(
            [replace(CALLED, at=NOW - timedelta(seconds=2)), RECORDED], False, id="before"
        ),
        pytest.param(SENT_EARLY, False, id="without waiting for the answer"),
        pytest.param(
            [*SENT_EARLY, *(d for n in range(9) for d in of_another(n, CALLED, RECORDED))],
            True,
            id="one in ten, between the answer and the time that is noted of it",
        ),
    ],
)
def test_calls_come_when_it_is_recorded_that_they_are_about_to(
    deeds: list[Deed], sound: bool
) -> None:
    assert (not list(hasty(deeds))) is sound


WRITE = AuditEvent(
    stage="ResponseComplete",
    verb="patch",
    user=User(),
    user_agent="dayfly-operator/0 (r-0)",
    object_ref=ObjectReference(resource="configmaps", name="dayfly-history-3"),
    request_received_timestamp=NOW - timedelta(seconds=1),
    stage_timestamp=NOW + timedelta(seconds=1),
)


@pytest.mark.parametrize(
    ("after", "replica", "writes", "excused"),
    [
        pytest.param(0.3, "r-0", [], True, id="killed at once"),
        pytest.param(0.5, "r-0", [], False, id="killed when it should have been written"),
        pytest.param(2.3, "r-0", [WRITE], True, id="killed soon after a write that took long"),
        pytest.param(2.5, "r-0", [WRITE], False, id="killed when it had rested from that"),
        pytest.param(0.3, "r-1", [], False, id="another one was killed"),
    ],
)
def test_what_the_history_may_lack(
    after: float, replica: str, writes: list[AuditEvent], excused: bool
) -> None:
    kill = Kill(1, BY_CHANCE, NOW + timedelta(seconds=after), replica)
    assert is_excused(DELETED, [kill], writes) is excused


@pytest.mark.parametrize(
    ("after", "excused"),
    [
        pytest.param(
            3.3, True, id="killed soon after it goes on, and it rests after what was slow"
        ),
        pytest.param(4.5, False, id="killed when it should have been written"),
    ],
)
def test_what_it_may_lack_when_the_machine_stood_still(after: float, excused: bool) -> None:
    kill = Kill(1, BY_CHANCE, NOW + timedelta(seconds=after), "r-0")
    stood = Span(NOW + timedelta(seconds=1), NOW + timedelta(seconds=3))
    assert is_excused(DELETED, [kill], [], [stood]) is excused
    assert not is_excused(DELETED, [kill], [])


def test_it_may_lack_what_was_answered_when_its_sender_was_dead() -> None:
    late = replace(DELETED, at=NOW + timedelta(seconds=2))
    assert is_excused(late, [Kill(1, BY_CHANCE, NOW + timedelta(seconds=0.1), "r-0")], [])

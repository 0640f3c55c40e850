"""What a change of an object says of an act, for whoever has only seen the change."""

from datetime import datetime
from typing import Any

import msgspec
import pytest

from dayfly_core import names, waking
from dayfly_core.lifecycle import Record, Result
from dayfly_core.objects import DEPLOYMENTS, ObjectMeta
from dayfly_core.testimony import SEEN, Change, acts
from dayfly_core.timeline import Ledger
from support.build import NOW, SECOND, in_
from support.subjects import PREVIEWS, about, do
from support.timelines import ending, on_timeline, recorded

END = in_("-1m")
DUE = ending(END)
LATER = ending(in_("1h"))
MARKED = ending(in_("1h"), ended_by="Ephemerator/review-7")
GOING = msgspec.structs.replace(DUE, deletion_timestamp=NOW)
ANEW = msgspec.structs.replace(DUE, uid="u-2")
SLEEPS = on_timeline("SCALE_DOWN@0s", "DELETE@1d")

Told = tuple[str, str, datetime | None, str, str]


def told(before: ObjectMeta, after: ObjectMeta | None, policy: Any = PREVIEWS) -> list[Told]:
    """Return action, author, due, result and message."""
    change = Change(about(before, DEPLOYMENTS).key, before, after, NOW)
    kind = msgspec.structs.replace(policy, resources=frozenset({("apps", "deployments")}))
    entries = list(acts(change, lambda: do(about(before, DEPLOYMENTS), kind)))
    assert all((e.uid, e.kind, e.at) == ("u-1", "deployments.apps", NOW) for e in entries)
    return [(e.action, e.by, e.due, e.result, e.message) for e in entries]


DELETED: Told = ("DELETE", "ExpiryPolicy/previews", NOW - 60 * SECOND, "Done", SEEN)

ENDS = [
    pytest.param(DUE, None, PREVIEWS, [DELETED], id="gone when it was due"),
    pytest.param(DUE, GOING, PREVIEWS, [DELETED], id="on its way out, and waits for a finalizer"),
    pytest.param(DUE, ANEW, PREVIEWS, [DELETED], id="another one of its name is there"),
    pytest.param(GOING, None, PREVIEWS, [], id="it was told when it began to go"),
    pytest.param(LATER, None, PREVIEWS, [], id="gone before its time: somebody else's doing"),
    pytest.param(DUE, None, SLEEPS, [], id="gone when it was only to be scaled down"),
    pytest.param(
        MARKED,
        None,
        PREVIEWS,
        [("DELETE", "Ephemerator/review-7", None, "Done", SEEN)],
        id="gone when it was marked by who ends it",
    ),
    pytest.param(LATER, MARKED, PREVIEWS, [], id="marked, and not ended yet"),
    pytest.param(LATER, DUE, PREVIEWS, [], id="its end was moved"),
]


@pytest.mark.parametrize(("before", "after", "policy", "expected"), ENDS)
def test_what_an_end_tells(
    before: ObjectMeta, after: ObjectMeta | None, policy: Any, expected: list[Told]
) -> None:
    assert told(before, after, policy) == expected


def with_steps(
    *results: tuple[str, Result], end: str = END, woken: str = "", attempts: int = 0
) -> ObjectMeta:
    return ending(end, recorded(end, *results, woken=woken, attempts=attempts))


DOWN = ("SCALE_DOWN@0s", Result.DONE)
STEPS = [
    pytest.param(
        DUE,
        with_steps(DOWN),
        [("SCALE_DOWN", "ExpiryPolicy/previews", NOW - 60 * SECOND, "Done", "")],
        id="scaled down",
    ),
    pytest.param(with_steps(DOWN), with_steps(DOWN), [], id="nothing new"),
    pytest.param(
        with_steps(DOWN),
        with_steps(DOWN, ("WEBHOOK@30s", Result.FAILED), attempts=6),
        [("WEBHOOK", "ExpiryPolicy/previews", NOW - 30 * SECOND, "Failed", "")],
        id="of two steps the one that is new",
    ),
    pytest.param(DUE, with_steps(("WEBHOOK@0s", Result.PENDING)), [], id="a call that is pending"),
    pytest.param(DUE, with_steps(("NOTIFY@0s", Result.DONE)), [], id="a warning is told by itself"),
    pytest.param(
        with_steps(("NOTIFY@0s", Result.PENDING)),
        with_steps(("NOTIFY@0s", Result.DONE), attempts=1),
        [("WEBHOOK", "ExpiryPolicy/previews", NOW - 60 * SECOND, "Done", "")],
        id="a warning that called somebody",
    ),
    pytest.param(DUE, with_steps(("SCALE_DOWN@0s", Result.SUPERSEDED)), [], id="overtaken"),
    pytest.param(
        with_steps(DOWN),
        with_steps(end=in_("8h"), woken="now, alice"),
        [("WAKE", "ExpiryPolicy/previews", None, "Done", "now, alice")],
        id="woken, to live anew",
    ),
    pytest.param(
        with_steps(DOWN, woken="now, alice"),
        with_steps(woken="now, alice"),
        [],
        id="woken before",
    ),
    pytest.param(
        DUE,
        with_steps(("SCALE_DOWN@tomorrow", Result.DONE)),
        [("SCALE_DOWN", "ExpiryPolicy/previews", None, "Done", "")],
        id="a step that is none of ours",
    ),
]


@pytest.mark.parametrize(("before", "after", "expected"), STEPS)
def test_what_a_record_tells(before: ObjectMeta, after: ObjectMeta, expected: list[Told]) -> None:
    assert told(before, after) == expected


def test_it_tells_under_the_id_that_the_leader_uses() -> None:
    record = Record("SCALE_DOWN@0s", "occurrence-7", Result.DONE, NOW, message="3 workloads")
    steps = Ledger(END, {record.rule: record}, "now, alice", DUE.uid).text
    change = Change(about(DUE).key, DUE, ending(END, steps), NOW)
    down, wake = acts(change, lambda: do(about(DUE)))
    assert (down.id, down.message) == ("occurrence-7", "3 workloads")
    assert wake.id == waking.served("u-1", "now, alice")


def test_who_has_no_policy_any_more_ended_by_nobodys() -> None:
    after = msgspec.structs.replace(with_steps(DOWN), labels=None)
    assert names.POLICY not in after.label_map
    assert told(DUE, after)[0][1] == "ExpiryPolicy/"

"""What comes next to an object, and what of that is a surprise."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dayfly_core import agenda, instant, names, outlook
from dayfly_core.lifecycle import Record, Result, choose
from dayfly_core.objects import ObjectMeta
from dayfly_core.outlook import Next
from dayfly_core.policies import Policy
from dayfly_core.surprises import surprises
from dayfly_core.timeline import Ledger
from support.surprised import a_policy

END = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOTIFY = {"at": "-1h", "action": {"type": "NOTIFY"}}
SCALE_DOWN = {"at": "0s", "action": {"type": "SCALE_DOWN"}}
DELETE = {"at": "1d", "action": {"type": "DELETE"}}
PLAIN = a_policy(grace="1h")
STEPWISE = a_policy(grace="1h", timeline=[NOTIFY, SCALE_DOWN, DELETE])
WEBHOOK = {"at": "-30m", "action": {"type": "WEBHOOK", "webhook": {"url": "http://a.example"}}}
HASTY = a_policy(timeline=[SCALE_DOWN, {"at": "1h", "action": {"type": "DELETE"}}])
CALLING = a_policy(grace="1h", timeline=[WEBHOOK, SCALE_DOWN, DELETE])
TALKATIVE = a_policy(timeline=[NOTIFY])


def meta(*done: tuple[str, Result], caught_up: bool = False, end: datetime = END) -> ObjectMeta:
    annotations = {names.EXPIRES_AT: instant.render(END)}
    if done:
        records = {step: Record(step, "id", result, END + 5 * HOUR) for step, result in done}
        annotations[names.STEPS] = Ledger(instant.render(end), records).text
    if caught_up:
        annotations[names.CAUGHT_UP] = instant.render(END - DAY)
    return ObjectMeta(annotations=annotations)


NOTIFIED = ("NOTIFY@-1h", Result.DONE)
SCALED = ("SCALE_DOWN@0s", Result.DONE)


@pytest.mark.parametrize(
    ("policy", "of", "expected"),
    [
        pytest.param(PLAIN, meta(), Next(END, "DELETE@0s"), id="without a timeline"),
        pytest.param(STEPWISE, meta(), Next(END - HOUR, "NOTIFY@-1h"), id="nothing done yet"),
        pytest.param(STEPWISE, meta(NOTIFIED), Next(END, "SCALE_DOWN@0s"), id="warned"),
        pytest.param(
            STEPWISE, meta(NOTIFIED, SCALED), Next(END + DAY, "DELETE@1d"), id="scaled down"
        ),
        pytest.param(
            STEPWISE,
            meta(("NOTIFY@-1h", Result.SUPERSEDED)),
            Next(END, "SCALE_DOWN@0s"),
            id="a step that was overtaken",
        ),
        pytest.param(
            CALLING,
            meta(("WEBHOOK@-30m", Result.PENDING)),
            Next(END + 5 * HOUR, "WEBHOOK@-30m"),
            id="a webhook that is tried again holds up all of them",
        ),
        pytest.param(
            STEPWISE,
            meta(NOTIFIED, ("SCALE_DOWN@0s", Result.PENDING)),
            Next(END + 5 * HOUR, "SCALE_DOWN@0s"),
            id="a scale-down that is tried again",
        ),
        pytest.param(
            HASTY,
            meta(("SCALE_DOWN@0s", Result.PENDING)),
            Next(END + HOUR, "DELETE@1h"),
            id="a scale-down that is tried again holds up no deletion",
        ),
        pytest.param(
            STEPWISE,
            meta(NOTIFIED, end=END - DAY),
            Next(END - HOUR, "NOTIFY@-1h"),
            id="what was done for another end does not count",
        ),
        pytest.param(TALKATIVE, meta(NOTIFIED), None, id="all done"),
        pytest.param(
            PLAIN, meta(SCALED), Next(END, "DELETE@0s"), id="its policy had a timeline before"
        ),
        pytest.param(
            replace(PLAIN, known={"DELETE@0s": END + DAY}),
            meta(),
            Next(END + DAY + HOUR, "DELETE@0s"),
            id="a step that came too late waits for the grace",
        ),
        pytest.param(
            replace(STEPWISE, known={"NOTIFY@-1h": END}, grace=DAY),
            meta(),
            Next(END, "SCALE_DOWN@0s"),
            id="a warning that came too late holds up no later step",
        ),
        pytest.param(
            replace(CALLING, known={"WEBHOOK@-30m": END}, grace=2 * DAY),
            meta(),
            Next(END + 2 * DAY, "WEBHOOK@-30m"),
            id="a webhook that came too late holds up all of them",
        ),
    ],
)
def test_what_comes_next(policy: Policy, of: ObjectMeta, expected: Next | None) -> None:
    assert outlook.coming(policy, of, END) == expected


@pytest.mark.parametrize(
    ("policy", "of", "expected"),
    [
        pytest.param(PLAIN, meta(), END, id="without a timeline"),
        pytest.param(STEPWISE, meta(), END, id="a warning ends nothing"),
        pytest.param(STEPWISE, meta(NOTIFIED, SCALED), END + DAY, id="asleep: when it is deleted"),
        pytest.param(STEPWISE, meta(SCALED, end=END - DAY), END, id="asleep, and extended"),
        pytest.param(
            STEPWISE, meta(("SCALE_DOWN@0s", Result.PENDING)), END + 5 * HOUR, id="tried again"
        ),
        pytest.param(a_policy(timeline=[SCALE_DOWN]), meta(SCALED), None, id="asleep for ever"),
        pytest.param(TALKATIVE, meta(), None, id="only warned"),
        pytest.param(
            replace(PLAIN, known={"DELETE@0s": END + DAY}), meta(), END + DAY + HOUR,
            id="known too late: after the grace",
        ),
    ],
)  # fmt: skip
def test_when_it_ends_next(policy: Policy, of: ObjectMeta, expected: datetime | None) -> None:
    assert outlook.ending(policy, of, END) == expected


@pytest.mark.parametrize(
    ("policy", "first"),
    [
        pytest.param(PLAIN, END, id="without a timeline"),
        pytest.param(STEPWISE, END, id="a warning ends nothing"),
        pytest.param(TALKATIVE, None, id="only warned"),
    ],
)
def test_before_what_nothing_is_taken_away(policy: Policy, first: datetime | None) -> None:
    assert outlook.earliest_ending(policy, END) == first


@given(
    done=st.lists(st.sampled_from(["NOTIFY@-1h", "SCALE_DOWN@0s", "DELETE@1d"]), unique=True),
    result=st.sampled_from(Result),
    known=st.integers(-100, 100),
)
def test_nothing_comes_before_the_earliest(done: list[str], result: Result, known: int) -> None:
    policy = replace(STEPWISE, known=dict.fromkeys(done, END + known * HOUR))
    found = outlook.coming(policy, meta(*((step, result) for step in done)), END)
    assert found is None or found.at >= outlook.earliest(policy, END)


ALL = a_policy(grace="7h", timeline=[NOTIFY, WEBHOOK, SCALE_DOWN, DELETE])


@given(
    known=st.lists(st.integers(-30, 30), min_size=len(ALL.steps), max_size=len(ALL.steps)),
    done=st.dictionaries(
        st.sampled_from([step.name for step in ALL.steps[:-1]]), st.sampled_from(Result)
    ),
)
def test_what_comes_next_comes_when_the_engine_acts(
    known: list[int], done: dict[str, Result]
) -> None:
    since = {s.name: END + n * HOUR for s, n in zip(ALL.steps, known, strict=True)}
    policy = replace(ALL, known=since)
    records = {step: Record(step, "id", result, END) for step, result in done.items()}
    coming = agenda.coming(policy, records, END)
    first = next((at for at in instants(policy) if turn(policy, records, at)), None)
    if Result.PENDING not in done.values():
        assert (coming.at if coming else None) == first
    elif first:
        assert coming, "something is to be done"
        assert coming.at <= first, "whoever looks too early looks again"


def instants(policy: Policy) -> list[datetime]:
    return sorted([END, *(agenda.due(policy, step, END).at for step in policy.steps)])


def turn(policy: Policy, records: dict[str, Record], at: datetime) -> bool:
    chosen = choose(agenda.rules(policy, records, END), agenda.NO_FACTS, records, at).rule
    begun = records.get(chosen.name) if chosen else None
    return chosen is not None and (begun is None or begun.at <= at)


@pytest.mark.parametrize(
    ("policy", "of", "expected"),
    [
        pytest.param(PLAIN, meta(), (), id="an end that its author knows"),
        pytest.param(PLAIN, meta(caught_up=True), (END,), id="an end that the operator gave"),
        pytest.param(
            STEPWISE,
            meta(caught_up=True),
            (END, END + DAY),
            id="both what scales it down and what deletes it",
        ),
        pytest.param(
            STEPWISE, meta(NOTIFIED, SCALED, caught_up=True), (END + DAY,), id="what is done is not"
        ),
        pytest.param(TALKATIVE, meta(caught_up=True), (), id="a warning takes nothing away"),
        pytest.param(
            replace(PLAIN, known={"DELETE@0s": END - DAY}), meta(), (), id="known in time"
        ),
        pytest.param(
            replace(PLAIN, known={"DELETE@0s": END}), meta(), (), id="known in the last second"
        ),
        pytest.param(
            replace(PLAIN, known={"DELETE@0s": END + DAY}),
            meta(),
            (END + DAY + HOUR,),
            id="known too late",
        ),
        pytest.param(
            replace(STEPWISE, known={"DELETE@1d": END + HOUR}),
            meta(),
            (),
            id="known after the end, and before the step",
        ),
        pytest.param(
            replace(STEPWISE, known={"DELETE@1d": END + 2 * DAY}),
            meta(SCALED),
            (END + 2 * DAY + HOUR,),
            id="a deletion that was added when all was scaled down",
        ),
        pytest.param(
            replace(PLAIN, since=END + 5 * DAY), meta(), (END + 5 * DAY,),
            id="due long before the policy was resumed",
        ),
        pytest.param(
            replace(PLAIN, since=END - HOUR), meta(), (), id="due after the policy was resumed"
        ),
        pytest.param(
            replace(PLAIN, since=END), meta(), (END,), id="due as the policy was resumed"
        ),
        pytest.param(
            replace(STEPWISE, known={"SCALE_DOWN@0s": END - DAY, "DELETE@1d": END + 2 * DAY}),
            meta(), (END + 2 * DAY + HOUR,), id="one step known in time, another too late",
        ),
        pytest.param(
            replace(STEPWISE, since=END + HOUR), meta(), (END + HOUR,),
            id="resumed between two steps",
        ),
        pytest.param(
            replace(STEPWISE, since=END + HOUR), meta(NOTIFIED, SCALED), (),
            id="resumed when the step that was due was done",
        ),
        pytest.param(
            replace(PLAIN, since=END + DAY), meta(caught_up=True), (END + DAY,),
            id="an end that the operator gave, under a policy that was suspended then",
        ),
        pytest.param(
            replace(PLAIN, known={"DELETE@0s": END + DAY}, since=END + DAY), meta(),
            (END + DAY + HOUR,), id="a step that waits for the grace, since the same edit",
        ),
    ],
)  # fmt: skip
def test_what_is_a_surprise(policy: Policy, of: ObjectMeta, expected: tuple[datetime, ...]) -> None:
    assert surprises(policy, of, END) == expected

"""Which end: the table, row by row."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dayfly_core.bounds import objections
from dayfly_core.expiry import Case, End, Never, Until, after, decide
from support.build import DAY, HOUR, NOW, an_object, in_
from support.cases import (
    BOUNDED,
    FOREVER,
    OPT_IN,
    PLAIN,
    RENEWS,
    STAMPED,
    UNSTAMPED,
    WARN,
    create,
    update,
)


def text_of(end: End | None) -> str | None:
    if isinstance(end, Never):
        return "never"
    return end.text if end else None


ENDS = [
    pytest.param(create(an_object(ttl="8h")), in_("8h"), id="CREATE with ttl: now + ttl"),
    pytest.param(
        create(an_object(ttl="P1DT12H")), in_("1d12h"), id="CREATE with ttl in ISO 8601: now + ttl"
    ),
    pytest.param(
        create(an_object(at="2026-11-24T11:00:00+01:00")),
        "2026-11-24T11:00:00+01:00",
        id="CREATE with expires-at: as written, to the letter",
    ),
    pytest.param(create(an_object()), in_("24h"), id="CREATE with neither: now + default"),
    pytest.param(
        create(an_object(), OPT_IN), None, id="CREATE with neither, no default: not stamped"
    ),
    pytest.param(
        create(an_object(ttl="8h"), OPT_IN), in_("8h"), id="CREATE with ttl, no default: now + ttl"
    ),
    pytest.param(
        create(an_object(at=in_("-1m"))), None, id="CREATE with a past expires-at: left for refusal"
    ),
    pytest.param(
        create(an_object(at=in_("-59s"))),
        in_("-59s"),
        id="CREATE with an end just past: as written",
    ),
    pytest.param(
        create(an_object(at=in_("-1d")), WARN),
        in_("24h"),
        id="CREATE with a past expires-at under Warn: as if absent",
    ),
    pytest.param(
        create(an_object(ttl="2h", at=in_("2h"))), in_("2h"), id="CREATE with both: as written"
    ),
    pytest.param(create(an_object(ttl="5")), None, id="CREATE with a bad ttl: left for refusal"),
    pytest.param(
        create(an_object(at="tomorrow")), None, id="CREATE with a bad expires-at: left for refusal"
    ),
    pytest.param(
        create(an_object(ttl="5"), WARN), in_("24h"), id="CREATE with a bad ttl under Warn: default"
    ),
    pytest.param(
        create(an_object(ttl="2h", at="tomorrow"), WARN),
        in_("2h"),
        id="CREATE with a bad expires-at under Warn: now + ttl",
    ),
    pytest.param(create(an_object(ttl="never")), "never", id="CREATE with never: no end"),
    pytest.param(
        update(STAMPED, ttl="12h"), in_("12h"), id="UPDATE, ttl changed: now + ttl, not creation"
    ),
    pytest.param(
        update(an_object(at=in_("2h"), policy="previews", age=HOUR), ttl="1h"),
        in_("1h"),
        id="UPDATE, ttl set: now + ttl, earlier as well",
    ),
    pytest.param(
        update(STAMPED, ttl="12h", at=None),
        in_("12h"),
        id="UPDATE, ttl changed and expires-at dropped: now + ttl",
    ),
    pytest.param(update(STAMPED, ttl=None), in_("2h"), id="UPDATE, ttl removed: end unchanged"),
    pytest.param(
        update(STAMPED, ttl=None, at=None),
        in_("2h"),
        id="UPDATE, both removed (a plain replace): end restored",
    ),
    pytest.param(
        update(STAMPED, at=in_("3d")), in_("3d"), id="UPDATE, expires-at changed: as written"
    ),
    pytest.param(update(STAMPED, at=None), in_("2h"), id="UPDATE, expires-at removed: restored"),
    pytest.param(
        update(STAMPED, ttl="3d", at=in_("3d")), in_("3d"), id="UPDATE, both changed: as written"
    ),
    pytest.param(update(STAMPED), in_("2h"), id="UPDATE, anything else: untouched"),
    pytest.param(
        update(an_object(ttl="1h", at=in_("-2h"), policy="previews", age=3 * HOUR)),
        in_("-2h"),
        id="UPDATE, anything else with the end past: untouched",
    ),
    pytest.param(update(STAMPED, ttl="5"), None, id="UPDATE, ttl bad now: left for refusal"),
    pytest.param(
        update(STAMPED, at="later"), None, id="UPDATE, expires-at bad now: left for refusal"
    ),
    pytest.param(
        update(STAMPED, WARN, ttl="5"), in_("2h"), id="UPDATE, ttl bad under Warn: end unchanged"
    ),
    pytest.param(
        update(STAMPED, WARN, at="later"), in_("2h"), id="UPDATE, end bad under Warn: restored"
    ),
    pytest.param(update(STAMPED, ttl="never"), "never", id="UPDATE, ttl never: no end any more"),
    pytest.param(update(FOREVER), None, id="UPDATE of what never ends: untouched"),
    pytest.param(
        update(FOREVER, ttl=None),
        in_("23h"),
        id="UPDATE, never removed: the default, from creation",
    ),
    pytest.param(
        update(msgspec.structs.replace(FOREVER, creation_timestamp=NOW - 9 * DAY), ttl=None),
        in_("1h"),
        id="UPDATE, never removed from something old: grace",
    ),
    pytest.param(
        update(FOREVER, OPT_IN, ttl=None), None, id="UPDATE, never removed, no default: nothing"
    ),
    pytest.param(update(FOREVER, ttl="3h"), in_("3h"), id="UPDATE, never changed: now + ttl"),
    pytest.param(
        update(an_object(at="garbled", policy="previews", age=HOUR)),
        None,
        id="UPDATE of a garbled end: left for the operator",
    ),
    pytest.param(update(UNSTAMPED), None, id="UPDATE of an unstamped object: left for catch-up"),
    pytest.param(
        update(UNSTAMPED, ttl="8h"), in_("8h"), id="UPDATE of an unstamped object, ttl set: stamped"
    ),
    pytest.param(
        update(UNSTAMPED, at=in_("5h")),
        in_("5h"),
        id="UPDATE of an unstamped object, expires-at set: stamped",
    ),
    pytest.param(
        update(an_object(ttl="8h", age=HOUR)),
        None,
        id="UPDATE of an unstamped object that had a ttl: left for catch-up",
    ),
    pytest.param(
        update(an_object(at=in_("9h"), age=HOUR), ttl="2h"),
        in_("2h"),
        id="UPDATE of an unstamped object with an old end, ttl set: now + ttl",
    ),
    pytest.param(
        update(an_object(ttl="8h", age=HOUR), ttl=None),
        None,
        id="UPDATE of an unstamped object, ttl removed: left for catch-up",
    ),
    pytest.param(
        update(STAMPED, RENEWS, spec_changed=True), in_("8h"), id="GenerationChange: now + ttl"
    ),
    pytest.param(
        update(an_object(at=in_("2h"), policy="previews", age=HOUR), RENEWS, spec_changed=True),
        in_("24h"),
        id="GenerationChange without ttl: now + default",
    ),
    pytest.param(
        update(STAMPED, RENEWS), in_("2h"), id="GenerationChange, spec not changed: untouched"
    ),
    pytest.param(
        update(STAMPED, BOUNDED, spec_changed=True),
        in_("2h"),
        id="Creation, spec changed: untouched",
    ),
    pytest.param(
        update(
            an_object(ttl="8h", at=in_("3d"), policy="previews", age=HOUR),
            RENEWS,
            spec_changed=True,
        ),
        in_("3d"),
        id="GenerationChange never shortens an extended end",
    ),
    pytest.param(
        update(
            an_object(ttl="5d", at=in_("1h"), policy="previews", age=29 * DAY),
            RENEWS,
            spec_changed=True,
        ),
        in_("1d"),
        id="GenerationChange goes up to maxTotal",
    ),
    pytest.param(
        update(
            an_object(ttl="20d", at=in_("1h"), policy="previews", age=HOUR),
            RENEWS,
            spec_changed=True,
        ),
        in_("7d"),
        id="GenerationChange goes up to max",
    ),
    pytest.param(
        update(
            an_object(at=in_("1h"), policy="previews", age=HOUR),
            replace(RENEWS, default=None),
            spec_changed=True,
        ),
        in_("1h"),
        id="GenerationChange without ttl and default: untouched",
    ),
    pytest.param(
        update(
            an_object(ttl="never", at=in_("1h"), policy="previews", age=HOUR),
            RENEWS,
            spec_changed=True,
        ),
        in_("1h"),
        id="GenerationChange of a never that still has an end: untouched",
    ),
]


@pytest.mark.parametrize(("case", "want"), ENDS)
def test_which_end(case: Case, want: str | None) -> None:
    assert text_of(decide(case)) == want


def test_a_computed_end_is_rounded_up_to_a_whole_second() -> None:
    until = after(NOW + timedelta(milliseconds=1), HOUR)
    assert until == Until(NOW + HOUR + timedelta(seconds=1), "2026-11-22T11:00:01Z")


@given(ttl=st.text(max_size=80) | st.none(), at=st.text(max_size=80) | st.none())
def test_any_text_gets_an_end_or_an_objection_but_no_exception(
    ttl: str | None, at: str | None
) -> None:
    for policy in (PLAIN, BOUNDED, WARN, OPT_IN):
        for case in (
            create(an_object(ttl=ttl, at=at), policy),
            update(STAMPED, policy, ttl=ttl, at=at),
        ):
            decide(case)
            objections(case)


@given(at=st.datetimes().map(lambda moment: moment.isoformat() + "Z"))
def test_any_instant_is_compared_without_overflow(at: str) -> None:
    for case in (create(an_object(at=at), BOUNDED), update(STAMPED, BOUNDED, at=at)):
        decide(case)
        objections(case)

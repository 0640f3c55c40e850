"""Which end: the table, row by row, and what is refused with which words."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core.api import Enforcement, RenewOn
from dayfly_core.bounds import objections
from dayfly_core.expiry import Case, End, Never, Until, after, decide
from dayfly_core.names import Reason
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policy
from dayfly_core.wish import read
from support.build import DAY, HOUR, NOW, a_policy, an_object, in_

PLAIN = a_policy()
OPT_IN = a_policy(default=None)
BOUNDED = a_policy(minimum="1m", default="24h", maximum="7d", max_total="30d")
WARN = replace(BOUNDED, enforcement=Enforcement.WARN)
RENEWS = replace(BOUNDED, renew_on=RenewOn.GENERATION_CHANGE)
STAMPED = an_object(ttl="8h", at=in_("2h"), policy="previews", age=HOUR)
UNSTAMPED = an_object(age=HOUR)
FOREVER = an_object(ttl="never", policy="previews", age=HOUR)


def create(meta: ObjectMeta, policy: Policy = PLAIN) -> Case:
    return Case(policy, meta, None, NOW)


def update(
    old: ObjectMeta, policy: Policy = PLAIN, *, spec_changed: bool = False, **changes: str | None
) -> Case:
    """Change annotations of the stored object; None removes one."""
    wish = read(old)
    wanted = {"ttl": wish.ttl_text, "at": wish.at_text, **changes}
    fresh = an_object(ttl=wanted["ttl"], at=wanted["at"])
    meta = msgspec.structs.replace(old, annotations=fresh.annotations)
    return Case(policy, meta, old, NOW, spec_changed)


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


OBJECTIONS = [
    pytest.param(create(an_object()), [], id="nothing asked, nothing refused"),
    pytest.param(create(an_object(ttl="5"), BOUNDED), [Reason.INVALID_TTL], id="no unit"),
    pytest.param(create(an_object(ttl="30s"), BOUNDED), [Reason.TTL_TOO_SHORT], id="ttl under min"),
    pytest.param(create(an_object(ttl="1m"), BOUNDED), [], id="ttl of min"),
    pytest.param(create(an_object(ttl="7d"), BOUNDED), [], id="ttl of max"),
    pytest.param(create(an_object(ttl="8d"), BOUNDED), [Reason.TTL_TOO_LONG], id="ttl over max"),
    pytest.param(
        create(an_object(ttl="31d"), BOUNDED),
        [Reason.TTL_TOO_LONG, Reason.TOTAL_TOO_LONG],
        id="ttl over max and maxTotal: both are named",
    ),
    pytest.param(
        create(an_object(ttl="never"), BOUNDED), [Reason.NEVER_NOT_ALLOWED], id="never under max"
    ),
    pytest.param(create(an_object(ttl="never"), PLAIN), [], id="never without bounds"),
    pytest.param(
        create(an_object(ttl="never"), a_policy(max_total="30d")),
        [Reason.NEVER_NOT_ALLOWED],
        id="never under maxTotal alone",
    ),
    pytest.param(
        create(an_object(ttl="never", at=in_("1h")), PLAIN),
        [Reason.ENDS_DISAGREE],
        id="never and an end",
    ),
    pytest.param(
        create(an_object(ttl="2h", at=in_("3h")), PLAIN), [Reason.ENDS_DISAGREE], id="two ends"
    ),
    pytest.param(
        create(an_object(ttl="2h", at=in_("119m")), PLAIN), [], id="two ends a minute apart agree"
    ),
    pytest.param(
        create(an_object(ttl="5", at="x"), BOUNDED),
        [Reason.INVALID_TTL, Reason.INVALID_EXPIRES_AT],
        id="both unreadable: both are named",
    ),
    pytest.param(
        create(an_object(at=in_("-1s")), PLAIN), [Reason.END_IN_THE_PAST], id="an end in the past"
    ),
    pytest.param(
        create(an_object(at="0001-01-01T00:00:00Z"), BOUNDED),
        [Reason.END_IN_THE_PAST],
        id="an end in the year 1",
    ),
    pytest.param(
        create(an_object(at="9999-12-31T23:59:59Z"), BOUNDED),
        [Reason.TTL_TOO_LONG, Reason.TOTAL_TOO_LONG],
        id="an end in the year 9999",
    ),
    pytest.param(
        create(an_object(at=in_("30s")), a_policy(minimum="5m")),
        [Reason.TTL_TOO_SHORT],
        id="expires-at under min",
    ),
    pytest.param(
        create(an_object(at=in_("4m")), a_policy(minimum="5m")), [], id="within a minute of min"
    ),
    pytest.param(create(an_object(at=in_("7d1m")), BOUNDED), [], id="within a minute of max"),
    pytest.param(
        create(an_object(at=in_("7d2m")), BOUNDED), [Reason.TTL_TOO_LONG], id="expires-at over max"
    ),
    pytest.param(
        create(an_object(at=in_("24h")), a_policy(default="24h", maximum="1h")),
        [],
        id="a default is never refused",
    ),
    pytest.param(
        create(an_object(ttl="2s", at=in_("-30s")), PLAIN),
        [],
        id="a short life that was over before the second call",
    ),
    pytest.param(update(STAMPED, BOUNDED), [], id="UPDATE that asks nothing"),
    pytest.param(
        update(an_object(ttl="90d", at=in_("80d"), policy="previews", age=HOUR), BOUNDED),
        [],
        id="UPDATE beside an end that today's bounds would refuse",
    ),
    pytest.param(
        update(an_object(ttl="5", at="x", policy="previews", age=HOUR), BOUNDED),
        [],
        id="UPDATE beside stored nonsense",
    ),
    pytest.param(
        update(STAMPED, BOUNDED, at=in_("8d")), [Reason.TTL_TOO_LONG], id="UPDATE extends over max"
    ),
    pytest.param(
        update(an_object(at=in_("1h"), policy="previews", age=29 * DAY), BOUNDED, at=in_("2d")),
        [Reason.TOTAL_TOO_LONG],
        id="UPDATE extends over maxTotal",
    ),
    pytest.param(
        update(an_object(at=in_("1h"), policy="previews", age=29 * DAY), BOUNDED, ttl="2d"),
        [Reason.TOTAL_TOO_LONG],
        id="UPDATE asks a ttl over maxTotal",
    ),
    pytest.param(
        update(an_object(at=in_("7d"), policy="previews", age=HOUR), BOUNDED, at=in_("7d50s")),
        [],
        id="UPDATE within the tolerance of max",
    ),
    pytest.param(
        update(an_object(at=in_("9d"), policy="previews", age=HOUR), BOUNDED, at=in_("9d30s")),
        [Reason.TTL_TOO_LONG],
        id="UPDATE near an end that is out of bounds is no excuse",
    ),
    pytest.param(
        update(STAMPED, BOUNDED, at=in_("-1h")), [Reason.END_IN_THE_PAST], id="UPDATE into the past"
    ),
    pytest.param(
        update(STAMPED, BOUNDED, ttl="3d", at=in_("2d")),
        [Reason.ENDS_DISAGREE],
        id="UPDATE of both that disagree",
    ),
    pytest.param(update(STAMPED, BOUNDED, ttl="3d", at=in_("3d")), [], id="UPDATE of both, agreed"),
    pytest.param(update(STAMPED, BOUNDED, ttl=None), [], id="UPDATE that removes ttl"),
    pytest.param(
        update(STAMPED, a_policy(minimum="10h", renew_on=RenewOn.GENERATION_CHANGE),
               spec_changed=True, at=in_("8h")),
        [],
        id="a renewal is never refused, though min is longer by now",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("case", "want"), OBJECTIONS)
def test_what_is_refused(case: Case, want: list[str]) -> None:
    assert [violation.reason for violation in objections(case)] == want


@pytest.mark.parametrize(
    ("case", "want"),
    [
        pytest.param(
            create(an_object(ttl="5"), BOUNDED),
            'metadata.annotations[dayfly.dev/ttl]: Invalid value: "5": has no unit; '
            "write for example 90s, 8h, 1d12h, 2w or P1DT12H",
            id="a bad ttl shows good ones",
        ),
        pytest.param(
            create(an_object(ttl="8d"), BOUNDED),
            'metadata.annotations[dayfly.dev/ttl]: Invalid value: "8d": '
            "ExpiryPolicy previews allows at most 7d",
            id="too long a ttl names the longest",
        ),
        pytest.param(
            create(an_object(ttl="1s"), BOUNDED),
            'metadata.annotations[dayfly.dev/ttl]: Invalid value: "1s": '
            "ExpiryPolicy previews allows no less than 1m",
            id="too short a ttl names the shortest",
        ),
        pytest.param(
            create(an_object(ttl="never"), BOUNDED),
            'metadata.annotations[dayfly.dev/ttl]: Invalid value: "never": '
            "ExpiryPolicy previews allows at most 7d",
            id="never names the longest",
        ),
        pytest.param(
            create(an_object(at=in_("-1d")), BOUNDED),
            'metadata.annotations[dayfly.dev/expires-at]: Invalid value: "2026-11-21T10:00:00Z": '
            "is past; write a later instant, or delete the object to end it now",
            id="a past end says what to do",
        ),
        pytest.param(
            create(an_object(at=in_("8d")), BOUNDED),
            'metadata.annotations[dayfly.dev/expires-at]: Invalid value: "2026-11-30T10:00:00Z": '
            "ExpiryPolicy previews allows 2026-11-29T10:00:00Z at the latest",
            id="too late an end names the latest",
        ),
        pytest.param(
            create(an_object(at=in_("1m")), a_policy(minimum="1h")),
            'metadata.annotations[dayfly.dev/expires-at]: Invalid value: "2026-11-22T10:01:00Z": '
            "ExpiryPolicy previews allows 2026-11-22T11:00:00Z at the earliest",
            id="too early an end names the earliest",
        ),
        pytest.param(
            create(an_object(at=in_("40d")), a_policy(max_total="30d")),
            'metadata.annotations[dayfly.dev/expires-at]: Invalid value: "2027-01-01T10:00:00Z": '
            "ExpiryPolicy previews allows 2026-12-22T10:00:00Z at the latest, "
            "30d after the creation",
            id="beyond maxTotal names that instant",
        ),
        pytest.param(
            create(an_object(ttl="2h", at=in_("3h")), PLAIN),
            'metadata.annotations[dayfly.dev/expires-at]: Invalid value: "2026-11-22T13:00:00Z": '
            "dayfly.dev/ttl asks for 2h, which is another end; write one of the two",
            id="two ends say which",
        ),
    ],
)
def test_a_refusal_says_what_would_be_right(case: Case, want: str) -> None:
    assert [violation.text for violation in objections(case)] == [want]


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

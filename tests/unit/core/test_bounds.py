"""What is refused: every objection to a wish, and its words."""

import pytest

from dayfly_core.api import RenewOn
from dayfly_core.bounds import objections
from dayfly_core.expiry import Case
from dayfly_core.reasons import Reason
from support.build import DAY, HOUR, a_policy, an_object, in_
from support.cases import BOUNDED, PLAIN, STAMPED, create, update

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

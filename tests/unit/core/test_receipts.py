"""Receipts: one fact a line, at most 120 characters, only for people and only for news."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core import names
from dayfly_core.api import Receipts, Unit
from dayfly_core.helm import marks as helm
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policy
from dayfly_core.receipts import WIDTH, receipts, warning
from dayfly_core.request import Request
from dayfly_core.violations import Violation
from dayfly_core.wish import TTL_FIELD
from support.build import DAY, HOUR, NOW, a_policy, a_request, an_object, in_

PREVIEWS = a_policy()
STAMPED = an_object(at=in_("8h"), policy="previews", age=timedelta())
TEAM = ObjectMeta(name="team-a")
ENDS = "configmap team-a/settings ends 2026-11-22T18:00:00Z (in 8h), by ExpiryPolicy previews"
BEFORE = "before that its namespace ends, 2026-11-22T12:00:00Z (in 2h), and all in it"
EXTEND = "to extend: kubectl dayfly extend configmap/settings -n team-a 1d"
HOSTED = an_object(at=in_("8h"), host="settings.x", policy="previews", age=timedelta())
UNSTAMPED = an_object(age=HOUR)
MOVED = an_object(at=in_("7h"), host="settings.x", policy="previews", age=HOUR)
HOST = "its host is settings.x"


def team_ending(at: str, **labels: str) -> ObjectMeta:
    return an_object(
        at=at, policy="namespaces", labels={f"dayfly.dev/{k}": v for k, v in labels.items()}
    )


PROTECTED = {"dayfly.dev/protected": "true"}

RELEASE = a_policy(unit=Unit.RELEASE)
WHOLE = "Helm release team-a/shop ends as one, with its last object; hooks are not run"
KEPT = "Helm release team-a/shop ends without it: helm.sh/resource-policy keeps it"


SLEEPING = msgspec.structs.replace(
    STAMPED, annotations={**STAMPED.annotation_map, names.SCALED_BY: "an-occurrence its-uid"}
)
WAKE = (
    "was scaled down when it was copied; to wake it: "
    "kubectl dayfly wake configmap/settings -n team-a"
)


def of_helm(**annotations: str) -> Request:
    marks = {helm.RELEASE_NAME: "shop", helm.RELEASE_NAMESPACE: "team-a", **annotations}
    labels = {**STAMPED.label_map, helm.MANAGED_BY: "Helm"}
    notes = {**STAMPED.annotation_map, **marks}
    return a_request(msgspec.structs.replace(STAMPED, labels=labels, annotations=notes))


CASES = [
    pytest.param(of_helm(), RELEASE, TEAM, [ENDS, WHOLE, EXTEND], id="a release ends as one"),
    pytest.param(
        of_helm(**{helm.RESOURCE_POLICY: "keep"}),
        RELEASE,
        TEAM,
        [ENDS, KEPT, EXTEND],
        id="without what its chart keeps",
    ),
    pytest.param(of_helm(), PREVIEWS, TEAM, [ENDS, EXTEND], id="where objects end by themselves"),
    pytest.param(a_request(STAMPED), RELEASE, TEAM, [ENDS, EXTEND], id="of no release"),
    pytest.param(a_request(SLEEPING), PREVIEWS, TEAM, [ENDS, WAKE, EXTEND], id="how it is woken"),
    pytest.param(
        a_request(SLEEPING, UNSTAMPED), PREVIEWS, TEAM, [ENDS, EXTEND], id="but of no copy"
    ),
    pytest.param(a_request(STAMPED), PREVIEWS, TEAM, [ENDS, EXTEND], id="the end, how to move it"),
    pytest.param(
        a_request(STAMPED),
        PREVIEWS,
        team_ending(in_("2h")),
        [ENDS, BEFORE, EXTEND],
        id="a namespace that ends earlier",
    ),
    pytest.param(
        a_request(STAMPED), PREVIEWS, team_ending(in_("9h")), [ENDS, EXTEND], id="a later one"
    ),
    pytest.param(
        a_request(STAMPED), PREVIEWS, team_ending("soon"), [ENDS, EXTEND], id="a garbled one"
    ),
    pytest.param(
        a_request(STAMPED),
        PREVIEWS,
        team_ending(in_("2h"), protected="true"),
        [ENDS, EXTEND],
        id="one that is protected",
    ),
    pytest.param(a_request(STAMPED), PREVIEWS, None, [ENDS, EXTEND], id="an unknown namespace"),
    pytest.param(
        a_request(
            msgspec.structs.replace(STAMPED, name="team-a", namespace=""),
            plural="namespaces",
            kind="Namespace",
            namespaced=False,
            namespace="team-a",
        ),
        PREVIEWS,
        team_ending(in_("2h")),
        [
            "namespace team-a ends 2026-11-22T18:00:00Z (in 8h), by ExpiryPolicy previews",
            "to extend: kubectl dayfly extend namespace/team-a 1d",
        ],
        id="a namespace itself",
    ),
    pytest.param(
        a_request(HOSTED),
        PREVIEWS,
        team_ending(in_("2h")),
        [ENDS, BEFORE, HOST, EXTEND],
        id="the host that it was given",
    ),
    pytest.param(
        a_request(HOSTED, UNSTAMPED),
        PREVIEWS,
        TEAM,
        [ENDS, HOST, EXTEND],
        id="a host that it was given with its first end",
    ),
    pytest.param(
        a_request(msgspec.structs.replace(HOSTED, labels=STAMPED.label_map | PROTECTED)),
        PREVIEWS,
        TEAM,
        ["configmap team-a/settings is protected: Dayfly does not end it", HOST],
        id="a host of what is protected",
    ),
    pytest.param(
        a_request(an_object(ttl="never", host="settings.x", policy="previews")),
        PREVIEWS,
        TEAM,
        ["configmap team-a/settings never ends, by ExpiryPolicy previews", HOST],
        id="a host of what never ends",
    ),
    pytest.param(
        a_request(an_object(at=in_("8h"), host="settings.x", policy="previews"), MOVED),
        PREVIEWS,
        TEAM,
        [ENDS, EXTEND],
        id="a host that it had already is no news",
    ),
    pytest.param(
        a_request(an_object(ttl="8h", at=in_("8h"), policy="previews")),
        PREVIEWS,
        TEAM,
        [ENDS, EXTEND.replace("1d", "8h")],
        id="the command repeats the wish",
    ),
    pytest.param(
        a_request(STAMPED),
        a_policy(default=None),
        TEAM,
        [ENDS, EXTEND.replace("1d", "8h")],
        id="without wish and default the command shows an example",
    ),
    pytest.param(
        a_request(an_object(ttl="never", policy="previews")),
        PREVIEWS,
        TEAM,
        ["configmap team-a/settings never ends, by ExpiryPolicy previews"],
        id="something that never ends",
    ),
    pytest.param(
        a_request(an_object(at=in_("8h"), policy="previews", labels=PROTECTED)),
        PREVIEWS,
        TEAM,
        ["configmap team-a/settings is protected: Dayfly does not end it"],
        id="something protected",
    ),
    pytest.param(
        a_request(an_object(at=in_("-1h"), policy="previews")),
        PREVIEWS,
        TEAM,
        [
            "configmap team-a/settings ends 2026-11-22T09:00:00Z (now), by ExpiryPolicy previews",
            EXTEND,
        ],
        id="an end in the past",
    ),
    pytest.param(a_request(an_object(at=in_("8h"))), PREVIEWS, TEAM, [], id="nothing unstamped"),
    pytest.param(
        a_request(an_object(at="x", policy="previews")), PREVIEWS, TEAM, [], id="nothing endless"
    ),
    pytest.param(
        a_request(STAMPED), a_policy(receipts=Receipts.NEVER), TEAM, [], id="nothing if unwanted"
    ),
    pytest.param(a_request(STAMPED, STAMPED), PREVIEWS, TEAM, [], id="nothing if nothing changed"),
    pytest.param(
        a_request(STAMPED, an_object(at=in_("4h"), policy="previews", age=HOUR)),
        PREVIEWS,
        TEAM,
        [ENDS, EXTEND],
        id="an end that moved",
    ),
    pytest.param(
        a_request(STAMPED, an_object(at=in_("8h"), age=HOUR)),
        PREVIEWS,
        TEAM,
        [ENDS, EXTEND],
        id="an object that is stamped only now",
    ),
    *(
        pytest.param(a_request(STAMPED, username=user), PREVIEWS, TEAM, [], id=f"not for {user}")
        for user in (
            "system:serviceaccount:kube-system:job-controller",
            "system:kube-controller-manager",
            "system:kube-scheduler",
            "system:node:node-1",
        )
    ),
    pytest.param(
        a_request(STAMPED, username="system:serviceaccount:team-a:ci"),
        PREVIEWS,
        TEAM,
        [ENDS, EXTEND],
        id="but for service accounts of others",
    ),
    pytest.param(
        a_request(msgspec.structs.replace(STAMPED, name="", generate_name="run-"), name=""),
        PREVIEWS,
        TEAM,
        [ENDS.replace("settings", "run-..."), EXTEND.replace("settings", "run-...")],
        id="a name to be generated",
    ),
]


@pytest.mark.parametrize(("request_", "policy", "namespace", "want"), CASES)
def test_receipts(
    request_: Request, policy: Policy, namespace: ObjectMeta | None, want: list[str]
) -> None:
    assert list(receipts(request_, policy, namespace, NOW)) == want


@pytest.mark.parametrize(
    ("left", "says"),
    [
        pytest.param(timedelta(seconds=0.4), "in 1s", id="the last second"),
        pytest.param(timedelta(seconds=59.4), "in 59s", id="under ten minutes: seconds"),
        pytest.param(timedelta(minutes=9, seconds=5), "in 9m5s", id="nine minutes: seconds"),
        pytest.param(8 * HOUR - timedelta(seconds=9), "in 8h", id="hours: rounded to minutes"),
        pytest.param(1.5 * DAY, "in 1d12h", id="days"),
    ],
)
def test_what_is_left_is_rounded_for_people(left: timedelta, says: str) -> None:
    meta = an_object(at=(NOW + left).isoformat(), policy="previews")
    assert says in receipts(a_request(meta), PREVIEWS, TEAM, NOW)[0]


def test_a_long_name_gives_way_to_the_end_and_the_command_stays_typeable() -> None:
    meta = msgspec.structs.replace(SLEEPING, name="n" * 253)
    end, wake, extend = receipts(a_request(meta), PREVIEWS, TEAM, NOW)
    assert end.endswith("n... ends 2026-11-22T18:00:00Z (in 8h), by ExpiryPolicy previews")
    assert wake.endswith("to wake it: kubectl dayfly wake KIND/NAME -n NAMESPACE")
    assert extend == "to extend: kubectl dayfly extend KIND/NAME -n NAMESPACE 8h"


@given(
    name=st.text(min_size=1, max_size=253),
    namespace=st.text(min_size=1, max_size=63),
    kind=st.text(min_size=1, max_size=63),
    policy=st.text(min_size=1, max_size=63),
)
def test_no_receipt_is_longer_than_a_warning_may_be(
    name: str, namespace: str, kind: str, policy: str
) -> None:
    meta = msgspec.structs.replace(SLEEPING, name=name, namespace=namespace)
    request = msgspec.structs.replace(a_request(meta), namespace=namespace, kind=kind)
    lines = receipts(request, a_policy(policy), team_ending(in_("2h")), NOW)
    assert [line for line in lines if len(line) > WIDTH] == []


def test_a_warning_names_the_key_and_is_cut_to_its_length() -> None:
    assert warning(Violation("X", TTL_FIELD, "5", "has no unit")) == "dayfly.dev/ttl: has no unit"
    long = warning(Violation("X", TTL_FIELD, "5", "x" * 200))
    assert len(long) == WIDTH
    assert long.endswith("...")

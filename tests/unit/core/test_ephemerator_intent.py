"""What an Ephemerator's author is told, and what the author must be allowed to do alone."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from dayfly_core import names
from dayfly_core.ephemerator import judge
from dayfly_core.guard import Guard
from dayfly_core.intent import Intent, Version, Yardstick
from dayfly_core.lifetime import Months
from dayfly_core.objects import ObjectMeta
from dayfly_core.reasons import Reason
from support.build import NOW
from support.own_manifests import an_ephemerator, until
from support.reviews import Json

BY = Yardstick(NOW, Guard.parse("dayfly-system", {"namespaces": "prod-*"}))
DELETE_SHOP = ["delete namespaces/shop"]


def version(manifest: Json, *, stored: bool = False) -> Version:
    meta = msgspec.convert(manifest["metadata"], ObjectMeta)
    created = NOW - timedelta(minutes=5) if stored else None
    return Version(msgspec.structs.replace(meta, creation_timestamp=created), manifest["spec"])


def judged(new: Json, old: Json | None = None, by: Yardstick = BY) -> Intent:
    before = version(old, stored=True) if old else None
    return judge(version(new, stored=bool(old)), before, by)


def both(one: str, other: str) -> Json:
    return an_ephemerator(one, namespaceToWatch=other)


AT_ONCE: Json = {"duration": {"minutes": 1}}
LATER: Json = {"duration": {"hours": 1}}
UNREADABLE: Json = an_ephemerator() | {"spec": {"lifetime": 5}}


@pytest.mark.parametrize(
    ("new", "wrong"),
    [
        pytest.param(an_ephemerator(), [], id="a good one"),
        pytest.param(an_ephemerator(lifetime=until("2021-11-26")), [], id="an end that is past"),
        pytest.param(an_ephemerator(enabled=False), [], id="one that is not in force"),
        pytest.param(
            an_ephemerator("kube-system"),
            [(Reason.GUARDED, "spec.resourceToWatch.namespace")],
            id="the control plane's namespace",
        ),
        pytest.param(
            both("default", "default"), [(Reason.GUARDED, "spec.namespaceToWatch")], id="default"
        ),
        pytest.param(
            an_ephemerator("dayfly-system"),
            [(Reason.GUARDED, "spec.resourceToWatch.namespace")],
            id="Dayfly's own",
        ),
        pytest.param(
            an_ephemerator("prod-shop"),
            [(Reason.GUARDED, "spec.resourceToWatch.namespace")],
            id="one that the ConfigMap lists",
        ),
        pytest.param(
            both("shop", "store"),
            [(Reason.INVALID_SPEC, "spec.namespaceToWatch")],
            id="two targets",
        ),
        pytest.param(an_ephemerator(""), [(Reason.INVALID_SPEC, "spec")], id="no target"),
        pytest.param(
            an_ephemerator(lifetime=until("2021-02-30", "25:00:00", "Mars/Base")),
            [
                (Reason.INVALID_LIFETIME, "spec.lifetime.until.timezone"),
                (Reason.INVALID_LIFETIME, "spec.lifetime.until.date"),
                (Reason.INVALID_LIFETIME, "spec.lifetime.until.time"),
            ],
            id="zone, day and time: all are named",
        ),
        pytest.param(
            an_ephemerator("kube-system", {"duration": {"minutes": 0}}),
            [
                (Reason.GUARDED, "spec.resourceToWatch.namespace"),
                (Reason.INVALID_LIFETIME, "spec.lifetime.duration"),
            ],
            id="target and lifetime: both are named",
        ),
        pytest.param(
            an_ephemerator(lifetime={"duration": {"minutes": -5, "days": -1}}),
            [
                (Reason.INVALID_SPEC, "spec.lifetime.duration.days"),
                (Reason.INVALID_SPEC, "spec.lifetime.duration.minutes"),
            ],
            id="negative numbers",
        ),
        pytest.param(UNREADABLE, [(Reason.INVALID_SPEC, "spec.lifetime")], id="nothing like it"),
    ],
)
def test_all_that_is_wrong(new: Json, wrong: list[tuple[str, str]]) -> None:
    found = judged(new)
    assert [(v.reason, v.field) for v in found.violations] == wrong
    assert not (found.violations and found.receipts)


@pytest.mark.parametrize(
    ("new", "old", "rights"),
    [
        pytest.param(an_ephemerator(), None, DELETE_SHOP, id="a new one"),
        pytest.param(an_ephemerator(enabled=False), None, DELETE_SHOP, id="not in force yet"),
        pytest.param(
            an_ephemerator(lifetime=LATER), an_ephemerator(), [], id="an end that moves later"
        ),
        pytest.param(
            an_ephemerator(lifetime=AT_ONCE), an_ephemerator(), DELETE_SHOP, id="or earlier"
        ),
        pytest.param(
            an_ephemerator("store"), an_ephemerator(), ["delete namespaces/store"], id="another"
        ),
        pytest.param(
            an_ephemerator(), an_ephemerator(enabled=False), DELETE_SHOP, id="switched on"
        ),
        pytest.param(an_ephemerator(enabled=False), an_ephemerator(), [], id="switched off"),
        pytest.param(
            an_ephemerator(),
            an_ephemerator(lifetime=until("2021-02-30")),
            DELETE_SHOP,
            id="one that had no end",
        ),
        pytest.param(
            an_ephemerator(lifetime=until("2021-02-30")), an_ephemerator(), [], id="the end lost"
        ),
        pytest.param(an_ephemerator(), UNREADABLE, DELETE_SHOP, id="one that said nothing"),
        pytest.param(both("shop", "store"), None, [], id="no target that one could ask about"),
    ],
)
def test_what_its_author_must_be_allowed(new: Json, old: Json | None, rights: list[str]) -> None:
    assert list(map(str, judged(new, old).rights)) == rights


def test_what_was_wrong_before_does_not_keep_an_update_out() -> None:
    before = an_ephemerator("kube-system")
    assert not judged(an_ephemerator("kube-system", LATER), before).violations
    assert not judged(an_ephemerator("kube-system", LATER), before).receipts
    assert judged(an_ephemerator("kube-public"), before).violations


def test_what_was_stored_before_there_were_rules_can_be_switched_off_and_no_more() -> None:
    off = UNREADABLE | {"metadata": an_ephemerator(enabled=False)["metadata"]}
    assert judged(off, UNREADABLE) == Intent()
    assert judged(UNREADABLE, off).violations
    assert judged(off | {"spec": {"lifetime": 6}}, UNREADABLE).violations
    assert judged(off).violations


SPACES: dict[str, ObjectMeta] = {"shop": ObjectMeta(labels={names.PROTECTED: "true"})}


@pytest.mark.parametrize(
    ("new", "by", "want"),
    [
        pytest.param(
            an_ephemerator(),
            BY,
            ["namespace shop ends 2026-11-22T10:07:00Z (in 7m), by Ephemerator shop-ends"],
            id="when what ends",
        ),
        pytest.param(
            an_ephemerator(lifetime=until("2021-11-26")),
            BY,
            ["namespace shop ends 2021-11-27T05:20:00Z (now), by Ephemerator shop-ends"],
            id="at once",
        ),
        pytest.param(
            an_ephemerator(enabled=False),
            BY,
            [
                "Ephemerator shop-ends does nothing yet: it needs the annotation "
                'ephemerators.tessellate.io/enabled: "true"'
            ],
            id="what it lacks",
        ),
        pytest.param(
            an_ephemerator(lifetime={"duration": {"months": 1}}),
            Yardstick(NOW, BY.guard, months=Months.COMPAT),
            ["namespace shop ends 2026-12-20T10:00:00Z (in 28d), by Ephemerator shop-ends"],
            id="months as they are counted here",
        ),
        pytest.param(
            an_ephemerator(),
            Yardstick(NOW, BY.guard, SPACES.get),
            [
                "namespace shop ends 2026-11-22T10:07:00Z (in 7m), by Ephemerator shop-ends",
                "as long as it carries the label dayfly.dev/protected, it does not end",
            ],
            id="what keeps it",
        ),
    ],
)
def test_the_receipt_says(new: Json, by: Yardstick, want: list[str]) -> None:
    assert list(judged(new, by=by).receipts) == want


def test_a_receipt_is_no_longer_than_a_warning() -> None:
    long: dict[str, Any] = an_ephemerator("s" * 63)
    long["metadata"]["name"] = "e" * 253
    assert all(len(text) <= 120 for text in judged(long).receipts)

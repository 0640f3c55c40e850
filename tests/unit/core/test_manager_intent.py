"""What a NamespaceManager's author is told, and what the author must be allowed to do alone."""

from datetime import timedelta
from ipaddress import ip_network

import msgspec
import pytest

from dayfly_core.guard import Guard
from dayfly_core.intent import Intent, Version, Yardstick
from dayfly_core.namespace_manager import judge
from dayfly_core.objects import ObjectMeta
from dayfly_core.outgoing.destinations import Rules
from dayfly_core.reasons import Reason
from support.build import NOW
from support.own_manifests import a_manager, a_policy
from support.reviews import Json

BY = Yardstick(NOW, Guard.parse("dayfly-system", {"namespaces": "prod-*"}))
SHOP: dict[str, ObjectMeta] = {"shop": ObjectMeta(creation_timestamp=NOW - timedelta(seconds=10))}
NO_STRINGS: Json = {"namespace": 5}


def version(manifest: Json) -> Version:
    return Version(msgspec.convert(manifest["metadata"], ObjectMeta), manifest["spec"])


def judged(new: Json, old: Json | None = None, by: Yardstick = BY) -> Intent:
    return judge(version(new), version(old) if old else None, by)


CALL = a_policy("WEBHOOK", url="http://hooks.example.com/secret/path")
DOWN = a_policy("SCALE_DOWN")
NOTIFY = a_policy("NOTIFY")


def calling(url: str) -> Json:
    return a_manager(a_policy("WEBHOOK", url=url))


def selecting(*kinds: str) -> Json:
    return a_manager(a_policy("SCALE_DOWN", selectors=[{"kind": kind} for kind in kinds]))


def at(until: str) -> Json:
    return a_policy("DELETE", "UNTIL", condition_params={"until": until})


URL = "spec.policies[0].action.params.url"


@pytest.mark.parametrize(
    ("new", "wrong"),
    [
        pytest.param(a_manager(), [], id="a good one"),
        pytest.param(a_manager(at("2026-11-22T10:00:00Z")), [], id="an instant"),
        pytest.param(
            a_manager(target="kube-system"),
            [(Reason.GUARDED, "spec.namespace")],
            id="the control plane's namespace",
        ),
        pytest.param(
            a_manager(name="default"),
            [(Reason.GUARDED, "metadata.name")],
            id="default, by its name",
        ),
        pytest.param(
            a_manager(DOWN, target="prod-shop"),
            [(Reason.GUARDED, "spec.namespace")],
            id="scaling down where the ConfigMap says no",
        ),
        pytest.param(a_manager(DOWN, target="default"), [], id="what people try out in default"),
        pytest.param(a_manager(CALL, target="kube-system"), [], id="looking on"),
        pytest.param(
            a_manager(CALL, NOTIFY, DOWN, target="kube-system"),
            [(Reason.GUARDED, "spec.namespace")],
            id="writing a warning on what is guarded",
        ),
        pytest.param(
            a_manager(a_policy(), at("2026-13-01T00:00:00Z"), DOWN, target="kube-system"),
            [
                (Reason.GUARDED, "spec.namespace"),
                (Reason.GUARDED, "spec.namespace"),
                (Reason.INVALID_RULE, "spec.policies[1]"),
            ],
            id="target and instant: all are named",
        ),
        pytest.param(
            calling("http://169.254.169.254/latest"),
            [(Reason.DESTINATION_FORBIDDEN, URL)],
            id="a cloud's metadata",
        ),
        pytest.param(
            calling("ftp://hooks.example.com"), [(Reason.DESTINATION_FORBIDDEN, URL)], id="no HTTP"
        ),
        pytest.param(calling("http://10.1.2.3/x"), [], id="a private network"),
        pytest.param(
            a_manager(a_policy("DELETE", "TTL", condition_params={"ttlSeconds": -1})),
            [(Reason.INVALID_SPEC, "spec.policies[0].condition.params.ttlSeconds")],
            id="negative numbers",
        ),
        pytest.param(a_manager() | {"spec": 5}, [(Reason.INVALID_SPEC, "spec")], id="no spec"),
        pytest.param(
            a_manager(a_policy("WEBHOOK")), [(Reason.INVALID_RULE, "spec.policies[0]")], id="no URL"
        ),
        pytest.param(selecting("Pod"), [], id="a kind that is skipped"),
    ],
)
def test_all_that_is_wrong(new: Json, wrong: list[tuple[str, str]]) -> None:
    found = judged(new)
    assert [(v.reason, v.field) for v in found.violations] == wrong
    assert bool(found.receipts) is not bool(wrong)


def test_where_webhooks_may_go_is_for_the_installation_to_say() -> None:
    url = "http://10.1.2.3/x"
    rules = Rules(private=False)
    assert judged(calling(url), by=Yardstick(NOW, BY.guard, webhooks=rules)).violations
    allowed = Rules(allow=(ip_network("10.1.2.0/24"),), private=False)
    assert not judged(calling(url), by=Yardstick(NOW, BY.guard, webhooks=allowed)).violations


DELETE = "delete namespaces/shop"
SCALE = ["patch deployments.apps in namespace shop", "patch statefulsets.apps in namespace shop"]
THERE = a_manager(target="shop")


@pytest.mark.parametrize(
    ("new", "old", "rights"),
    [
        pytest.param(THERE, None, [DELETE], id="deleting another namespace"),
        pytest.param(a_manager(name="shop"), None, [DELETE], id="also by the manager's name"),
        pytest.param(a_manager(DOWN, target="shop"), None, SCALE, id="scaling it down"),
        pytest.param(a_manager(DOWN, a_policy(), target="shop"), None, [DELETE, *SCALE], id="both"),
        pytest.param(
            a_manager(CALL, target="shop"), None, ["get namespaces/shop"], id="telling about it"
        ),
        pytest.param(
            a_manager(CALL, NOTIFY, target="shop"),
            None,
            ["patch namespaces/shop"],
            id="writing a warning on it",
        ),
        pytest.param(a_manager(target="team-a"), None, [], id="its own namespace"),
        pytest.param(a_manager(name="team-a"), None, [], id="its own, by its name"),
        pytest.param(a_manager(target="shop", deactivated=True), None, [DELETE], id="dormant"),
        pytest.param(
            a_manager(target="shop", deactivated=True), THERE, [], id="an update that disarms"
        ),
        pytest.param(
            THERE, a_manager(target="shop", deactivated=True), [DELETE], id="one that arms"
        ),
        pytest.param(a_manager(target="team-b"), THERE, ["delete namespaces/team-b"], id="aims"),
        pytest.param(
            a_manager(DOWN, target="shop"), THERE, SCALE, id="one that does something else"
        ),
        pytest.param(
            a_manager(target="shop", deactivated=False), THERE, [], id="one that says the same"
        ),
        pytest.param(THERE, THERE | {"spec": NO_STRINGS}, [DELETE], id="one of what said nothing"),
    ],
)
def test_what_its_author_must_be_allowed(new: Json, old: Json | None, rights: list[str]) -> None:
    assert list(map(str, judged(new, old).rights)) == rights


def test_what_was_wrong_before_does_not_keep_an_update_out() -> None:
    before = a_manager(target="kube-system")
    disarmed = judged(a_manager(target="kube-system", deactivated=True), before)
    assert (disarmed.violations, disarmed.receipts) == ((), ())
    assert judged(a_manager(target="kube-public"), before).violations


def test_what_was_stored_before_there_were_rules_can_be_switched_off_and_no_more() -> None:
    negative = a_policy("DELETE", "TTL", condition_params={"ttlSeconds": -1})
    before = a_manager(negative, target="shop")
    assert judged(a_manager(negative, target="shop", deactivated=True), before) == Intent()
    assert judged(a_manager(negative, target="mall", deactivated=True), before).violations
    assert judged(a_manager(negative, target="shop", deactivated=False), before).violations
    assert judged(a_manager(negative, deactivated=True)).violations
    assert judged(a_manager(negative, deactivated=True), before | {"spec": 5}).violations


@pytest.mark.parametrize(
    ("new", "want"),
    [
        pytest.param(selecting("deployment", "StatefulSet", "DEPLOYMENT"), [], id="what it knows"),
        pytest.param(
            selecting("Deployment", "CronJob"),
            ["policy the policy skips the kind CronJob: it knows deployment and statefulset"],
            id="what is skipped",
        ),
        pytest.param(a_manager(), [], id="nothing selected"),
    ],
)
def test_what_is_skipped_is_said(new: Json, want: list[str]) -> None:
    assert list(judged(new).warnings) == want


PODS = a_policy("NOTIFY", "PODS_SUCCEED", name="pods done")


@pytest.mark.parametrize(
    ("new", "want"),
    [
        pytest.param(
            THERE,
            ["namespace shop is deleted 2026-11-22T10:00:30Z (in 30s), by its policy the policy"],
            id="counted from the namespace",
        ),
        pytest.param(
            a_manager(a_policy("DELETE", condition_params={}), target="new"),
            ["namespace new is deleted 30m after its creation, by its policy the policy"],
            id="which is not there yet",
        ),
        pytest.param(
            a_manager(at("2026-11-22T11:00:00Z"), target="shop"),
            ["namespace shop is deleted 2026-11-22T11:00:00Z (in 1h), by its policy the policy"],
            id="at an instant",
        ),
        pytest.param(
            a_manager(DOWN, PODS, target="shop"),
            [
                "namespace shop is scaled down 2026-11-22T10:00:30Z (in 30s), by its policy the "
                "policy",
                "an Event tells of namespace shop once all its pods have succeeded, by its policy "
                "pods done",
            ],
            id="one line for each",
        ),
        pytest.param(
            a_manager(CALL, target="shop"),
            [
                "http://hooks.example.com is called 2026-11-22T10:00:30Z (in 30s), by its policy "
                "the policy"
            ],
            id="no path, which may be a secret",
        ),
        pytest.param(
            a_manager(deactivated=True),
            ["NamespaceManager ci is deactivated: it does nothing"],
            id="that it does nothing",
        ),
    ],
)
def test_the_receipt_says(new: Json, want: list[str]) -> None:
    by = Yardstick(NOW, BY.guard, SHOP.get)
    assert list(judged(new, by=by).receipts) == want


def test_a_receipt_of_many_policies_stays_short() -> None:
    many = judged(a_manager(*[a_policy(name="p" * 92)] * 32, target="s" * 63))
    assert len(many.receipts) == 5
    assert many.receipts[-1].startswith("and 28 more")
    assert all(len(text) <= 120 for text in many.receipts)

"""The operator over real HTTP: what it ends, what survives, and what faults do to it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dayfly_core import names
from support.fake_api import FakeApi, Fault
from support.operators import MAPS, POLICIES, Running, operating, stamped
from support.waiting import eventually

WATCHED_MAPS = "/api/v1/configmaps"
NOBODY_LISTENS = 0.3
"""Seconds in which nothing must happen; a DELETE would come within a tenth of it."""


async def test_an_object_is_deleted_at_its_end_and_both_it_and_its_policy_say_so() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        stored = api.put(f"{MAPS}/a", stamped(operator.clock.text(0.2)))
        await eventually(lambda: operator.gone("a"))
        (delete,) = operator.deletes()
        await eventually(lambda: operator.events("a") == ["Expired", "Deleted"])
        await eventually(lambda: operator.events("previews") == ["Deleted"])
    meta = stored["metadata"]
    assert delete.body["preconditions"] == {
        "uid": meta["uid"],
        "resourceVersion": meta["resourceVersion"],
    }
    assert delete.body["propagationPolicy"] == "Background"


async def test_ends_that_came_while_nobody_led_are_executed_by_the_next_leader() -> None:
    async with FakeApi() as api, operating(api, leading=False) as operator:
        await operator.put_policy()
        for number in range(30):
            api.put(f"{MAPS}/a{number}", stamped(operator.clock.text(-5)))
        api.put(f"{MAPS}/later", stamped(operator.clock.text(0.3)))
        await asyncio.sleep(0)
        await eventually(lambda: not any(operator.writes()))
        operator.lead()
        await eventually(lambda: all(operator.gone(f"a{number}") for number in range(30)))
        await eventually(lambda: operator.gone("later"))


async def test_a_follower_writes_nothing_on_objects_rules_or_status() -> None:
    async with FakeApi() as api, operating(api, leading=False) as operator:
        install_webhooks(api)
        await operator.put_policy(ttl={"default": "1s"})
        api.put(f"{MAPS}/a", stamped(operator.clock.text(-5)))
        api.put(f"{MAPS}/unstamped")
        await asyncio.sleep(NOBODY_LISTENS)
        written = [r for r in operator.writes() if "/secrets/" not in r.path]
    assert written == []


async def deafen(operator: Running) -> None:
    """Let the operator's watches of ConfigMaps be half-open: it hears of no change any more."""
    for _ in range(2):
        operator.api.fault(Fault("silent", WATCHED_MAPS, watch=True, times=1))
    watches = len(operator.api.watches(WATCHED_MAPS))
    operator.api.release()
    await eventually(lambda: len(operator.api.watches(WATCHED_MAPS)) >= watches + 2)


def extend(operator: Running) -> None:
    operator.api.put(f"{MAPS}/a", stamped(operator.clock.text(3600)))


def strip(operator: Running) -> None:
    operator.api.put(f"{MAPS}/a", {"data": {"k": "v"}})


def protect(operator: Running) -> None:
    item = stamped(operator.clock.text(-1), **{names.PROTECTED: "true"})
    operator.api.put(f"{MAPS}/a", item)


def recreate(operator: Running) -> None:
    operator.api.remove(f"{MAPS}/a")
    operator.api.put(f"{MAPS}/a", stamped(operator.clock.text(3600)))


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(extend, id="it was extended"),
        pytest.param(strip, id="its stamps were removed"),
        pytest.param(protect, id="it was protected"),
        pytest.param(recreate, id="it was re-created under the same name"),
    ],
)
async def test_what_changed_between_decision_and_delete_survives_if(
    meanwhile: Callable[[Running], None],
) -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        api.put(f"{MAPS}/a", stamped(operator.clock.text(1.0)))
        await eventually(lambda: operator_knows(operator, "a"))
        await deafen(operator)
        meanwhile(operator)
        await eventually(lambda: operator.deletes("a"))
        await eventually(lambda: operator.reads(f"{MAPS}/a"))
        await asyncio.sleep(NOBODY_LISTENS)
        assert not operator.gone("a")
        assert len(operator.deletes("a")) == 1


def operator_knows(operator: Running, name: str) -> bool:
    return any(key.name == name for key, _ in operator.program.parts.all_stamped())


async def test_an_object_that_was_merely_touched_is_judged_again_and_ends() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        end = operator.clock.text(1.0)
        api.put(f"{MAPS}/a", stamped(end))
        await eventually(lambda: operator_knows(operator, "a"))
        await deafen(operator)
        touched = api.put(f"{MAPS}/a", stamped(end, colour="blue"))
        await eventually(lambda: operator.gone("a"))
        assert len(operator.deletes("a")) == 2
        wanted = operator.deletes("a")[1].body["preconditions"]["resourceVersion"]
    assert wanted == touched["metadata"]["resourceVersion"]


async def test_an_object_that_is_gone_already_is_no_error() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        api.put(f"{MAPS}/a", stamped(operator.clock.text(1.0)))
        await eventually(lambda: operator_knows(operator, "a"))
        await deafen(operator)
        api.remove(f"{MAPS}/a")
        await eventually(lambda: operator.deletes("a"))
        await asyncio.sleep(NOBODY_LISTENS)
        assert len(operator.deletes("a")) == 1
        assert "DeletionFailed" not in operator.events("a")


@pytest.mark.parametrize(
    ("fault", "attempts"),
    [
        pytest.param(Fault("status", f"{MAPS}/a", "DELETE", times=3), 4, id="three times 500"),
        pytest.param(Fault("reset", f"{MAPS}/a", "DELETE", times=2), 3, id="broken connections"),
        pytest.param(
            Fault("status", f"{MAPS}/a", "DELETE", code=409, reason="Conflict"),
            2,
            id="a conflict about nothing",
        ),
    ],
)
async def test_an_end_is_executed_in_spite_of(fault: Fault, attempts: int) -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        api.fault(fault)
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("a"))
        assert len(operator.deletes("a")) == attempts


async def test_a_throttled_delete_waits_as_long_as_the_server_asks() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        throttled = Fault(
            "status", f"{MAPS}/a", "DELETE", code=429, reason="TooManyRequests", retry_after=1
        )
        api.fault(throttled)
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("a"))
        first, second = operator.deletes("a")
    assert second.at - first.at >= 1


async def test_a_forbidden_delete_is_reported_and_others_go_on() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        forbidden = Fault(
            "status", f"{MAPS}/a", "DELETE", code=403, reason="Forbidden", message="no", times=9
        )
        api.fault(forbidden)
        for name in "ab":
            api.put(f"{MAPS}/{name}", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("b"))
        await eventually(lambda: "DeletionFailed" in operator.events("a"))
        await eventually(lambda: "DeletionFailed" in operator.events("previews"))
        assert not operator.gone("a")
        assert len(operator.deletes("a")) == 1


async def test_nothing_is_lost_while_the_api_server_is_away() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        for number in range(5):
            api.put(f"{MAPS}/a{number}", stamped(operator.clock.text(0.5 + number / 10)))
        await eventually(lambda: operator_knows(operator, "a4"))
        await api.down()
        operator.clock.leap(20)
        await asyncio.sleep(NOBODY_LISTENS)
        extended = stamped(operator.clock.text(3600))
        api.put(f"{MAPS}/a0", extended)
        await api.up()
        await eventually(lambda: all(operator.gone(f"a{number}") for number in range(1, 5)), 10)
        assert not operator.gone("a0")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(None, id="deleted"),
        pytest.param({"suspend": True}, id="suspended"),
        pytest.param({"enforcement": "Audit"}, id="turned into an audit"),
        pytest.param(
            {"match": {"resources": [{"apiGroups": [""], "resources": ["secrets"]}]}},
            id="made for other kinds",
        ),
        pytest.param(
            {
                "match": {
                    "resources": [{"apiGroups": [""], "resources": ["configmaps"]}],
                    "objectSelector": {"matchLabels": {"never": "there"}},
                }
            },
            id="made for other objects",
        ),
    ],
)
async def test_nothing_ends_by_a_policy_that_was_just(change: dict[str, Any] | None) -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        path = f"{POLICIES}/previews"
        if change is None:
            api.remove(path)
        else:
            stored = api.objects[path]
            api.put(path, {"spec": stored["spec"] | change})
        operator.clock.age(2)  # nobody told the operator, and what it knows is old by now
        extra = len(operator.reads(POLICIES))
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
        await eventually(lambda: len(operator.reads(POLICIES)) > extra)
        await asyncio.sleep(NOBODY_LISTENS)
        assert operator.deletes() == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"enforcement": "Audit"}, id="only audits now"),
        pytest.param(None, id="is deleted"),
    ],
)
async def test_what_a_policy_lets_go_is_handed_over_long_before_its_end(
    change: dict[str, Any] | None,
) -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        await operator.put_policy("next", priority=-1)
        api.put(f"{MAPS}/a", stamped(operator.clock.text(3600)))
        await asyncio.sleep(NOBODY_LISTENS)
        if change is None:
            api.remove(f"{POLICIES}/previews")
        else:
            stored = api.objects[f"{POLICIES}/previews"]
            api.put(f"{POLICIES}/previews", {"spec": stored["spec"] | change})
        await operator.heard()

        def decides() -> str:
            label: str = api.objects[f"{MAPS}/a"]["metadata"]["labels"][names.POLICY]
            return label

        await eventually(lambda: decides() == "next")


async def test_a_suspended_policy_that_is_resumed_ends_what_came_due_meanwhile() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy(suspend=True)
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.05)))
        await asyncio.sleep(NOBODY_LISTENS)
        assert not operator.gone("a")
        await operator.put_policy(suspend=False)
        await eventually(lambda: operator.gone("a"))


async def test_what_slipped_past_the_webhook_is_stamped_with_grace_and_ends() -> None:
    async with FakeApi() as api, operating(api) as operator:
        api.put(f"{MAPS}/old", {"data": {}})
        api.put(f"{MAPS}/other", {"metadata": {"labels": {"keep": "me"}}})
        selector = {"matchExpressions": [{"key": "keep", "operator": "DoesNotExist"}]}
        resources = [{"apiGroups": [""], "resources": ["configmaps"]}]
        match = {"resources": resources, "objectSelector": selector}
        await operator.put_policy(match=match, ttl={"default": "1s"})
        await eventually(lambda: "CaughtUp" in operator.events("old"))
        await eventually(lambda: operator.gone("old"))
        assert "labels" in api.objects[f"{MAPS}/other"]["metadata"]
        assert operator.deletes("other") == []


async def test_stamped_objects_go_to_the_next_policy_when_theirs_is_deleted() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        await operator.put_policy("second", priority=-1)
        api.put(f"{MAPS}/a", stamped(operator.clock.text(3600)))
        await eventually(lambda: operator_knows(operator, "a"))
        api.remove(f"{POLICIES}/previews")
        await operator.heard()
        await eventually(lambda: labels_of(api, "a")[names.POLICY] == "second")


async def test_an_end_that_cannot_be_read_is_reported_once_and_ignored() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        api.put(f"{MAPS}/a", stamped("tomorrow\x07"))
        api.put(f"{MAPS}/b", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("b"))
        await eventually(lambda: operator.events("a") == ["InvalidExpiresAt"])
        withheld = operator.program.parts.metrics.registry.get_sample_value(
            "dayfly_withheld_total", {"policy": "previews", "reason": "InvalidExpiresAt"}
        )
        assert withheld == 1
        await operator.put_policy(priority=1)
        await asyncio.sleep(NOBODY_LISTENS)
        assert operator.events("a") == ["InvalidExpiresAt"]
        assert not operator.gone("a")


async def test_a_dry_run_writes_nothing_at_all() -> None:
    async with FakeApi() as api, operating(api, "--dry-run") as operator:
        install_webhooks(api)
        await operator.put_policy(ttl={"default": "1s"})
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.05)))
        api.put(f"{MAPS}/unstamped")
        await asyncio.sleep(NOBODY_LISTENS)
        written = [r for r in api.requests if r.method != "GET"]
    assert [r.path for r in written if "selfsubjectaccessreviews" not in r.path] == []


async def test_a_policy_for_a_kind_that_is_not_there_says_so_and_ends_the_others() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy(resources=("configmaps", "unicorns"))
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("a"))
        await eventually(
            lambda: operator.conditions().get("Enforceable", ("True",))[0] == "False", 9
        )
        _, reason, message = operator.conditions()["Enforceable"]
    assert reason == "KindNotFound"
    assert "unicorns" in message


async def test_a_missing_right_is_spelled_out_with_how_to_grant_it() -> None:
    async with FakeApi() as api:
        api.allowed = lambda attributes: attributes["verb"] != "delete"
        async with operating(api) as operator:
            await operator.put_policy()
            await eventually(
                lambda: operator.conditions().get("Enforceable", ("True",))[0] == "False", 9
            )
            _, reason, message = operator.conditions()["Enforceable"]
    assert reason == "MissingRights"
    assert message.startswith("may not delete configmaps: grant it by a ClusterRole")
    assert names.AGGREGATE_LABEL in message


async def test_the_status_counts_objects_and_names_the_next_end() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        first = operator.clock.text(100)
        api.put(f"{MAPS}/a", stamped(operator.clock.text(200)))
        api.put(f"{MAPS}/b", stamped(first))
        await eventually(lambda: status_of(api).get("matched") == 2, 12)
        assert status_of(api)["nextEnd"] == first
        # There are no webhook configurations here: that is the off switch.
        assert operator.conditions()["Ready"][:2] == ("False", "AdmissionOff")


def labels_of(api: FakeApi, name: str) -> dict[str, str]:
    labels: dict[str, str] = api.objects[f"{MAPS}/{name}"]["metadata"]["labels"]
    return labels


def status_of(api: FakeApi) -> dict[str, Any]:
    status: dict[str, Any] = api.objects[f"{POLICIES}/previews"].get("status", {})
    return status


def entry(api: FakeApi) -> dict[str, Any]:
    webhook: dict[str, Any] = api.objects[MUTATING]["webhooks"][0]
    return webhook


def install_webhooks(api: FakeApi) -> None:
    """Put the two configurations of base there, without rules and caBundle, and empty Secrets."""
    root = "/apis/admissionregistration.k8s.io/v1"
    for kind, name, webhooks in (
        ("mutating", names.MUTATING_CONFIGURATION, [names.STAMP_WEBHOOK]),
        ("validating", names.VALIDATING_CONFIGURATION, [names.JUDGE_WEBHOOK, names.KINDS_WEBHOOK]),
    ):
        entries = [
            {"name": each, "sideEffects": "None", "admissionReviewVersions": ["v1"]}
            for each in webhooks
        ]
        api.put(f"{root}/{kind}webhookconfigurations/{name}", {"webhooks": entries})
    for secret in (names.CA_SECRET, names.TLS_SECRET):
        api.put(f"/api/v1/namespaces/{names.SYSTEM_NAMESPACE}/secrets/{secret}")


MUTATING = (
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/"
    f"{names.MUTATING_CONFIGURATION}"
)


async def test_webhook_rules_follow_the_policies_and_a_wiped_configuration_is_repaired() -> None:
    async with FakeApi() as api:
        install_webhooks(api)
        async with operating(api) as operator:
            await eventually(lambda: entry(api).get("clientConfig", {}).get("caBundle"))
            assert entry(api)["rules"] == []
            await operator.put_policy()
            await eventually(lambda: entry(api)["rules"])
            assert entry(api)["rules"][0]["resources"] == ["configmaps"]
            install_webhooks(api)
            await eventually(lambda: entry(api).get("rules"), 2)


async def test_a_deleted_webhook_configuration_stays_deleted() -> None:
    async with FakeApi() as api:
        install_webhooks(api)
        async with operating(api) as operator:
            await eventually(lambda: "clientConfig" in api.objects[MUTATING]["webhooks"][0])
            api.remove(MUTATING)
            await operator.put_policy()
            await asyncio.sleep(NOBODY_LISTENS)
            assert MUTATING not in api.objects


NAMESPACES = "/api/v1/namespaces"


async def test_a_namespace_with_something_protected_in_it_stays_and_says_what() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy(resources=("namespaces",))
        api.put(f"{NAMESPACES}/empty", stamped(operator.clock.text(0.5)))
        api.put(f"{NAMESPACES}/full", stamped(operator.clock.text(0.5)))
        labels = {"labels": {names.PROTECTED: "true"}}
        api.put(f"{NAMESPACES}/full/configmaps/precious", {"metadata": labels})
        await eventually(lambda: f"{NAMESPACES}/empty" not in api.objects)
        await eventually(lambda: "Protected" in operator.events("full"))
        assert operator.deletes("full") == []


async def test_namespaces_that_are_guarded_never_end() -> None:
    async with FakeApi() as api, operating(api) as operator:
        guard = f"{NAMESPACES}/{names.SYSTEM_NAMESPACE}/configmaps/{names.GUARD_CONFIG_MAP}"
        api.put(guard, {"data": {"namespaces": "team-*"}})
        await operator.put_policy(resources=("namespaces",))
        spared = ("default", "kube-system", names.SYSTEM_NAMESPACE, "team-a")
        for name in (*spared, "other"):
            api.put(f"{NAMESPACES}/{name}", stamped(operator.clock.text(0.3)))
        await eventually(lambda: f"{NAMESPACES}/other" not in api.objects)
        assert len(operator.deletes()) == 1


async def test_a_namespace_that_does_not_go_is_reported_with_what_holds_it() -> None:
    async with FakeApi() as api, operating(api, "--stuck-after", "200ms") as operator:
        await operator.put_policy(resources=("namespaces",))
        held = {"metadata": {"finalizers": ["example.com/hold"]}}
        api.put(f"{NAMESPACES}/sticky/configmaps/held", held)
        remaining = {
            "type": "NamespaceContentRemaining",
            "status": "True",
            "message": "Some resources are remaining: configmaps. has 1 resource instances",
        }
        item: dict[str, Any] = stamped(operator.clock.text(-1))
        item["status"] = {"conditions": [remaining]}
        item["metadata"]["deletionTimestamp"] = operator.clock.text(-0.5)
        item["metadata"]["finalizers"] = ["kubernetes"]
        api.put(f"{NAMESPACES}/sticky", item)
        await eventually(lambda: "NamespaceStuck" in operator.events("sticky"))
        await eventually(lambda: "Stuck" in operator.conditions(), 9)
        status, _, message = operator.conditions()["Stuck"]
        assert status == "True"
        assert "configmaps/sticky/held keeps finalizer example.com/hold" in message
        assert operator.deletes("sticky") == []


async def test_a_cluster_without_our_kind_is_not_ready_and_says_why() -> None:
    async with FakeApi() as api:
        policies = [r for r in api.resources if r.plural == "expirypolicies"]
        api.resources = [r for r in api.resources if r.plural != "expirypolicies"]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5), operating(api):
                pass
        api.resources += policies
        async with operating(api) as operator:
            assert operator.program.ready() is None


async def test_a_part_that_fails_ends_the_program() -> None:
    async with FakeApi() as api:
        with pytest.raises(ExceptionGroup):
            async with operating(api, "--health-listen", "192.0.2.1:1"):
                pass

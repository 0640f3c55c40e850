"""Our own kinds: whom the API server is asked about, and what is said if it does not answer."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from dayfly_admission import answer
from dayfly_admission.own_kinds import OwnKinds
from dayfly_admission.permission import Permissions
from dayfly_admission.review import decode
from dayfly_admission.turnstile import Turnstile
from dayfly_core import names
from dayfly_core.guard import Guard
from dayfly_core.intent import Yardstick
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policies
from dayfly_core.reasons import Reason
from dayfly_kube.errors import Unreachable
from support.own_manifests import a_manager, a_stay, an_ephemerator, of
from support.own_manifests import a_policy as a_rule
from support.reviews import Json, a_policy, a_review, accepted, encoded

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
TEAM_A = ObjectMeta(
    name="team-a",
    labels={names.POLICY: "previews"},
    annotations={names.EXPIRES_AT: "2026-11-22T12:00:00Z"},
    creation_timestamp=NOW,
)


@dataclass
class OwnKindsDesk:
    """The judge of our own kinds, and an API server that says who may do what."""

    may: bool | None = True
    """What it says of everything; None: nothing."""
    asked: list[str] = field(default_factory=list[str])
    open: bool = False
    inside: int = 1
    known_namespace: bool = True

    async def create(self, path: str, body: Any) -> bytes:
        attributes = body["spec"]["resourceAttributes"]
        what = f"{attributes['verb']} {attributes['resource']} {attributes['namespace']}"
        self.asked.append(f"{body['spec']['user']}: {what}")
        if self.may is None:
            raise Unreachable("gone")
        return msgspec.json.encode({"status": {"allowed": self.may}})

    def known(self, name: str) -> ObjectMeta | None:
        return None

    async def ask(self, name: str, seconds: float) -> ObjectMeta | None:
        assert 0 < seconds <= 5
        return TEAM_A if self.known_namespace else None

    @property
    def own_kinds(self) -> OwnKinds:
        policies = Policies([a_policy()])
        return OwnKinds(
            lambda: policies,
            self,
            None if self.open else Permissions(self),
            lambda: Yardstick(NOW, Guard("dayfly-system"), self.known),
            Turnstile(self.inside),
            lambda: 0.0,
        )

    async def judge(self, review: Json) -> tuple[Json, str]:
        said, reason = await self.own_kinds.judge(decode(encoded(review)), 5)
        return accepted(answer.encode(said), mutating=False), reason


async def judge(review: Json) -> tuple[Json, str]:
    return await OwnKindsDesk().judge(review)


# Who may aim at what.

THERE = a_manager(target="shop")


async def test_who_may_end_a_namespace_may_have_it_ended() -> None:
    desk = OwnKindsDesk(may=True)
    response, reason = await desk.judge(of(an_ephemerator()))
    assert (response["allowed"], reason) == (True, Reason.ACTIVE)
    assert response["warnings"] == [
        "namespace shop ends 2026-11-22T10:07:00Z (in 7m), by Ephemerator shop-ends"
    ]
    assert desk.asked == ["alice: delete namespaces shop"]


@pytest.mark.parametrize(
    ("manifest", "resource", "text"),
    [
        pytest.param(
            an_ephemerator(),
            "ephemerators.tessellate.io",
            "spec.resourceToWatch.namespace: alice may not delete namespaces/shop, and Dayfly",
            id="P14: an Ephemerator ends no namespace that its author may not delete",
        ),
        pytest.param(
            THERE,
            "namespacemanagers.k8s.consol.de",
            "spec.namespace: alice may not delete namespaces/shop, and Dayfly",
            id="N13: nor does a NamespaceManager",
        ),
        pytest.param(
            a_manager(a_rule("SCALE_DOWN"), name="shop"),
            "namespacemanagers.k8s.consol.de",
            "metadata.name: alice may not patch deployments.apps in namespace shop, nor patch "
            "statefulsets.apps in namespace shop, and Dayfly",
            id="nor scales it down",
        ),
    ],
)
async def test_who_may_not_is_told_what_is_missing(
    manifest: Json, resource: str, text: str
) -> None:
    response, reason = await OwnKindsDesk(may=False).judge(of(manifest))
    status = response["status"]
    name = manifest["metadata"]["name"]
    assert reason == Reason.TARGET_FORBIDDEN
    assert (status["code"], status["reason"]) == (403, "Forbidden")
    assert status["message"].startswith(f'{resource} "{name}" is forbidden: {text}')
    assert "--allow-any-target" in status["message"]
    assert [cause["field"] for cause in status["details"]["causes"]] == [text.partition(":")[0]]


async def test_a_right_that_is_missing_is_named_beside_what_else_is_wrong() -> None:
    rules = a_rule(), a_rule("WEBHOOK", url="http://127.0.0.1/")
    response, reason = await OwnKindsDesk(may=False).judge(of(a_manager(*rules, target="shop")))
    status = response["status"]
    assert (status["code"], reason) == (422, Reason.DESTINATION_FORBIDDEN)
    fields = [cause["field"] for cause in status["details"]["causes"]]
    assert fields == ["spec.policies[1].action.params.url", "spec.namespace"]


async def test_what_nobody_could_tell_is_refused() -> None:
    response, reason = await OwnKindsDesk(may=None).judge(of(THERE))
    assert (response["status"]["code"], reason) == (500, Reason.CANNOT_VERIFY)
    assert "whether alice may delete namespaces/shop was not found" in response["status"]["message"]


async def test_what_is_wrong_anyway_is_told_even_then() -> None:
    response, reason = await OwnKindsDesk(may=None).judge(of(an_ephemerator("kube-system")))
    assert (response["status"]["code"], reason) == (422, Reason.GUARDED)


async def test_a_crowd_that_cannot_be_served_is_refused() -> None:
    desk = OwnKindsDesk()
    own_kinds = desk.own_kinds
    async with own_kinds.turnstile.passing(1.0, lambda: 0.0):
        said, reason = await own_kinds.judge(decode(encoded(of(THERE))), 0.01)
    assert reason == Reason.CANNOT_VERIFY
    assert (
        "too many ask at once" in accepted(answer.encode(said), mutating=False)["status"]["message"]
    )


@pytest.mark.parametrize(
    ("new", "old"),
    [
        pytest.param(a_manager(name="team-a"), None, id="one's own namespace"),
        pytest.param(
            an_ephemerator(lifetime={"duration": {"days": 9}}), an_ephemerator(), id="later"
        ),
        pytest.param(
            a_manager(target="shop", deactivated=True), THERE, id="an update that does no more"
        ),
        pytest.param(THERE, THERE, id="an update of nothing"),
    ],
)
async def test_nobody_is_asked_about(new: Json, old: Json | None) -> None:
    desk = OwnKindsDesk(may=False)
    response, _ = await desk.judge(of(new, old))
    assert response["allowed"]
    assert desk.asked == []


async def test_a_flag_lets_anybody_aim_at_anything_but_what_is_guarded() -> None:
    desk = OwnKindsDesk(may=False, open=True)
    for manifest in (an_ephemerator(), THERE):
        response, _ = await desk.judge(of(manifest))
        assert response["allowed"]
    response, reason = await desk.judge(of(an_ephemerator("kube-system")))
    assert (response["allowed"], reason) == (False, Reason.GUARDED)
    assert desk.asked == []


async def test_machines_are_told_nothing() -> None:
    user = {"username": "system:serviceaccount:kube-system:generic-garbage-collector"}
    response, _ = await judge(of(an_ephemerator(), userInfo=user))
    assert response["allowed"]
    assert "warnings" not in response


# Stays.


async def test_a_stay_is_judged_by_the_policy_of_its_namespace() -> None:
    response, reason = await OwnKindsDesk().judge(of(a_stay(length="8h")))
    assert (response["allowed"], reason) == (True, Reason.ACTIVE)
    assert response["warnings"] == [
        "namespace team-a ends 2026-11-22T18:00:00Z (in 8h), by ExpiryPolicy previews"
    ]
    response, reason = await OwnKindsDesk().judge(of(a_stay(length="8d")))
    assert (response["status"]["code"], reason) == (422, Reason.TTL_TOO_LONG)
    assert [cause["field"] for cause in response["status"]["details"]["causes"]] == ["spec.for"]


async def test_a_stay_in_a_namespace_that_nobody_can_read_is_refused() -> None:
    response, reason = await OwnKindsDesk(known_namespace=False).judge(of(a_stay(wake=True)))
    assert (response["status"]["code"], reason) == (500, Reason.CANNOT_VERIFY)
    assert "namespace team-a" in response["status"]["message"]


async def test_a_stay_that_does_not_change_is_not_judged_again() -> None:
    _, reason = await judge(of(a_stay(length="8d"), a_stay(length="8d")))
    assert reason == Reason.UNCHANGED


# What cannot be read, and what is none of ours.


@pytest.mark.parametrize(
    ("review", "reason"),
    [
        pytest.param(of(an_ephemerator() | {"metadata": 5}), Reason.UNREADABLE, id="no metadata"),
        pytest.param(
            of(THERE, userInfo={"groups": 5, "username": "a"}), Reason.CANNOT_VERIFY, id="no user"
        ),
        pytest.param(
            of({"kind": "Stay", "metadata": {"name": "a"}}), Reason.CANNOT_VERIFY, id="no spec"
        ),
    ],
)
async def test_what_cannot_be_read_is_refused(review: Json, reason: str) -> None:
    response, said = await judge(review)
    assert (response["allowed"], said) == (False, reason)


@pytest.mark.parametrize(
    "review",
    [
        pytest.param(of(an_ephemerator("kube-system"), operation="DELETE"), id="a deletion"),
        pytest.param(a_review({"metadata": {"name": "web"}}), id="another kind"),
        pytest.param(
            of(
                an_ephemerator("kube-system")
                | {"metadata": {"name": "a", "deletionTimestamp": "2026-11-22T10:00:00Z"}}
            ),
            id="what goes away",
        ),
    ],
)
async def test_what_is_let_pass(review: Json) -> None:
    response, _ = await judge(review)
    assert response["allowed"]


# Policies.

POLICY: Json = {
    "apiVersion": "dayfly.dev/v1alpha1",
    "kind": "ExpiryPolicy",
    "metadata": {"name": "previews"},
    "spec": {
        "match": {"resources": [{"apiGroups": ["apps"], "resources": ["deployments"]}]},
        "ttl": {"default": "8h"},
    },
}


def a_policy_with(**spec: Any) -> Json:
    return POLICY | {"spec": POLICY["spec"] | spec}


NOTHING: Json = {}
GOING: Json = {"metadata": {"name": "previews", "deletionTimestamp": "2026-11-22T10:00:00Z"}}
LONGER_THAN_MAX = a_policy_with(ttl={"default": "8h", "max": "1h"})


@pytest.mark.parametrize(
    ("new", "old", "want"),
    [
        pytest.param(POLICY, None, True, id="a good policy"),
        pytest.param(LONGER_THAN_MAX, None, False, id="a default above the max"),
        pytest.param(LONGER_THAN_MAX, POLICY, False, id="made worse by an update"),
        pytest.param(LONGER_THAN_MAX, LONGER_THAN_MAX, True, id="as wrong as it was: a ratchet"),
        pytest.param(a_policy_with(grace="soon"), None, False, id="a grace that is no duration"),
        pytest.param(POLICY | {"spec": NOTHING}, None, False, id="no match"),
        pytest.param(POLICY | {"spec": 5}, None, False, id="a spec that is a number"),
        pytest.param(POLICY | {"metadata": 5}, None, False, id="metadata that is a number"),
        pytest.param(POLICY | GOING, POLICY, True, id="on its way out"),
    ],
)
async def test_policies_are_checked_where_the_schema_cannot(
    new: Json, old: Json | None, want: bool
) -> None:
    response, _ = await judge(a_review(new, old, namespace=""))
    assert response["allowed"] is want


async def test_a_policy_sends_webhooks_only_where_they_may_go() -> None:
    webhook = {"url": "http://169.254.169.254/latest"}
    steps = [{"at": "0s", "action": {"type": "WEBHOOK", "webhook": webhook}}]
    response, reason = await judge(of(a_policy_with(timeline=steps)))
    assert reason == Reason.DESTINATION_FORBIDDEN
    (cause,) = response["status"]["details"]["causes"]
    assert cause["field"] == "spec.timeline[0].action.webhook.url"


async def test_a_policy_that_gives_one_host_twice_is_let_in_with_a_warning() -> None:
    hosts = a_policy_with(host={"template": "shop.example.com"})
    response, _ = await judge(a_review(hosts, namespace=""))
    assert response["allowed"]
    assert "no {name}" in response["warnings"][0]


async def test_of_a_policy_that_is_there_twice_the_second_counts() -> None:
    body = encoded(a_review(LONGER_THAN_MAX)).replace(b'"object":{', b'"object":null,"object":{', 1)
    _, reason = await OwnKindsDesk().own_kinds.judge(decode(body), 5)
    assert reason == Reason.INVALID_POLICY


async def test_a_refused_policy_names_its_fields() -> None:
    response, reason = await judge(a_review(LONGER_THAN_MAX))
    assert reason == Reason.INVALID_POLICY
    assert all(c["field"].startswith("spec.ttl") for c in response["status"]["details"]["causes"])

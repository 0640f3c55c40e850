"""What a person is told when a name is free, taken, reserved or in doubt: code, reason, words."""

from typing import Any

import pytest

from dayfly_admission.turnstile import Turnstile, Turnstiles
from dayfly_core import names
from dayfly_core.api import ClaimState
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claims import identity
from dayfly_core.reasons import Reason
from dayfly_kube.errors import ApiError, Status, Unreachable
from support.desk import Desk, FakeTeller, causes, ingress
from support.reviews import Json, a_namespace, a_policy, a_review
from support.reviews import of_namespace as about
from support.shelf import Shelf, a_holder, environment, host

OTHER = a_holder("other")
SELF = a_holder("shop")
REPLICA = a_holder("web", "Deployment", "team-b")

NEW = about(a_namespace(environment="shop-1"))
SHOP = environment("shop-1")
FIELD = f"metadata.labels[{names.ENVIRONMENT}]"


async def test_a_free_name_is_claimed() -> None:
    desk = Desk()
    response, reason = await desk.environments(NEW)
    assert (response["allowed"], reason) == (True, Reason.CLAIMED)
    assert desk.shelf.held_by(SHOP) == "shop"
    assert response["auditAnnotations"]["claims"] == SHOP.claim_name
    assert desk.counted == [("environment", "Granted")]
    assert desk.shelf.writes == 1


async def test_a_name_that_it_has_costs_nothing() -> None:
    desk = Desk()
    unchanged = about(a_namespace(environment="shop-1"), a_namespace(environment="shop-1"))
    response, _ = await desk.environments(unchanged)
    assert response["allowed"] is True
    assert (desk.shelf.writes, desk.counted) == (0, [])


async def test_a_taken_name_is_refused_with_who_has_it() -> None:
    desk = Desk()
    desk.shelf.hold(SHOP, OTHER)
    response, reason = await desk.environments(NEW)
    detail = "already used by Namespace other; choose another name, or delete that Namespace first"
    status = response["status"]
    assert reason == Reason.NAME_TAKEN
    assert (status["code"], status["reason"]) == (422, "Invalid")
    assert causes(response) == [(FIELD, f'Invalid value: "shop-1": {detail}')]
    assert status["message"] == f'Namespace "shop" is invalid: {FIELD}: {causes(response)[0][1]}'
    assert desk.teller.asked == [("alice", "other")]


@pytest.mark.parametrize(
    ("review", "key", "says"),
    [
        pytest.param(
            NEW,
            SHOP,
            "already used by Namespace other, which is being deleted; choose another name, or "
            "wait until that is gone",
            id="an environment",
        ),
        pytest.param(
            a_review(ingress("x.a.example")),
            host("*.a.example"),
            "overlaps *.a.example, which Namespace other has, and which is being deleted; choose "
            "another host, or wait until that is gone",
            id="a host that overlaps",
        ),
    ],
)
async def test_nobody_is_told_to_delete_what_is_being_deleted(
    review: Json, key: ClaimKey, says: str
) -> None:
    desk = Desk()
    desk.shelf.hold(key, OTHER)
    desk.shelf.ending.add(identity(OTHER))
    response, _ = await (desk.environments if review is NEW else desk.judge)(review)
    assert response["status"]["message"].endswith(f": {says}")


async def test_who_may_not_see_the_holder_is_not_told() -> None:
    desk = Desk(teller=FakeTeller(answer=False))
    desk.shelf.hold(SHOP, OTHER)
    response, _ = await desk.environments(NEW)
    assert "held by another object" in response["status"]["message"]
    assert "other;" not in str(response)
    assert "choose another name" in response["status"]["message"]


@pytest.mark.parametrize(
    ("visible", "says"),
    [
        pytest.param(True, "overlaps *.a.example, which Deployment team-b/web has", id="seen"),
        pytest.param(False, "overlaps a name that another object holds", id="not seen"),
    ],
)
async def test_a_wildcard_in_the_way_is_named_as_its_holder_is(visible: bool, says: str) -> None:
    desk = Desk(teller=FakeTeller(answer=visible))
    desk.shelf.hold(host("*.a.example"), REPLICA)
    response, _ = await desk.judge(a_review(ingress("x.a.example")))
    assert says in causes(response)[0][1]
    assert ("*.a.example" in str(response)) is visible


async def test_a_reserved_name_is_worth_a_retry() -> None:
    desk = Desk()
    desk.shelf.hold(SHOP, OTHER, ClaimState.PENDING, there=False)
    response, reason = await desk.environments(NEW)
    status = response["status"]
    assert reason == Reason.NAME_RESERVED
    assert (status["code"], status["reason"]) == (409, "Conflict")
    assert status["details"]["retryAfterSeconds"] > 0
    assert status["details"]["kind"] == "Namespace"
    assert status["message"] == (
        f'Operation cannot be fulfilled on namespaces "shop": {FIELD}: '
        f'"shop-1" is reserved by a concurrent request, retry in '
        f"{status['details']['retryAfterSeconds']} s; if that one failed, it comes free in little "
        "more than a minute (this is no conflict between field managers)"
    )


async def test_an_object_that_is_there_cannot_be_created() -> None:
    desk = Desk()
    desk.shelf.hold(SHOP, a_holder("shop"))
    fresh = about(a_namespace(environment="shop-1", uid="a-new-one"))
    response, reason = await desk.environments(fresh)
    status = response["status"]
    assert reason == Reason.ALREADY_EXISTS
    assert (status["code"], status["reason"]) == (409, "AlreadyExists")
    assert status["message"] == ('namespaces "shop" already exists; change it, or delete it first')


async def test_all_that_is_wrong_is_said_at_once_and_nothing_is_claimed() -> None:
    desk = Desk(policies=[a_policy(match={"resources": [INGRESSES]})])
    desk.shelf.hold(host("taken.example"), OTHER)
    desk.shelf.hold(host("late.example"), OTHER, ClaimState.PENDING, there=False)
    new = ingress("free.example", "taken.example", "a_b", "late.example", annotations=BAD_TTL)
    response, reason = await desk.judge(a_review(new))
    assert reason == Reason.INVALID_TTL
    assert [where for where, _ in causes(response)] == [
        f"metadata.annotations[{names.TTL}]",
        "spec.rules[2].host",
        "spec.rules[1].host",
        "spec.rules[3].host",
    ]
    assert all(
        f"{where}: {text}" in response["status"]["message"] for where, text in causes(response)
    )
    assert desk.shelf.writes == 0


INGRESSES = {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"]}
BAD_TTL = {names.TTL: "5"}


async def test_what_was_claimed_before_a_refusal_is_given_back() -> None:
    desk = Desk()
    desk.shelf.hold(host("taken.example"), OTHER)
    await desk.judge(a_review(ingress("free.example", "taken.example")))
    assert desk.shelf.held_by(host("free.example")) == ""


@pytest.mark.parametrize("taken", [True, False])
async def test_a_dry_run_writes_nothing(taken: bool) -> None:
    desk = Desk()
    if taken:
        desk.shelf.hold(SHOP, OTHER)
    review = about(a_namespace(environment="shop-1"), dryRun=True)
    response, _ = await desk.environments(review)
    assert response["allowed"] is not taken
    assert desk.shelf.writes == 0


DOUBTS: list[Any] = [
    pytest.param(Unreachable("nobody answered"), id="no answer"),
    pytest.param(ApiError(Status(403, "Forbidden", "no")), id="no right"),
    pytest.param(ApiError(Status(404, "NotFound", "no such kind")), id="no such kind"),
]


@pytest.mark.parametrize("failing", DOUBTS)
async def test_in_doubt_an_environment_waits(failing: Exception) -> None:
    desk = Desk(Shelf(failing=failing))
    response, reason = await desk.environments(NEW, 0.2)
    assert reason == Reason.CANNOT_VERIFY
    assert (response["allowed"], response["status"]["code"]) == (False, 500)
    assert "retry" in response["status"]["message"]


@pytest.mark.parametrize("failing", DOUBTS)
async def test_in_doubt_anything_else_passes(failing: Exception) -> None:
    desk = Desk(Shelf(failing=failing))
    response, reason = await desk.judge(a_review(ingress("a.example")), 0.2)
    assert (response["allowed"], reason) == (True, Reason.CANNOT_VERIFY)
    assert "looks again later" in response["warnings"][0]


def no_room() -> Turnstiles:
    return Turnstiles(Turnstile(inside=0), Turnstile(inside=0))


async def test_when_there_is_no_room_each_says_so_in_its_way() -> None:
    desk = Desk(turnstiles=no_room())
    closed, first = await desk.environments(NEW, 0.01)
    open_, second = await desk.judge(a_review(ingress("a.example")), 0.01)
    assert (first, second) == (Reason.OVERLOADED, Reason.OVERLOADED)
    assert closed["status"]["code"] == 500
    assert "Overloaded" in closed["status"]["message"]
    assert "retry" in closed["status"]["message"]
    assert open_["allowed"] is True


async def test_however_many_ask_for_hosts_an_environment_does_not_wait_for_them() -> None:
    desk = Desk(turnstiles=Turnstiles(others=Turnstile(inside=0, waiting=0)))
    response, reason = await desk.environments(NEW)
    assert (response["allowed"], reason) == (True, Reason.CLAIMED)
    _, reason = await desk.judge(a_review(ingress("a.example")))
    assert reason == Reason.OVERLOADED


async def test_without_room_what_is_wrong_all_the_same_is_refused() -> None:
    desk = Desk(turnstiles=no_room())
    response, _ = await desk.judge(a_review(ingress("a_b")), 0.01)
    assert response["status"]["code"] == 422


@pytest.mark.parametrize(
    "review",
    [
        pytest.param(a_review({"kind": "Namespace", "metadata": 5}), id="metadata of a wrong type"),
        pytest.param(a_review(None), id="no object"),
        pytest.param(about(a_namespace(environment="a"), userInfo={"groups": 5}), id="no user"),
    ],
)
async def test_what_cannot_be_read_becomes_no_environment(review: Json) -> None:
    response, reason = await Desk().environments(review)
    assert (response["allowed"], reason) == (False, Reason.UNREADABLE)
    assert response["status"]["code"] == 500


async def test_giving_a_namespace_back_is_never_refused() -> None:
    response, _ = await Desk().environments(about(a_namespace(), a_namespace(), operation="DELETE"))
    assert response["allowed"] is True

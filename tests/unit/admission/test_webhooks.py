"""The three webhooks between the codec and the rules: what they look up, and when they give up."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from dayfly_admission import answer
from dayfly_admission.review import decode
from dayfly_admission.webhooks import Webhooks, let_pass, turn_away
from dayfly_core import names
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policies, Policy
from dayfly_core.reasons import Reason
from dayfly_core.request import our_users
from support.reviews import Json, a_policy, a_review, accepted, an_object, encoded, patched

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@dataclass
class FakeNamespaces:
    """Some are known, some can be asked for; remembers who was asked for."""

    seen: dict[str, ObjectMeta] = field(default_factory=dict[str, ObjectMeta])
    created_just_now: dict[str, ObjectMeta] = field(default_factory=dict[str, ObjectMeta])
    asked: list[str] = field(default_factory=list[str])

    def known(self, name: str) -> ObjectMeta | None:
        return self.seen.get(name)

    async def ask(self, name: str, seconds: float) -> ObjectMeta | None:
        assert seconds > 0
        self.asked.append(name)
        return self.created_just_now.get(name)


TEAM_A = {"team-a": ObjectMeta(name="team-a", labels={"team": "web"})}
FOR_WEB = a_policy(
    match={
        "namespaceSelector": {"matchLabels": {"team": "web"}},
        "resources": [{"apiGroups": ["apps"], "resources": ["deployments"]}],
    }
)


ACCOUNTS = "system:serviceaccount"


def webhooks(spaces: FakeNamespaces, *policies: Policy) -> Webhooks:
    current = Policies(policies or [a_policy()])
    return Webhooks(lambda: current, spaces, lambda: NOW, our_users("expiry"))


async def stamp(review: Json, spaces: FakeNamespaces, *policies: Policy) -> tuple[Json, str]:
    said, reason = await webhooks(spaces, *policies).stamp(decode(encoded(review)), 5)
    return accepted(answer.encode(said), mutating=True), reason


async def judge(review: Json, *policies: Policy) -> tuple[Json, str]:
    spaces = FakeNamespaces(TEAM_A)
    said, reason = await webhooks(spaces, *policies).judge(decode(encoded(review)), 5)
    return accepted(answer.encode(said), mutating=False), reason


async def test_a_deployment_is_stamped() -> None:
    response, reason = await stamp(a_review(an_object()), FakeNamespaces(TEAM_A))
    meta = patched(an_object(), response)["metadata"]
    assert reason == Reason.STAMPED
    assert meta["annotations"] == {
        names.EXPIRES_AT: "2026-11-22T18:00:00Z",
        names.CREATED_BY: "alice",
    }
    assert meta["labels"] == {names.POLICY: "previews"}


@pytest.mark.parametrize(
    ("username", "reason"),
    [
        pytest.param(f"{ACCOUNTS}:expiry:dayfly-operator", Reason.EXEMPT, id="operator"),
        pytest.param(f"{ACCOUNTS}:expiry:dayfly-admission", Reason.EXEMPT, id="admission"),
        pytest.param(
            f"{ACCOUNTS}:dayfly-system:dayfly-operator",
            Reason.STAMPED,
            id="an account of that name where Dayfly is not installed",
        ),
    ],
)
async def test_our_own_accounts_are_those_of_our_own_namespace(username: str, reason: str) -> None:
    user = {"username": username, "groups": ["system:authenticated"]}
    review = a_review(an_object(), userInfo=user)
    assert (await stamp(review, FakeNamespaces(TEAM_A)))[1] == reason


async def test_a_namespace_that_was_just_created_is_asked_for_once() -> None:
    spaces = FakeNamespaces(created_just_now=TEAM_A)
    response, _ = await stamp(a_review(an_object()), spaces, FOR_WEB)
    assert "patch" in response
    assert spaces.asked == ["team-a"]


async def test_a_namespace_that_nobody_knows_lets_pass_without_patch() -> None:
    response, reason = await stamp(a_review(an_object()), FakeNamespaces())
    assert "patch" not in response
    assert reason == Reason.NAMESPACE_UNKNOWN


async def test_a_namespace_itself_is_never_asked_for() -> None:
    spaces = FakeNamespaces()
    new = {"kind": "Namespace", "metadata": {"name": "web"}}
    response, _ = await stamp(a_review(new, namespace="web"), spaces)
    assert "patch" in response
    assert spaces.asked == []


@pytest.mark.parametrize(
    "review",
    [
        pytest.param(a_review(None, an_object(), operation="DELETE"), id="a deletion"),
        pytest.param(a_review({}, operation="CONNECT"), id="kubectl exec"),
        pytest.param(a_review({"metadata": 5}), id="metadata of a wrong type"),
        pytest.param(
            a_review(an_object(deletionTimestamp="2026-11-22T09:00:00Z"), an_object()),
            id="an object that is going",
        ),
    ],
)
async def test_what_is_none_of_our_business_passes_both(review: Json) -> None:
    spaces = FakeNamespaces(TEAM_A)
    stamped, _ = await stamp(review, spaces)
    judged, _ = await judge(review)
    assert "patch" not in stamped
    assert judged["allowed"] is True
    assert "warnings" not in judged


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        pytest.param({names.TTL: "5"}, names.TTL, id="a ttl without unit"),
        pytest.param({names.TTL: "30d"}, names.TTL, id="a ttl above the policy's max"),
        pytest.param(
            {names.EXPIRES_AT: "2026-11-21T10:00:00Z"}, names.EXPIRES_AT, id="an end in the past"
        ),
    ],
)
async def test_a_wish_that_is_not_allowed_is_refused_at_its_field(wish: Json, path: str) -> None:
    response, _ = await judge(a_review(an_object(annotations=wish)))
    assert response["allowed"] is False
    causes = response["status"]["details"]["causes"]
    assert [cause["field"] for cause in causes] == [f"metadata.annotations[{path}]"]
    assert causes[0]["message"] in response["status"]["message"]


async def test_a_stamped_object_gets_its_receipt() -> None:
    stamped, _ = await stamp(a_review(an_object()), FakeNamespaces(TEAM_A))
    response, _ = await judge(a_review(patched(an_object(), stamped)))
    assert response["allowed"] is True
    assert any("2026-11-22T18:00:00Z" in warning for warning in response["warnings"])
    assert any("kubectl dayfly extend" in warning for warning in response["warnings"])


def test_when_deciding_fails_one_webhook_is_open_and_one_is_closed() -> None:
    review = decode(encoded(a_review(an_object())))
    assert accepted(answer.encode(let_pass(review)), mutating=True)["allowed"] is True
    assert accepted(answer.encode(turn_away(review)), mutating=False)["status"]["code"] == 500

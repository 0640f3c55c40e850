"""What a person is told of the host that a policy gave, when another object has it."""

import pytest

from dayfly_core import names
from dayfly_core.api import ClaimState, Holder
from dayfly_core.claim_key import ClaimKey
from dayfly_core.reasons import Reason
from support.desk import Desk, causes, ingress
from support.reviews import Json, a_namespace, a_policy, a_review, an_object
from support.reviews import of_namespace as about
from support.shelf import a_holder, environment, host

OTHER = a_holder("other")
REPLICA = a_holder("web", "Deployment", "team-b")
SHOP = environment("shop-1")
NEW = about(a_namespace(environment="shop-1"))
INGRESSES = {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"]}
TEMPLATED = {"template": "{name}.{domain}", "domain": "example"}
STAMPED: Json = an_object(
    uid="u1",
    labels={names.POLICY: "previews"},
    annotations={
        names.HOST: "web.example",
        names.EXPIRES_AT: "2026-11-22T18:00:00Z",
        names.CREATED_BY: "alice",
    },
)


@pytest.mark.parametrize(
    ("enforcement", "allowed"),
    [
        pytest.param("Enforce", False, id="refused"),
        pytest.param("Warn", True, id="a warning where the policy only warns"),
    ],
)
async def test_a_stamped_host_that_is_taken(enforcement: str, allowed: bool) -> None:
    desk = Desk(policies=[a_policy(enforcement=enforcement, host=TEMPLATED)])
    desk.shelf.hold(host("web.example"), REPLICA)
    response, _ = await desk.judge(a_review(STAMPED))
    assert response["allowed"] is allowed
    said = response["warnings"] if allowed else [response["status"]["message"]]
    assert any("already used by Deployment team-b/web" in line for line in said)
    assert not any("its host is" in line for line in said), "it has it not alone"
    assert ("warnings" in response) is allowed, "nothing of a refused object is so from now on"


LONG = "web-" + "x" * 59


@pytest.mark.parametrize(
    ("name", "template", "state", "want"),
    [
        pytest.param(
            "web",
            "{name}.{domain}",
            ClaimState.BOUND,
            [
                "host web.example is already used by Deployment team-b/web",
                "stored all the same, and marked with dayfly.dev/name-conflict; another "
                "metadata.name gives another host",
            ],
            id="taken",
        ),
        pytest.param(
            LONG,
            f"{{name}}.{LONG}.{LONG}.{{domain}}",
            ClaimState.BOUND,
            [
                f"host {LONG}.web-xxx... is already used by Deployment team-b/web",
                "stored all the same, and marked with dayfly.dev/name-conflict; another "
                "metadata.name gives another host",
            ],
            id="a long one gives way to who has it",
        ),
        pytest.param(
            "web",
            "{name}.{domain}",
            ClaimState.PENDING,
            [
                "host web.example is reserved by a concurrent request",
                "if that one is stored, this object is marked with dayfly.dev/name-conflict",
            ],
            id="reserved",
        ),
    ],
)
async def test_what_a_lenient_policy_says_of_a_host_that_is_not_its_own(
    name: str, template: str, state: ClaimState, want: list[str]
) -> None:
    templated = {"template": template, "domain": "example"}
    desk = Desk(policies=[a_policy(enforcement="Warn", host=templated)])
    given = template.replace("{name}", name).replace("{domain}", "example")
    desk.shelf.hold(host(given), REPLICA, state, there=state is ClaimState.BOUND)
    meta = STAMPED["metadata"]
    annotations = meta["annotations"] | {names.HOST: given}
    new = STAMPED | {"metadata": meta | {"name": name, "annotations": annotations}}
    response, _ = await desk.judge(a_review(new, name=name))
    assert response["warnings"][:2] == want
    assert not any("its host is" in line for line in response["warnings"])


@pytest.mark.parametrize(
    ("review", "key", "holder", "advice"),
    [
        pytest.param(
            NEW,
            SHOP,
            OTHER,
            "choose another name, or delete that Namespace first",
            id="an environment: another name, and the Namespace is the holder itself",
        ),
        pytest.param(
            a_review(STAMPED),
            host("web.example"),
            REPLICA,
            "ExpiryPolicy previews gives this host: choose another metadata.name, "
            "have spec.host.template changed, or delete that Deployment first",
            id="a stamped host: nobody wrote it, so nobody can choose another",
        ),
        pytest.param(
            a_review(ingress("web.example")),
            host("web.example"),
            OTHER,
            "choose another host, or take it away there first",
            id="a host of an Ingress: a Namespace is not deleted for one of its hosts",
        ),
    ],
)
async def test_what_to_do_is_what_can_be_done(
    review: Json, key: ClaimKey, holder: Holder, advice: str
) -> None:
    desk = Desk(policies=[a_policy(host=TEMPLATED)])
    desk.shelf.hold(key, holder)
    ask = desk.environments if review is NEW else desk.judge
    response, _ = await ask(review)
    assert response["status"]["message"].endswith(f"; {advice}")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        pytest.param(ClaimState.BOUND, "already used by Deployment team-b/web", id="taken"),
        pytest.param(ClaimState.PENDING, "reserved by a concurrent request", id="reserved"),
    ],
)
async def test_an_environment_is_claimed_though_its_lenient_policys_host_is(
    state: ClaimState, said: str
) -> None:
    desk = Desk(policies=[a_policy(enforcement="Warn", host=TEMPLATED)])
    desk.shelf.hold(host("shop.example"), REPLICA, state, there=state is ClaimState.BOUND)
    new = a_namespace(
        labels={names.ENVIRONMENT: "shop-1", names.POLICY: "previews"},
        annotations=STAMPED["metadata"]["annotations"] | {names.HOST: "shop.example"},
    )
    response, reason = await desk.environments(about(new))
    assert (response["allowed"], reason) == (True, Reason.CLAIMED)
    assert desk.shelf.held_by(SHOP) == "shop"
    assert any(said in line for line in response["warnings"])


async def test_its_own_host_is_given_back_where_one_that_it_routes_is_taken() -> None:
    desk = Desk(policies=[a_policy(match={"resources": [INGRESSES]}, host=TEMPLATED)])
    desk.shelf.hold(host("taken.example"), OTHER)
    stamps = {key: STAMPED["metadata"][key] for key in ("labels", "annotations")}
    response, _ = await desk.judge(a_review(ingress("taken.example", **stamps)))
    assert [where for where, _ in causes(response)] == ["spec.rules[0].host"]
    assert desk.shelf.held_by(host("web.example")) == ""

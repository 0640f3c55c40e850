from typing import Any

import pytest

from dayfly_cli.hindrances import Hindrance
from dayfly_cli.portrait import Portrait
from dayfly_core import api, policies
from dayfly_core.objects import ObjectMeta
from dayfly_operator.members import Keeper
from support.entries import NOW, entry, meta

EVENING = "2026-11-22T18:00:00Z"


def policy(name: str = "p", **spec: Any) -> policies.Policy:
    rule = api.ResourceRule(api_groups=["apps"], resources=["deployments"])
    full = api.ExpiryPolicySpec(match=api.Match(resources=[rule]), **spec)
    return policies.compile_policy(api.ExpiryPolicy(metadata=ObjectMeta(name=name), spec=full))


def portrait(seen: ObjectMeta, *known: policies.Policy, namespace_end: str = "") -> dict[str, str]:
    around = ObjectMeta(name="shop")
    shown = entry(seen, namespace_end)
    return dict(Portrait(shown, around, policies.Policies(known), NOW).lines())


HELD = (
    "host web.example is held by ingress web in namespace other since 2026-11-22T09:00:00Z; "
    "choose another one or delete that one"
)
DAY = api.TTL(default="24h", max="7d", max_total="8d")


@pytest.mark.parametrize(
    ("seen", "known", "what", "said"),
    [
        pytest.param(meta(EVENING, policy="p"), [policy()], "ends", "(in 8h)", id="its end"),
        pytest.param(meta(EVENING), [], "ends", "nothing comes of it", id="an end without policy"),
        pytest.param(meta("soon"), [policy()], "ends", "unreadable", id="an unreadable end"),
        pytest.param(meta(owned=True), [policy()], "ends", "rollout/web", id="what is owned"),
        pytest.param(meta(), [policy(ttl=DAY)], "ends", "soon to be told", id="not stamped yet"),
        pytest.param(meta(), [policy()], "ends", "not by Dayfly", id="asking for nothing"),
        pytest.param(meta(ttl="never", policy="p"), [policy()], "ends", "as it asked", id="never"),
        pytest.param(meta(EVENING, policy="p"), [policy()], "policy", "p", id="its policy"),
        pytest.param(meta(EVENING, policy="q"), [], "policy", "q, which is gone", id="gone policy"),
        pytest.param(
            meta(EVENING, policy="p"),
            [policy(suspend=True)],
            "policy",
            "p, suspended: it ends nothing now",
            id="suspended policy",
        ),
        pytest.param(
            meta(EVENING, policy="p"),
            [policy(enforcement=api.Enforcement.AUDIT)],
            "policy",
            "p, which only audits: it ends nothing",
            id="policy that audits",
        ),
        pytest.param(meta(), [], "policy", "none matches", id="no policy"),
        pytest.param(meta(), [policy()], "policy", "only what asks", id="policy without default"),
        pytest.param(
            meta(ttl="8h"), [policy()], "policy", "p (not stamped yet)", id="asked just now"
        ),
        pytest.param(meta(ttl="8h"), [], "asked for", "8h", id="its wish"),
        pytest.param(
            meta(policy="p", host="web.example"), [], "host", "web.example", id="its host"
        ),
        pytest.param(meta(policy="p", conflict=HELD), [], "conflict", HELD, id="who has its name"),
        pytest.param(
            meta(policy="p", conflict="\x1b[2J"),
            [],
            "conflict",
            r"\x1b[2J",
            id="what is no sentence",
        ),
        pytest.param(meta(), [], "namespace", "shop has no end", id="its namespace"),
        pytest.param(meta(protected=True), [], "protected", "yes", id="protected"),
        pytest.param(
            meta(EVENING, policy="p"),
            [policy(ttl=DAY)],
            "at most",
            "2026-11-29T10:00:00Z (7d from now, 8d from its creation)",
            id="the policy's bounds",
        ),
        pytest.param(
            meta(EVENING, policy="p"),
            [policy()],
            "moved by",
            "`dayfly extend`;",
            id="what moves it",
        ),
        pytest.param(
            meta(), [policy()], "moved by", "`dayfly extend --from now`;", id="what gives it an end"
        ),
        pytest.param(meta(EVENING), [], "moved by", "nothing", id="what no policy decides about"),
        pytest.param(
            meta(EVENING, policy="p", protected=True),
            [policy()],
            "moved by",
            "nothing",
            id="what is protected is not moved",
        ),
        pytest.param(
            meta(),
            [policy(ttl=api.TTL(renew_on=api.RenewOn.GENERATION_CHANGE))],
            "moved by",
            "a change of its spec",
            id="what renews it",
        ),
        pytest.param(meta(owned=True), [], "moved by", "its owner", id="what moves a copy"),
    ],
)
def test_lines(seen: ObjectMeta, known: list[policies.Policy], what: str, said: str) -> None:
    assert said in portrait(seen, *known)[what]


def kept(reason: Hindrance) -> dict[str, str]:
    policies_ = policies.Policies([policy(ttl=DAY)])
    return dict(Portrait(entry(meta()), ObjectMeta(name="shop"), policies_, NOW, reason).lines())


def test_what_is_guarded_is_not_promised_an_end() -> None:
    lines = kept(Hindrance(guarded="objects in namespace kube-system are guarded and never ended"))
    assert lines["ends"] == "never: objects in namespace kube-system are guarded and never ended"
    assert lines["policy"] == "none has it"
    assert lines["moved by"] == "nothing: Dayfly does not end it"
    assert "at most" not in lines


def test_what_keeps_a_namespace_is_named() -> None:
    said = kept(Hindrance(keeper=Keeper("configmaps/shop/keep")))["kept by"]
    assert said == "configmaps/shop/keep is protected"


def test_without_the_right_to_read_policies() -> None:
    lines = dict(Portrait(entry(meta(EVENING, policy="p")), None, None, NOW).lines())
    assert lines["policy"].startswith("p (you may not read policies")
    assert "at most" not in lines

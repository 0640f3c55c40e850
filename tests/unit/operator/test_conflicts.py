"""What the loser of a name is told."""

from datetime import UTC, datetime

import pytest

from dayfly_core.api import Holder
from dayfly_core.claim_key import ClaimKey, KeyKind
from dayfly_core.claim_repair import Claimant, Conflict
from dayfly_operator.naming.conflicts import joined, sentence

SHOP = ClaimKey(KeyKind.ENVIRONMENT, "shop")
HOST = ClaimKey(KeyKind.HOST, "shop.example.com")
WILD = ClaimKey(KeyKind.HOST, "*.example.com")
TEAM = Holder(version="v1", resource="namespaces", kind="Namespace", name="team-a", uid="1")
WEB = Holder(
    group="apps",
    version="v1",
    resource="deployments",
    kind="Deployment",
    namespace="team-a",
    name="web",
    uid="2",
)
LOSER = Claimant(TEAM, None)
MADE = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("conflict", "said"),
    [
        pytest.param(
            Conflict(LOSER, SHOP, Claimant(TEAM, MADE), SHOP),
            "environment shop is held by namespace team-a since 2026-11-22T10:00:00Z; "
            "rename this one or delete that one",
            id="an environment",
        ),
        pytest.param(
            Conflict(LOSER, HOST, Claimant(WEB, MADE), HOST),
            "host shop.example.com is held by deployment web in namespace team-a since "
            "2026-11-22T10:00:00Z; choose another host or delete that one",
            id="a host of an Ingress, given to something else",
        ),
        pytest.param(
            Conflict(LOSER, HOST, Claimant(TEAM, None), WILD),
            "host shop.example.com overlaps *.example.com, which is held by namespace team-a; "
            "choose another host or take it away there",
            id="a host below a wildcard, of an object of unknown age",
        ),
        pytest.param(
            Conflict(Claimant(WEB, None), HOST, Claimant(TEAM, None), HOST),
            "host shop.example.com is held by namespace team-a; "
            "create this one anew by another name or take it away there",
            id="a given host, which never changes",
        ),
    ],
)
def test_the_sentence(conflict: Conflict, said: str) -> None:
    assert sentence(conflict) == said


@pytest.mark.parametrize(
    ("sentences", "said"),
    [
        pytest.param(["a"], "a", id="one"),
        pytest.param(["c", "a", "b"], "a. b. c", id="several, in one order"),
        pytest.param([*"dcbae"], "a. b. c. And 2 more", id="too many to tell"),
    ],
)
def test_several_conflicts_of_one_object(sentences: list[str], said: str) -> None:
    assert joined(sentences) == said

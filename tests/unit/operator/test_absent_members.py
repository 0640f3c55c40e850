"""What is not listed in a namespace is not taken for what is not there."""

import json
from typing import Any

import pytest

from dayfly_core.objects import Resource
from dayfly_core.reasons import Reason
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_operator.members import Keeper
from dayfly_operator.own.namespace_end import Withheld
from support.build import NOW
from support.one_answer import AWAY, FORBIDDEN, MAPS, SHOP, SOMEBODY_ELSES, Server, ending, members


class Shop(Server):
    """Answers for the ConfigMaps of one namespace, in one version after the other."""

    def __init__(self, *answers: Exception | dict[str, Any], now: Resource | None = MAPS) -> None:
        """``now`` is how the kind is served once somebody asks anew."""
        super().__init__({"metadata": {"name": "shop", "uid": "u", "resourceVersion": "1"}})
        self.answers = list(answers)
        self.kind: Resource | None = MAPS
        self.now = now

    async def find(self, group: str, plural: str) -> Resource | None:
        return self.kind if plural == "configmaps" else None

    def forget(self, group: str, plural: str) -> None:
        self.kind = self.now

    async def get_list(self, path: str, **_: object) -> bytes:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer).encode()


def page(*names: str, rest: str = "") -> dict[str, Any]:
    items = [{"metadata": {"name": name}} for name in names]
    return {"kind": "ConfigMapList", "metadata": {"continue": rest}, "items": items or None}


PRECIOUS = "configmaps/shop/precious"
AGAIN = MAPS._replace(version="v2")


@pytest.mark.parametrize(
    ("shop", "want"),
    [
        pytest.param(Shop(page()), None, id="a list of nothing"),
        pytest.param(Shop(page("precious")), Keeper(PRECIOUS), id="a list of one"),
        pytest.param(
            Shop(page(rest="a"), page("precious")),
            Keeper(PRECIOUS),
            id="a page of nothing, and one more",
        ),
        pytest.param(Shop(FORBIDDEN), None, id="a kind that nobody let the operator list"),
        pytest.param(Shop(SOMEBODY_ELSES, now=None), None, id="a kind that is no longer served"),
        pytest.param(
            Shop(SOMEBODY_ELSES, page("precious"), now=AGAIN),
            Keeper(PRECIOUS),
            id="a version that is no longer served, beside one that is",
        ),
        pytest.param(
            Shop(SOMEBODY_ELSES),
            Keeper(doubt="configmaps: 404 : <html>404 page not found</html>; but it is served"),
            id="a 404 for what is served",
        ),
        pytest.param(
            Shop({}),
            Keeper(doubt="GET /api/v1/namespaces/shop/configmaps: kind is '', which is no List"),
            id="an object that says nothing",
        ),
    ],
)
async def test_only_a_list_of_nothing_says_that_a_namespace_holds_nothing(
    shop: Shop, want: Keeper | None
) -> None:
    assert await members(shop).keeper("shop") == want


async def test_what_cannot_be_listed_does_not_count_as_nothing() -> None:
    with pytest.raises(ApiError, match="GET /api/v1/namespaces/shop/configmaps") as raised:
        await members(Shop(AWAY)).keeper("shop")
    assert raised.value is AWAY


async def test_a_namespace_stays_while_its_members_are_in_doubt() -> None:
    shop = Shop(SOMEBODY_ELSES)
    kept = await ending(shop).end(SHOP, by="Ephemerator/a", due=NOW)
    assert isinstance(kept, Withheld)
    assert (kept.reason, kept.certain) == (Reason.MEMBERS_UNKNOWN, False)
    assert shop.written == []


async def test_a_namespace_stays_while_its_members_cannot_be_listed() -> None:
    shop = Shop(Unreachable("away"))
    with pytest.raises(Unreachable):
        await ending(shop).end(SHOP, by="Ephemerator/a", due=NOW)
    assert shop.written == []

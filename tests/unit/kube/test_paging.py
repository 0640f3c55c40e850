"""Lists are read to their end, one page at a time, and only from what says that it is one."""

from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from dayfly_core.objects import PartialObject
from dayfly_kube.errors import Unproven
from dayfly_kube.paging import items

PATH = "/api/v1/configmaps"


class Pages:
    """Answers page by page, and remembers what it was asked."""

    def __init__(self, *pages: Any) -> None:
        self.pages = pages
        self.asked = list[dict[str, str]]()

    async def __call__(self, path: str, *, params: dict[str, str]) -> bytes:
        assert path == PATH
        self.asked.append(params)
        return msgspec.json.encode(self.pages[len(self.asked) - 1])


def page(*names: str, rest: str = "") -> dict[str, Any]:
    there = [{"metadata": {"name": name}} for name in names]
    return {"kind": "ConfigMapList", "metadata": {"continue": rest}, "items": there or None}


async def names(pages: Pages) -> list[str]:
    found = items(pages, PATH, PartialObject, {"limit": "2", "labelSelector": "a=b"})
    return [each.metadata.name async for each in found]


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        pytest.param([page()], [], id="nothing, which is written as null"),
        pytest.param([page("a", "b")], ["a", "b"], id="a page"),
        pytest.param([page("a", "b", rest="x"), page("c")], ["a", "b", "c"], id="two pages"),
        pytest.param(
            [page(rest="x"), page(rest="y"), page("a")], ["a"], id="pages of nothing before one"
        ),
    ],
)
async def test_a_list_is_read_to_its_end(pages: list[Any], expected: list[str]) -> None:
    assert await names(Pages(*pages)) == expected


async def test_every_page_is_asked_for_as_the_first_was() -> None:
    pages = Pages(page("a", rest="x"), page("b", rest="y"), page("c"))
    await names(pages)
    first = {"limit": "2", "labelSelector": "a=b"}
    assert pages.asked == [first, first | {"continue": "x"}, first | {"continue": "y"}]


async def test_who_has_found_it_asks_for_no_further_page() -> None:
    pages = Pages(page("a", rest="x"), page("b"))
    async with aclosing(items(pages, PATH, PartialObject, {})) as found:
        assert (await anext(found)).metadata.name == "a"
    assert len(pages.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"metadata": {}, "items": []}, id="says no kind"),
        pytest.param({"kind": "Status", "reason": "NotFound"}, id="an answer of another kind"),
        pytest.param({"error": "no healthy upstream"}, id="a proxy's"),
    ],
)
async def test_what_is_no_list_is_not_taken_for_an_empty_one(answer: Any) -> None:
    with pytest.raises(Unproven):
        await names(Pages(page("a", rest="x"), answer))

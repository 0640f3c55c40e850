"""Phases of pods: all pages of them, and nothing taken for none."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from dayfly_kube.errors import Unproven, Unreachable
from dayfly_operator.own.pods import Pods


@dataclass
class Pages:
    """Answers one page after the other."""

    pages: list[Any]
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    async def get_list(self, path: str, *, params: dict[str, str]) -> bytes:
        assert path == "/api/v1/namespaces/team/pods"
        self.asked.append(params)
        answer = self.pages.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return msgspec.json.encode(answer)


def page(*phases: str, rest: str = "") -> dict[str, Any]:
    items = [{"metadata": {"name": "x"}, "status": {"phase": phase}} for phase in phases]
    return {"kind": "PodList", "metadata": {"continue": rest}, "items": items}


async def test_all_pages_are_read() -> None:
    pages = Pages([page("Succeeded", rest="a"), page("Failed", "Running")])
    labels = {"type": "test", "component": "main"}
    assert await Pods(pages).phases("team", labels) == ["Succeeded", "Failed", "Running"]
    first = {"limit": "500", "labelSelector": "component=main,type=test"}
    assert pages.asked == [first, first | {"continue": "a"}]


@pytest.mark.parametrize(
    ("answer", "phases"),
    [
        pytest.param({"kind": "PodList", "items": None}, list[str](), id="an empty list says null"),
        pytest.param(
            {"kind": "PodList", "items": [dict[str, str]()]},
            ["Unknown"],
            id="a pod without a status has not succeeded",
        ),
    ],
)
async def test_what_is_missing_is_no_success(answer: Any, phases: list[str]) -> None:
    pages = Pages([answer])
    assert await Pods(pages).phases("team", {}) == phases
    assert pages.asked == [{"limit": "500"}]


async def test_an_object_that_says_nothing_is_not_taken_for_no_pods() -> None:
    with pytest.raises(Unproven):
        await Pods(Pages([dict[str, str]()])).phases("team", {})


async def test_half_an_answer_is_none() -> None:
    with pytest.raises(Unreachable):
        await Pods(Pages([page("Succeeded", rest="a"), Unreachable("gone")])).phases("team", {})

"""What is known of our smaller kinds: by what kopf tells, repaired by lists."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import msgspec
import pytest

from dayfly_core.errand import as_map
from dayfly_core.objects import NAMESPACE_MANAGERS, STAYS, Key, Resource
from dayfly_kube.errors import ApiError, Status, Unreachable
from dayfly_operator.own.kinds import Heard, OwnKind, OwnKinds, OwnObject


def manager(name: str, target: str = "", **metadata: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "team", "uid": f"uid-{name}", **metadata}
    return {"metadata": meta, "spec": {"namespace": target or name}}


def key(name: str) -> Key:
    return Key(NAMESPACE_MANAGERS, "team", name)


class Lists:
    """Answers with pages of two; something may happen while it does."""

    def __init__(self, *items: dict[str, Any], meanwhile: Callable[[], None] = lambda: None):
        self.items = list(items)
        self.meanwhile = meanwhile

    async def get_list(self, path: str, *, params: dict[str, str]) -> bytes:
        assert path == "/apis/k8s.consol.de/v1beta1/namespacemanagers"
        begin = int(params.get("continue", "0"))
        rest = str(begin + 2) if len(self.items) > begin + 2 else ""
        body = {
            "kind": "List",
            "metadata": {"continue": rest},
            "items": self.items[begin : begin + 2] or None,
        }
        self.meanwhile()
        return msgspec.json.encode(body)


class Refusing:
    def __init__(self, error: Exception) -> None:
        self.error = error

    async def get_list(self, path: str, *, params: dict[str, str]) -> bytes:
        raise self.error


class Kinds:
    """What is served."""

    def __init__(self, *served: Resource) -> None:
        self.served = served

    async def find(self, group: str, plural: str) -> Resource | None:
        return next(
            (each for each in self.served if (each.group, each.plural) == (group, plural)), None
        )


SERVED = Kinds(NAMESPACE_MANAGERS, STAYS)


class Known:
    """The store, and what it has told."""

    def __init__(self) -> None:
        self.changed: list[str] = []
        kind = OwnKind(NAMESPACE_MANAGERS, _target, lambda key: self.changed.append(key.name))
        self.kinds = OwnKinds([kind])

    def hear(self, item: dict[str, Any], *, gone: bool = False) -> None:
        self.kinds.hear(Heard(NAMESPACE_MANAGERS, msgspec.convert(item, OwnObject), gone=gone))

    def names(self) -> list[str]:
        return sorted(found.name for found in self.kinds.all())


def _target(found: OwnObject) -> str:
    return str(as_map(found.spec).get("namespace", ""))


def test_it_tells_of_what_differs_only() -> None:
    known = Known()
    known.hear(manager("a"))
    known.hear(manager("a"))
    known.hear(manager("a", resourceVersion="2"))
    known.hear(manager("a"), gone=True)
    known.hear(manager("a"), gone=True)
    assert known.changed == ["a", "a", "a"]
    assert known.kinds.get(key("a")) is None


def test_objects_are_found_by_the_namespace_that_they_are_about() -> None:
    known = Known()
    for name in ("a", "b"):
        known.hear(manager(name, "shared"))
    assert sorted(known.kinds.aimed_at("shared")) == [key("a"), key("b")]
    known.hear(manager("a", "other"))
    known.hear(manager("b"), gone=True)
    assert list(known.kinds.aimed_at("shared")) == []
    assert list(known.kinds.aimed_at("other")) == [key("a")]


async def test_a_list_finds_what_the_streams_missed() -> None:
    known = Known()
    known.hear(manager("gone"))
    known.hear(manager("kept"))
    known.changed.clear()
    await known.kinds.relist(Lists(manager("kept"), manager("new"), manager("newer")), SERVED)
    assert known.names() == ["kept", "new", "newer"]
    assert sorted(known.changed) == ["gone", "new", "newer"]


async def test_one_bad_object_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    known = Known()
    odd, worse = manager("odd") | {"spec": "text", "status": [1]}, manager("worse", labels=5)
    await known.kinds.relist(Lists(odd, worse, manager("sound")), SERVED)
    assert known.names() == ["odd", "sound"]
    (said,) = caplog.messages
    assert "Expected `object | null`, got `int` - at `$.metadata.labels`" in said
    assert "worse" in said


async def test_what_is_heard_while_a_list_is_read_is_newer_than_the_list() -> None:
    known = Known()
    known.hear(manager("a", "old"))

    def meanwhile() -> None:
        known.hear(manager("a", "new"))
        known.hear(manager("b"), gone=True)

    await known.kinds.relist(Lists(manager("a", "old"), manager("b"), meanwhile=meanwhile), SERVED)
    assert known.names() == ["a"]
    assert list(known.kinds.aimed_at("new")) == [key("a")]
    await known.kinds.relist(Lists(manager("a", "newest")), SERVED)
    assert list(known.kinds.aimed_at("newest")) == [key("a")]


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        pytest.param(ApiError(Status(404)), None, id="a kind that is not served"),
        pytest.param(ApiError(Status(403)), ApiError, id="a right that is missing"),
        pytest.param(Unreachable("down"), Unreachable, id="no answer"),
    ],
)
async def test_a_list_that_was_not_answered_changes_nothing(
    error: Exception, raised: type[Exception] | None
) -> None:
    known = Known()
    known.hear(manager("a"))
    with pytest.raises(raised) if raised else nullcontext():
        await known.kinds.relist(Refusing(error), SERVED)
    assert known.names() == ["a"]


async def test_a_kind_that_is_not_served_is_not_asked_for() -> None:
    known = Known()
    known.hear(manager("a"))
    await known.kinds.relist(Refusing(ApiError(Status(403))), Kinds(STAYS))
    assert known.names() == ["a"]


async def test_a_kind_that_cannot_be_listed_keeps_no_other_from_it() -> None:
    told: list[str] = []
    both = [OwnKind(each, _target, lambda key: told.append(str(key))) for each in SERVED.served]

    class OnlyStays:
        async def get_list(self, path: str, *, params: dict[str, str]) -> bytes:
            if "stays" not in path:
                raise Unreachable("down")
            return msgspec.json.encode({"kind": "List", "items": [manager("a")]})

    with pytest.raises(Unreachable):
        await OwnKinds(both).relist(OnlyStays(), SERVED)
    assert told == ["stays.dayfly.dev/team/a"]

"""The copy of a collection: what it tells of what it remembered until then."""

import msgspec
import pytest

from dayfly_core.objects import PartialObject
from dayfly_kube.mirror import Mirror, Name

Told = tuple[str, str | None, str | None]
ONE: Name = ("shop", "one")


def kept(found: PartialObject) -> str | None:
    """Remember the uid of what is not labelled as of no interest."""
    return None if found.metadata.labels else found.metadata.uid


def item(uid: str, **labels: str) -> dict[str, object]:
    return {"metadata": {"namespace": "shop", "name": "one", "uid": uid, "labels": labels or None}}


def line(kind: str, uid: str, **labels: str) -> bytes:
    return msgspec.json.encode({"type": kind, "object": item(uid, **labels)})


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(line("MODIFIED", "b"), [("changed", "a", "b")], id="another value"),
        pytest.param(line("MODIFIED", "a"), [], id="the same value"),
        pytest.param(line("DELETED", "a"), [("changed", "a", None)], id="gone"),
        pytest.param(line("MODIFIED", "a", of="no"), [("changed", "a", None)], id="of no interest"),
    ],
)
def test_what_was_is_told_before_what_is(event: bytes, expected: list[Told]) -> None:
    told = list[Told]()
    mirror = Mirror[str](
        PartialObject,
        kept,
        lambda _name, now: told.append(("is", None, now)),
        lambda _name, before, now: told.append(("changed", before, now)),
    )
    mirror.event(line("ADDED", "a"))
    assert told == [("is", None, "a")], "nothing was before"
    mirror.event(event)
    news = [("is", None, now) for _, _, now in expected]
    assert told[1:] == expected + news


def test_what_a_list_has_no_more_was_there() -> None:
    told = list[Told]()
    mirror = Mirror[str](
        PartialObject,
        kept,
        lambda _name, _now: None,
        lambda name, before, now: told.append((name[1], before, now)),
    )
    mirror.event(line("ADDED", "a"))
    mirror.begin()
    mirror.page(msgspec.json.encode({"metadata": {}, "items": []}))
    mirror.finish()
    assert told == [("one", "a", None)]

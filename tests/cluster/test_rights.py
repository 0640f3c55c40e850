"""Rights that hold with no program of Dayfly running: who may edit may not thereby end, protect or
sign."""

from collections.abc import Iterator
from typing import Any

import pytest

from dayfly_core import names
from playground import ControlPlane
from playground.commands import Result
from support.places import (
    EARLY,
    EDITOR,
    LATE,
    LONG_AGO,
    OPERATOR,
    OWNER,
    PROTECTOR,
    Place,
    a_place,
    config_map,
    metadata_of,
    said,
)

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def place(bare: ControlPlane) -> Iterator[Place]:
    with a_place(bare, "test-rights") as place:
        yield place


def write(place: Place, user: str, before: dict[str, str] | None, after: dict[str, str]) -> Result:
    """Create an object with ``after``, or replace one that has ``before``; keeps nothing."""
    if before is None:
        manifest = config_map("fresh", metadata_of(**after))
        return place.run(user, "create", "-f", "-", "--dry-run=server", stdin=manifest)
    place.put("stored", **metadata_of(**before))
    manifest = config_map("stored", metadata_of(**after))
    return place.run(user, "replace", "-f", "-", "--dry-run=server", stdin=manifest)


# One row: who, what is stored (None: nothing), what is written, and a piece of the refusal.
EDITS: list[Any] = [
    pytest.param(EDITOR, {"end": EARLY}, {"end": LATE}, "", id="a later end needs no more"),
    pytest.param(
        EDITOR, {"end": LATE}, {"end": EARLY}, f"to {LATE} or later", id="an earlier one does"
    ),
    pytest.param(OWNER, {"end": LATE}, {"end": EARLY}, "", id="who may delete may end earlier"),
    pytest.param(EDITOR, {}, {"end": LATE}, "right to delete", id="a first end does"),
    pytest.param(EDITOR, {}, {"ttl": "8h"}, "leave out", id="a first ttl does"),
    pytest.param(OWNER, {}, {"ttl": "8h"}, "", id="who may delete may ask for an end"),
    pytest.param(EDITOR, {}, {"ttl": "never"}, "", id="asking for none does not"),
    pytest.param(EDITOR, {"end": LATE}, {}, "", id="dropping an end does not"),
    pytest.param(
        EDITOR, {"end": LATE}, {"end": "soon"}, "RFC 3339", id="one that cannot be read does"
    ),
    pytest.param(
        EDITOR, {"end": "soon"}, {"end": LATE}, "right to delete", id="replacing such a one does"
    ),
    pytest.param(
        EDITOR,
        {"end": EARLY},
        {"end": "2098-01-01T01:00:00+01:00"},
        "",
        id="the same in another zone",
    ),
    pytest.param(
        EDITOR,
        {"end": EARLY},
        {"end": "2098-01-01T01:00:00+02:00"},
        "or later",
        id="zones are read",
    ),
    pytest.param(
        EDITOR, {"end": LATE, "ttl": "1h"}, {"end": LATE, "ttl": "2h"}, "", id="a ttl beside an end"
    ),
    pytest.param(
        EDITOR,
        {"end": EARLY, "owned": ""},
        {"end": EARLY},
        "right to delete",
        id="letting go of a copy does",
    ),
    pytest.param(
        EDITOR, {"owned": ""}, {"end": EARLY, "owned": ""}, "", id="a copy with an owner does not"
    ),
    pytest.param(EDITOR, None, {"end": LATE, "ttl": "8h"}, "", id="creating with an end does not"),
    # protected
    pytest.param(
        EDITOR, None, {"protected": "true"}, "leave the label out", id="protecting at creation"
    ),
    pytest.param(EDITOR, {}, {"protected": "true"}, 'verb "protect"', id="protecting later"),
    pytest.param(
        EDITOR, {"protected": "true"}, {}, "keep it as it is", id="taking protection away"
    ),
    pytest.param(
        EDITOR, {"protected": "true"}, {"protected": "true"}, "", id="leaving it as it is"
    ),
    pytest.param(PROTECTOR, {}, {"protected": "true"}, "", id="who has the verb may protect"),
    pytest.param(PROTECTOR, {"protected": "true"}, {}, "", id="and may take it away"),
    pytest.param(EDITOR, None, {"protected": "true", "owned": ""}, "", id="a protected copy"),
    pytest.param(
        EDITOR,
        {"protected": "true", "owned": ""},
        {"protected": "true"},
        "protect",
        id="a copy let go",
    ),
    # created-by
    pytest.param(EDITOR, None, {"author": EDITOR}, "", id="signing with one's own name"),
    pytest.param(EDITOR, None, {"author": OWNER}, f'as "{EDITOR}"', id="signing with another"),
    pytest.param(EDITOR, {"author": OWNER}, {"author": OWNER}, "", id="leaving a signature"),
    pytest.param(EDITOR, {"author": OWNER}, {}, "", id="dropping a signature: a plain replace"),
    pytest.param(EDITOR, {"author": OWNER}, {"author": EDITOR}, f'as "{OWNER}"', id="changing it"),
    pytest.param(EDITOR, {}, {"author": EDITOR}, "leave it out", id="signing later"),
    pytest.param(EDITOR, None, {"author": OWNER, "owned": ""}, "", id="a signed copy"),
    # policy
    pytest.param(EDITOR, None, {"policy": "p", "end": LATE}, "", id="a copy made with Dayfly away"),
    pytest.param(
        EDITOR, None, {"policy": "p", "end": LONG_AGO}, "has passed", id="a copy of what had ended"
    ),
    pytest.param(EDITOR, None, {"policy": "p"}, "together with an end", id="a label alone"),
    pytest.param(
        OWNER, {}, {"policy": "p", "ttl": "8h"}, "", id="with a wish, as the webhook adds it"
    ),
    pytest.param(
        OWNER, {"policy": "p", "end": LATE}, {"policy": "q", "end": LATE}, 'stays "p"', id="another"
    ),
    pytest.param(
        OWNER, {"policy": "p", "end": LATE}, {"end": LATE}, "", id="dropping it: a plain replace"
    ),
    # host, name-conflict
    pytest.param(EDITOR, None, {"host": "a.example"}, "", id="a host at creation means nothing"),
    pytest.param(EDITOR, None, {"conflict": "x"}, "", id="nor does a copied conflict"),
    pytest.param(EDITOR, {}, {"host": "a.example"}, "nobody changes it", id="adding a host"),
    pytest.param(
        EDITOR, {"host": "a.example"}, {"host": "b.example"}, "as it is", id="changing a host"
    ),
    pytest.param(EDITOR, {"host": "a.example"}, {"host": "a.example"}, "", id="leaving a host"),
    pytest.param(EDITOR, {"host": "a.example"}, {}, "", id="dropping a host: a plain replace"),
    pytest.param(
        OWNER, {}, {"ttl": "8h", "host": "a.example"}, "nobody changes it", id="beside a wish"
    ),
    pytest.param(
        OWNER,
        {},
        {"ttl": "8h", "policy": "p", "host": "a.example"},
        "",
        id="with a first stamp, as the webhook adds it",
    ),
    pytest.param(EDITOR, {}, {"conflict": "x"}, names.NAME_CONFLICT, id="adding a conflict"),
    pytest.param(EDITOR, {"conflict": "x"}, {}, "", id="dropping a conflict"),
    # what the operator notes
    pytest.param(EDITOR, None, {"steps": "x"}, "", id="a copy of its records means nothing"),
    pytest.param(EDITOR, {}, {"steps": "x"}, names.STEPS, id="pretending that steps were done"),
    pytest.param(EDITOR, {}, {"ended_by": "x"}, names.ENDED_BY, id="marking for the end"),
    pytest.param(EDITOR, {}, {"ending": "true"}, names.ENDED_BY, id="marking it by the label"),
    pytest.param(EDITOR, {"ending": "true"}, {"ending": "true"}, "", id="leaving that label"),
    pytest.param(OPERATOR, {}, {"ending": "true"}, "", id="Dayfly marks by the label"),
    pytest.param(
        EDITOR, {}, {"release_due": "x"}, names.RELEASE_DUE, id="pretending that a release ends"
    ),
    pytest.param(
        OWNER,
        {},
        {"ttl": "8h", "policy": "p", "caught_up": EARLY},
        names.CAUGHT_UP,
        id="not even with a first stamp",
    ),
    pytest.param(EDITOR, {"steps": "x"}, {"steps": "y"}, "as it is", id="changing a record"),
    pytest.param(EDITOR, {"steps": "x"}, {"steps": "x"}, "", id="leaving a record"),
    pytest.param(EDITOR, {"caught_up": EARLY}, {}, "", id="dropping one: a plain replace"),
    pytest.param(
        EDITOR,
        {"end": EARLY, "caught_up": EARLY},
        {"end": LATE},
        "",
        id="extending what was a surprise",
    ),
    pytest.param(EDITOR, {}, {"wake": "now"}, "", id="asking for it to be woken"),
    pytest.param(OPERATOR, {}, {"steps": "x", "ended_by": "y"}, "", id="Dayfly notes them"),
    pytest.param(OPERATOR, {}, {"host": "a.example", "conflict": "x"}, "", id="Dayfly writes them"),
]


@pytest.mark.parametrize(("user", "before", "after", "refusal"), EDITS)
def test_edits(
    place: Place, user: str, before: dict[str, str] | None, after: dict[str, str], refusal: str
) -> None:
    result = write(place, user, before, after)
    assert bool(said(result)) is bool(refusal), result.stderr
    assert refusal in said(result)

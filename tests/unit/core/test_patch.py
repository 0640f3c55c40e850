"""Patches: they apply, they do what the stamps say, and a second time they do nothing."""

from typing import Any

import jsonpatch  # pyright: ignore[reportMissingTypeStubs]
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core.objects import ObjectMeta
from dayfly_core.patch import Operation, merge_patch, operations, too_large
from dayfly_core.stamps import Stamps

A = "/metadata/annotations"
L = "/metadata/labels"


@pytest.mark.parametrize(
    ("meta", "stamps", "want"),
    [
        pytest.param(ObjectMeta(), Stamps(), [], id="no stamps, no operations"),
        pytest.param(
            ObjectMeta(),
            Stamps({"dayfly.dev/ttl": "1h", "b": "2"}, {"p": "x"}),
            [
                Operation("add", A, {"dayfly.dev/ttl": "1h", "b": "2"}),
                Operation("add", L, {"p": "x"}),
            ],
            id="missing parents are created with all their keys",
        ),
        pytest.param(
            ObjectMeta(), Stamps({"a": None}), [], id="nothing is removed from a missing parent"
        ),
        pytest.param(
            ObjectMeta(annotations={}),
            Stamps({"a/b~c": "1"}),
            [Operation("add", f"{A}/a~1b~0c", "1")],
            id="slash and tilde are escaped, and an empty parent is kept",
        ),
        pytest.param(
            ObjectMeta(annotations={"a": "0", "b": "0", "c": "0"}),
            Stamps({"a": "1", "b": None, "c": "0", "d": None}),
            [Operation("replace", f"{A}/a", "1"), Operation("remove", f"{A}/b")],
            id="replace, remove, and leave alone what is right already",
        ),
    ],
)
def test_operations(meta: ObjectMeta, stamps: Stamps, want: list[Operation]) -> None:
    assert operations(meta, stamps) == want


def test_an_operation_without_a_value_has_no_such_field() -> None:
    assert msgspec.json.encode(Operation("remove", f"{A}/b")) == (
        b'{"op":"remove","path":"/metadata/annotations/b"}'
    )


KEYS = st.text(alphabet="ab/~01 é", min_size=1, max_size=4)
MAPS = st.none() | st.dictionaries(KEYS, st.text(max_size=3), max_size=4)
CHANGES = st.dictionaries(KEYS, st.none() | st.text(max_size=3), max_size=4)


@given(
    annotations=MAPS, labels=MAPS, new_annotations=CHANGES, new_labels=CHANGES, null=st.booleans()
)
def test_a_patch_always_applies_and_twice_changes_nothing(
    annotations: dict[str, str] | None,
    labels: dict[str, str] | None,
    new_annotations: dict[str, str | None],
    new_labels: dict[str, str | None],
    null: bool,
) -> None:
    stamps = Stamps(new_annotations, new_labels)
    metadata: dict[str, Any] = {"annotations": annotations, "labels": labels}
    if not null:
        metadata = {key: value for key, value in metadata.items() if value is not None}
    meta = msgspec.convert(metadata, ObjectMeta)

    patch = msgspec.to_builtins(operations(meta, stamps))
    patched: dict[str, Any] = jsonpatch.apply_patch({"metadata": metadata}, patch)["metadata"]  # pyright: ignore

    for before, after, changes in (
        (annotations, patched.get("annotations"), new_annotations),
        (labels, patched.get("labels"), new_labels),
    ):
        expected = {**(before or {}), **changes}
        assert (after or {}) == {k: v for k, v in expected.items() if v is not None}
    assert operations(msgspec.convert(patched, ObjectMeta), stamps) == []


LIMIT = 256 * 1024


@pytest.mark.parametrize(
    ("size", "stamps", "want"),
    [
        pytest.param(LIMIT - 3, Stamps({"b": "2"}), False, id="exactly full"),
        pytest.param(LIMIT - 3, Stamps({"b": "22"}), True, id="one byte too many"),
        pytest.param(LIMIT - 3, Stamps({"é": "2"}), True, id="bytes count, not characters"),
        pytest.param(LIMIT + 9, Stamps({"a": None, "b": "2"}), False, id="a removal makes room"),
    ],
)
def test_annotations_stay_within_what_the_api_server_takes(
    size: int, stamps: Stamps, want: bool
) -> None:
    assert too_large(ObjectMeta(annotations={"a": "x" * size}), stamps) is want


def test_a_merge_patch_names_the_version_and_the_uid_that_were_judged() -> None:
    assert merge_patch(Stamps({"a": "1", "b": None}, {"c": "2"}), "7", "u-1") == {
        "metadata": {
            "resourceVersion": "7",
            "uid": "u-1",
            "annotations": {"a": "1", "b": None},
            "labels": {"c": "2"},
        }
    }

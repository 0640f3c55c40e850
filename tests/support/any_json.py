"""Reviews of objects of any shape, for hypothesis."""

import json
from typing import Any

from hypothesis import strategies as st

from dayfly_core import names
from support.mutation import KEYS, NUMBERS, TEXTS
from support.reviews import KINDS, Json, a_review

_KEYS = st.sampled_from(KEYS) | st.text(max_size=8)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(TEXTS)
    | st.sampled_from(NUMBERS)
)
ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)
_TEXT = st.sampled_from(TEXTS) | st.text(max_size=20)
_ANNOTATIONS = st.dictionaries(
    st.sampled_from([*names.OUR_ANNOTATIONS, "a/b~c", "~1", ""]), _TEXT, max_size=4
)
_LABELS = st.dictionaries(
    st.sampled_from([*names.OUR_LABELS, *names.ENVIRONMENT_LABELS, "app"]), _TEXT, max_size=3
)
_METADATA = st.fixed_dictionaries(
    {},
    optional={
        "name": _TEXT,
        "generateName": _TEXT,
        "uid": _TEXT,
        "annotations": _ANNOTATIONS | ANYTHING,
        "labels": _LABELS | ANYTHING,
        "creationTimestamp": _TEXT | st.none(),
        "deletionTimestamp": _TEXT | st.none(),
        "ownerReferences": st.lists(ANYTHING, max_size=2) | st.none(),
    },
)
_HOSTS = st.lists(_TEXT | st.none(), max_size=3)
_SPEC = st.fixed_dictionaries(
    {},
    optional={
        "rules": st.lists(st.fixed_dictionaries({}, optional={"host": _TEXT})) | ANYTHING,
        "tls": st.lists(st.fixed_dictionaries({}, optional={"hosts": _HOSTS})) | ANYTHING,
        "hostnames": _HOSTS | ANYTHING,
    },
)
_OBJECTS = (
    st.fixed_dictionaries(
        {"kind": st.sampled_from(sorted(KINDS))}, optional={"metadata": _METADATA, "spec": _SPEC}
    )
    | st.fixed_dictionaries({"metadata": _METADATA | ANYTHING, "spec": ANYTHING})
    | ANYTHING
)
_ASKED = st.fixed_dictionaries(
    {},
    optional={
        "operation": st.sampled_from(["CREATE", "UPDATE", "DELETE", "CONNECT"]) | ANYTHING,
        "dryRun": st.booleans() | ANYTHING,
        "name": _TEXT | ANYTHING,
        "namespace": st.just("team-a") | _TEXT | ANYTHING,
        "userInfo": ANYTHING,
    },
)


def _review(parts: tuple[Any, Any, Json]) -> Any:
    new, old, asked = parts
    return a_review(new, old, **asked)


def _bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


_AS_IT_IS: Json = {}
_REVIEWS = st.tuples(_OBJECTS, st.none() | _OBJECTS, st.just(_AS_IT_IS) | _ASKED).map(_review)
# One in nine is no review at all.
REVIEWS = st.one_of(*[_REVIEWS] * 8, ANYTHING).map(_bytes)

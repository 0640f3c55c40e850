"""Reviews as nobody should send them: real ones with something wrong at a place or two.

The same dice give the same bytes. Most changes keep the JSON readable, and many go where Dayfly
looks: a fuzzer that only breaks the syntax never gets past the first line.
"""

import copy
import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeGuard

from dayfly_core import names
from support.fake_store import Json, as_list, as_map

AGAIN = "\x7fagain"
"""Marks a key that is to be there twice; not in the bytes that come out."""

DEPTH = re.compile('"\x7f([0-9]+) deep"')
"""Stands for so many brackets: an encoder would not write them."""

Place = tuple[Any, Any]
"""A dict or list, and a key or index of it."""

TOKENS: Sequence[bytes] = (
    *(b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-0", b"1" * 400, b"0.1e-400", b"00"),
    *(b'""', b'"\\ud800"', b'"\\u0000"', b'"\\', b"\\u12", b"{}", b"[]", b"{", b"}", b"[", b"]"),
    *(b",", b":", b'"', b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\x00", b"/*", b"'", b"\n"),
)
TEXTS: Sequence[str] = (
    *("", " ", "a", "never", "8h", "-1h", "P1DT12H", "9999999w", "1e9h", "²h", "0s", "8h\n", "٣h"),
    *("2026-11-22T18:00:00Z", "10000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2026-13-45T99:99Z"),
    *("2026-11-22T18:00:00+99:99", "2026-11-22T18:00:00.123456789123Z", "previews", "strict"),
    *(
        "true",
        "shop-pr-17",
        "shop-pr-17",
        "SHOP",
        "x" * 63,
        "x" * 64,
        "x" * 300,
        "-",
        "..",
        ".",
        "../..",
        "a/b",
    ),
    *(
        "a%2fb",
        "a?b=c",
        "a#b",
        "shop.example.com",
        "shop.example.com",
        "*.example.com",
        "*.*.example",
        "*",
        "com.",
    ),
    *("bücher.example", "xn--", "xn--a", "a..b", "ß.example", "\u200d.example", "\u202e", "\x00"),
    *("\U0001f600", "a\u0301", "\ufeff", "\x1b[31m", "\r\nWarning: 299", "~0~1", "x" * 9999),
    *("CREATE", "UPDATE", "DELETE", "CONNECT", "create", "team-a", "status", "alice", "Namespace"),
    *("namespaces", "ingresses", "apps", "networking.k8s.io", "admission.k8s.io/v1beta1"),
    *("system:serviceaccount:dayfly-system:dayfly-operator", "system:node:a", "kube-system"),
)
NUMBERS: Sequence[object] = (
    *(0, 1, -1, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**400, 0.5, -0.0, 1e308),
)
NO_JSON: Sequence[object] = (float("nan"), float("inf"), float("-inf"), "\ud800", "\udc00\ud800")
EMPTY: Sequence[object] = tuple(map(json.loads, ("null", "true", "false", "{}", "[]", "[null]")))

KEYS: Sequence[str] = (
    *names.OUR_ANNOTATIONS,
    *names.OUR_LABELS,
    *names.ENVIRONMENT_LABELS,
    *("", "a/b~c", "metadata", "annotations", "labels", "name", "generateName", "uid", "dryRun"),
    *(
        "ownerReferences",
        "deletionTimestamp",
        "managedFields",
        "spec",
        "hosts",
        "rules",
        "hostnames",
    ),
)


def mutated(dice: Random, bodies: Sequence[bytes]) -> bytes:
    """Take one of the bodies and change it at one to five places."""
    review = json.loads(dice.choice(bodies))
    for _ in range(dice.choice((1, 1, 2, 3, 5))):
        dice.choice(CHANGES)(dice, review)
    body = written(review, ascii=dice.random() < 0.5)
    if dice.random() < 0.2:
        for _ in range(dice.choice((1, 1, 2, 8))):
            body = dice.choice(SCRATCHES)(dice, body, bodies)
    return body


def written(review: Any, *, ascii: bool) -> bytes:
    """Write JSON with everything that JSON does not have, and keys that are there twice."""
    text = json.dumps(review, ensure_ascii=ascii, separators=(",", ":"))
    text = DEPTH.sub(_brackets, text.replace(AGAIN, ""))
    return text.encode("utf-8", "surrogatepass")


def _brackets(found: re.Match[str]) -> str:
    depth = int(found[1])
    return '[{"":' * depth + "0" + "}]" * depth


# Changes of what it says.


def _anything(dice: Random) -> Any:
    """Choose a value that nobody expects, or that nearly fits."""
    match dice.randrange(8):
        case 0 | 1 | 2:
            return dice.choice(TEXTS)
        case 3:
            return dice.choice(NUMBERS) if dice.random() < 0.95 else dice.choice(NO_JSON)
        case 4 | 5:
            return copy.deepcopy(dice.choice(EMPTY))
        case 6:
            return [_anything(dice) for _ in range(dice.randrange(4))]
        case _:
            return {dice.choice(KEYS): _anything(dice) for _ in range(dice.randrange(4))}


def _swap(dice: Random, review: Any) -> None:
    """Put anything in the place of something."""
    holder, key = _place(dice, review)
    holder[key] = _anything(dice)


def _drop(dice: Random, review: Any) -> None:
    holder, key = _place(dice, review)
    del holder[key]


def _rename(dice: Random, review: Any) -> None:
    holder, key = _place(dice, review)
    if is_map(holder):
        holder[dice.choice((dice.choice(KEYS), key.upper()))] = holder.pop(key)


def _repeat(dice: Random, review: Any) -> None:
    """Have a key twice, the second time with anything."""
    holder, key = _place(dice, review)
    if is_map(holder):
        holder[f"{key}{AGAIN}"] = dice.choice((_anything(dice), copy.deepcopy(holder[key])))


def _move(dice: Random, review: Any) -> None:
    """Put a copy of something elsewhere: the old object for the new one, a list for a name."""
    (source, source_key), (target, target_key) = _place(dice, review), _place(dice, review)
    target[target_key] = copy.deepcopy(source[source_key])


def _bury(dice: Random, review: Any) -> None:
    holder, key = _place(dice, review)
    holder[key] = f"\x7f{dice.choice((5, 200, 480, 520, 5000, 50_000))} deep"


def _wish(dice: Random, review: Any) -> None:
    """Write anything where Dayfly looks first: annotations, labels, hosts."""
    seen = _map(dice.choice((_map(review, "request"), {})), dice.choice(("object", "oldObject")))
    meta, spec = _map(seen, "metadata"), _map(seen, "spec")
    value = dice.choice(TEXTS) if dice.random() < 0.9 else _anything(dice)
    match dice.randrange(6):
        case 0 | 1:
            _map(meta, "annotations")[dice.choice(names.OUR_ANNOTATIONS)] = value
        case 2 | 3:
            label = dice.choice((*names.OUR_LABELS, *names.ENVIRONMENT_LABELS))
            _map(meta, "labels")[label] = value
        case 4:
            spec |= {"rules": [{"host": value}], "tls": [{"hosts": [value]}], "hostnames": [value]}
        case _:
            meta[dice.choice(("name", "generateName", "uid", "namespace"))] = value


def _ask(dice: Random, review: Any) -> None:
    """Change what is asked: of another kind, by somebody else, for another operation."""
    field = dice.choice(("operation", "namespace", "name", "subResource", "dryRun", "uid"))
    asked = _map(review, "request")
    match dice.randrange(4):
        case 0:
            asked["dryRun"] = dice.choice((True, True, None, "true", 1))
        case 1:
            asked["operation"] = dice.choice(("CREATE", "UPDATE", "DELETE", "CONNECT"))
        case 2:
            group, plural = dice.choice((("", "namespaces"), ("apps", "deployments"), ("a", "b")))
            asked["resource"] = {"group": group, "version": "v1", "resource": plural}
        case _:
            asked[field] = dice.choice(TEXTS)


def is_map(value: Any) -> TypeGuard[Json]:
    """Whether it is a JSON object."""
    return isinstance(value, dict)


def _map(holder: Any, key: str) -> Json:
    """Return the object at a key, after putting one there if there is none."""
    if not is_map(holder):
        return {}
    if not is_map(holder.get(key)):
        holder[key] = {}
    return as_map(holder[key])


def _place(dice: Random, review: Any) -> Place:
    """Choose a place: rather deep than at the top, for what is wrong there hides all else."""
    holder: Any = review or {"": None}
    if dice.random() < 0.9 and as_map(holder.get("request")):
        holder = holder["request"]
    while True:
        keys: list[Any] = list(holder) if is_map(holder) else list(range(len(holder)))
        weights = [4 if _has_parts(holder[key]) else 1 for key in keys]
        (key,) = dice.choices(keys, weights)
        if not _has_parts(holder[key]) or dice.random() < 0.1:
            return holder, key
        holder = holder[key]


def _has_parts(value: Any) -> bool:
    return bool(as_map(value) or as_list(value))


CHANGES: Sequence[Callable[[Random, Any], None]] = (
    *(_swap, _swap, _swap, _drop, _drop, _rename, _repeat, _repeat, _move, _bury),
    *(_wish, _wish, _wish, _wish, _wish, _wish, _ask, _ask),
)


# Changes of the bytes.


def _flip(dice: Random, body: bytes, _: Sequence[bytes]) -> bytes:
    at = dice.randrange(len(body) or 1)
    return body[:at] + bytes([body[at] ^ 1 << dice.randrange(8)]) + body[at + 1 :] if body else b""


def _truncate(dice: Random, body: bytes, _: Sequence[bytes]) -> bytes:
    return body[: dice.randrange(len(body) + 1)]


def _cut(dice: Random, body: bytes, _: Sequence[bytes]) -> bytes:
    at = dice.randrange(len(body) + 1)
    return body[:at] + body[at + dice.choice((1, 2, 30)) :]


def _insert(dice: Random, body: bytes, _: Sequence[bytes]) -> bytes:
    at = dice.randrange(len(body) + 1)
    return body[:at] + dice.choice((dice.choice(TOKENS), dice.randbytes(3))) + body[at:]


def _splice(dice: Random, body: bytes, bodies: Sequence[bytes]) -> bytes:
    other = dice.choice(bodies)
    return body[: dice.randrange(len(body) + 1)] + other[dice.randrange(len(other)) :]


SCRATCHES: Sequence[Callable[[Random, bytes, Sequence[bytes]], bytes]] = (
    *(_flip, _flip, _truncate, _cut, _insert, _insert, _splice),
)

"""Policies that are not in force yet, for ``dayfly simulate -f``: files as kubectl takes them."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TextIO, cast

import msgspec
import yaml
from msgspec.structs import replace

from dayfly_cli.terminal import Failed, Misused
from dayfly_core import reach, timeline
from dayfly_core.api import StoredPolicy
from dayfly_core.breaker import Standing
from dayfly_core.objects import EXPIRY_POLICIES, ObjectMeta
from dayfly_core.policies import (
    InvalidPolicy,
    Policies,
    Policy,
    read_policy,
    unknown_fields,
)
from dayfly_core.reach import Reach

STDIN: Final = "-"
EXAMPLE: Final = f"write a file with apiVersion: {EXPIRY_POLICIES.api_version}, kind: ExpiryPolicy"


class Rules(msgspec.Struct, frozen=True):
    """Policies, and what was decided about each of them before."""

    policies: Policies
    standings: dict[str, Standing]
    written: dict[str, ObjectMeta]
    """The metadata of those that are stored."""

    def with_(self, proposed: Iterable[Policy], now: datetime) -> "Rules":
        """Return them as they were a moment after these had been applied."""
        known = {policy.name: policy for policy in self.policies}
        for policy in proposed:
            known[policy.name] = _seen(policy, known.get(policy.name), self.written, now)
        return replace(self, policies=Policies(known.values()))


def _seen(
    policy: Policy, before: Policy | None, written: dict[str, ObjectMeta], now: datetime
) -> Policy:
    """Note since when it does what it does: what a change adds waits, or comes as a surprise."""
    now = now.replace(microsecond=0)
    meta = written.get(policy.name)
    steps = timeline.Sightings(
        created=meta.creation_timestamp if meta else now,
        generation=meta.generation + 1 if meta else 1,
        written={},
        remembered=before.known if before else {},
    )
    done = reach.Sightings(
        created=now,
        unedited=meta is None,
        written=None,
        remembered=Reach(reach.digest(before), before.since) if before else None,
    )
    known = timeline.known_since(policy.steps, steps, now)
    return replace(policy, known=known, since=reach.reach(policy, done, now).since)


def proposed(sources: Sequence[str], stdin: TextIO | None = None) -> tuple[Policy, ...]:
    """Read the policies in these files; raises Misused for a file, Failed for what it says."""
    return tuple(policy for source in sources for policy in _in(source, stdin or sys.stdin))


Document = dict[str, Any]


def _in(source: str, stdin: TextIO) -> Iterator[Policy]:
    found = [each for each in _documents(source, stdin) if _is_policy(each)]
    if not found:
        raise Misused(f"-f {source}: no ExpiryPolicy is in it; {EXAMPLE}")
    for document in found:
        yield _policy(source, document)


def _documents(source: str, stdin: TextIO) -> Iterator[Document]:
    """Yield the objects in a file, those of a list one by one."""
    try:
        text = stdin.read() if source == STDIN else Path(source).read_text(encoding="utf-8")
        documents: list[object] = list(yaml.safe_load_all(text))
    except (OSError, UnicodeDecodeError) as error:
        raise Misused(f"-f {source}: cannot be read: {error}; {EXAMPLE}") from error
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise Misused(f"-f {source}: is no YAML: {problem}; {EXAMPLE}") from error
    for document in map(_map, documents):
        if str(document.get("kind", "")).endswith("List"):
            yield from map(_map, document.get("items") or ())
        else:
            yield document


def _map(document: object) -> Document:
    return cast("Document", document) if isinstance(document, dict) else {}


def _is_policy(document: Document) -> bool:
    """Whether it is one of ours; a file may hold other things beside."""
    written = document.get("apiVersion"), document.get("kind")
    return written == (EXPIRY_POLICIES.api_version, EXPIRY_POLICIES.kind)


def _policy(source: str, document: Document) -> Policy:
    name = "?"
    try:
        meta = msgspec.convert(document.get("metadata") or {}, ObjectMeta)
        name = meta.name or "?"
        spec: object = document.get("spec") or {}
        if unknown := unknown_fields(spec):
            raise Failed(f"{_refused(source, name)}: unknown field {', '.join(unknown)}")
        stored = StoredPolicy(metadata=meta, spec=msgspec.Raw(msgspec.json.encode(spec)))
        return read_policy(stored)
    except (InvalidPolicy, msgspec.MsgspecError, TypeError) as error:
        raise Failed(f"{_refused(source, name)}: {error}") from error


def _refused(source: str, name: str) -> str:
    return f"-f {source}: ExpiryPolicy {name} would be refused"

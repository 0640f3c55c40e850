"""Which kind a person means by ``deploy``, ``Deployment`` or ``deployments.apps``."""

import asyncio
import difflib
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from dayfly_cli.terminal import Failed, Misused
from dayfly_core.objects import Resource
from dayfly_kube.client import Client
from dayfly_kube.discovery import ResourceList
from dayfly_kube.errors import ApiError

EXAMPLE = "write KIND/NAME, for example deploy/web or ns/team-a"


class Kind(NamedTuple):
    """A kind that the server offers, with everything it may be called."""

    resource: Resource
    full_names: frozenset[str]
    short_names: frozenset[str]
    listable: bool = True


class Target(NamedTuple):
    """One object as the person wrote it."""

    kind: str
    name: str


class PreferredVersion(msgspec.Struct, frozen=True, rename="camel"):
    """``preferredVersion`` of an API group."""

    group_version: str


class ServedGroup(msgspec.Struct, frozen=True, rename="camel"):
    """One entry of ``/apis``."""

    name: str
    preferred_version: PreferredVersion


class ServedGroups(msgspec.Struct, frozen=True):
    """``APIGroupList``, in the server's order of precedence."""

    groups: list[ServedGroup] = []


def parse_target(text: str) -> Target:
    """Read ``KIND/NAME``; raises Misused."""
    kind, slash, name = text.partition("/")
    if not (kind and slash and name) or "/" in name:
        raise Misused(f"{text!r} names no object; {EXAMPLE}")
    return Target(kind, name)


def resolve(text: str, kinds: Iterable[Kind]) -> Resource:
    """Find the kind, the core group first, full names before short ones; raises Failed."""
    served = list(kinds)
    word, _, group = text.lower().partition(".")
    for kind in sorted(served, key=lambda kind: word not in kind.full_names):
        if word in kind.full_names | kind.short_names and _in_group(kind.resource, group):
            return kind.resource
    raise Failed(f"no kind {text!r} here{_meant(word, served)}; `kubectl api-resources` lists all")


def _in_group(resource: Resource, group: str) -> bool:
    """``apps`` and ``v1.apps`` both name the group apps."""
    return group in ("", resource.group, f"{resource.version}.{resource.group}".rstrip("."))


def _meant(word: str, kinds: Iterable[Kind]) -> str:
    close = difflib.get_close_matches(word, [kind.resource.plural for kind in kinds], n=1)
    return f" (did you mean {close[0]}?)" if close else ""


async def served(client: Client) -> list[Kind]:
    """Ask for every kind in its preferred version; a group whose own server is down is left out."""
    groups = msgspec.json.decode(await client.get("/apis"), type=ServedGroups).groups
    versions = ["v1", *(group.preferred_version.group_version for group in groups)]
    found = await asyncio.gather(*(_in_version(client, version) for version in versions))
    return [kind for kinds in found for kind in kinds]


async def _in_version(client: Client, group_version: str) -> list[Kind]:
    group, _, version = group_version.rpartition("/")
    root = f"/apis/{group_version}" if group else f"/api/{version}"
    try:
        listed = msgspec.json.decode(await client.get(root), type=ResourceList)
    except ApiError as error:
        if error.code in (404, 503):
            return []
        raise
    return [
        Kind(
            Resource(group, version, one.name, one.kind, one.namespaced),
            frozenset({one.name, one.singular_name, one.kind.lower()} - {""}),
            frozenset(one.short_names),
            listable="list" in one.verbs,
        )
        for one in listed.resources
        if "/" not in one.name
    ]

"""Many who want one name at one moment: what each was answered, and who has the name then."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from dayfly_core import names, reasons
from dayfly_core.api import ClaimState, KeyKind, NameClaim
from dayfly_core.claim_key import ClaimKey
from dayfly_core.objects import (
    INGRESSES,
    NAME_CLAIMS,
    NAMESPACES,
    ObjectMeta,
    PartialObject,
    Resource,
)
from dayfly_kube.client import Client
from dayfly_kube.config import load
from dayfly_kube.errors import ApiError, Unreachable
from playground import ControlPlane
from support.plots import CONFIG_MAPS, now, stored, until

SIZE: Final = 200

STORED: Final = "stored"
TAKEN: Final = "taken"
RESERVED: Final = "reserved"
UNVERIFIED: Final = "not found out"
UNANSWERED: Final = "failed calling webhook"

REFUSALS: Final = {
    TAKEN: re.compile(
        r'^422 Invalid: admission webhook "\w+\.dayfly\.dev" denied the request: .* is invalid: '
        r".*: (already used by \w+ [\w/-]+|held by another object); .*, or .*"
    ),
    RESERVED: re.compile(
        r'^409 Conflict: admission webhook "\w+\.dayfly\.dev" denied the request: '
        r'Operation cannot be fulfilled on .*: "[^"]+" is reserved by a concurrent request, '
        r"retry in \d+ s\b"
    ),
    UNVERIFIED: re.compile(
        r'^500 InternalError: admission webhook "environments\.dayfly\.dev" denied the request: '
        r"whether its name is free was not found out: .*; retry, and if it lasts, "
    ),
    UNANSWERED: re.compile(r'^500 InternalError: .*failed calling webhook "\w+\.dayfly\.dev": '),
}
"""All that a request may hear. The last two are for those that came when there was no time left, or
that a dead replica was to answer; then it is the API server that speaks."""

CLEAR: Final = frozenset({STORED, TAKEN, RESERVED})


@dataclass(frozen=True, slots=True)
class Wish:
    """An object to be created."""

    resource: Resource
    body: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Where it is posted."""
        return self.resource.path(self.body["metadata"].get("namespace", ""))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one wish, and when."""

    wish: Wish
    meta: ObjectMeta | None
    refusal: str
    began: datetime
    ended: datetime

    @property
    def outcome(self) -> str:
        """In one word; what should not be heard at all is told as it is."""
        if self.meta:
            return STORED
        fitting = (word for word, text in REFUSALS.items() if text.search(self.refusal))
        return next(fitting, self.refusal)


@asynccontextmanager
async def everybody(plane: ControlPlane) -> AsyncGenerator[Client]:
    """Yield a client with all rights whose connections are as many as there are wishes."""
    config = load(str(plane.kubeconfig), {})
    async with Client(config, user_agent="test", timeout=60.0, connections=SIZE) as client:
        # All connected before, so that afterwards they come at one moment indeed.
        await until(lambda: _all_connected(client))
        yield client


async def _all_connected(client: Client) -> bool:
    """Whether all got through at once: so many handshakes may take a busy machine too long."""

    async def heard() -> bool:
        try:
            await client.get("/version")
        except Unreachable:
            return False
        return True

    return all(await asyncio.gather(*(heard() for _ in range(SIZE))))


async def ask(client: Client, wish: Wish) -> Answer:
    """Create an object."""
    began = now()
    try:
        meta = stored(await client.create(wish.path, wish.body))
    except ApiError as error:
        return Answer(wish, None, str(error), began, now())
    return Answer(wish, meta, "", began, now())


async def ask_at_once(client: Client, wishes: Sequence[Wish]) -> list[Answer]:
    """Create all of them, without any order."""
    return await asyncio.gather(*(ask(client, wish) for wish in wishes))


def tally(answers: Sequence[Answer]) -> Counter[str]:
    """Count what was heard."""
    return Counter(answer.outcome for answer in answers)


def summary(answers: Sequence[Answer]) -> str:
    """Tell what was heard, and how long it took."""
    heard = ", ".join(f"{many} {word}" for word, many in tally(answers).most_common())
    took = max(a.ended for a in answers) - min(a.began for a in answers)
    return f"{heard} in {took.total_seconds():.2f} s"


UNABLE: Final = {reasons.Reason.CANNOT_VERIFY, reasons.Reason.OVERLOADED}


def let_in(plane: ControlPlane, since: int) -> set[str]:
    """Name what was stored since then though nobody could judge it in time, from the audit log."""
    return {
        place(event.object_ref.namespace, event.object_ref.name)
        for event in plane.audit(since)
        if event.verb == "create" and event.accepted and _unjudged(event.annotations)
    }


def _unjudged(annotations: Mapping[str, str]) -> bool:
    failed = any(key.startswith("failed-open.") for key in annotations)
    return failed or annotations.get(f"{names.JUDGE_WEBHOOK}/reason") in UNABLE


# What they want.


def environments(name: str, prefix: str) -> list[Wish]:
    """Namespaces that all want to be this environment."""
    return [namespace(f"{prefix}-{i:03}", name) for i in range(SIZE)]


def namespace(name: str, environment: str = "") -> Wish:
    labels = {names.ENVIRONMENT: environment} if environment else {}
    meta = {"name": name, "labels": labels}
    return Wish(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})


def config_map(where: str, name: str, annotations: Mapping[str, str]) -> Wish:
    meta = {"name": name, "namespace": where, "annotations": annotations}
    return Wish(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})


def ingress(where: str, host: str, name: str = "web") -> Wish:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    body = {
        "apiVersion": INGRESSES.api_version,
        "kind": INGRESSES.kind,
        "metadata": {"name": name, "namespace": where},
        "spec": {"rules": [{"host": host, "http": {"paths": paths}}]},
    }
    return Wish(INGRESSES, body)


def environment_key(name: str) -> ClaimKey:
    return ClaimKey(KeyKind.ENVIRONMENT, name)


def host_key(name: str) -> ClaimKey:
    return ClaimKey(KeyKind.HOST, name)


# Who has it.


class _Claims(msgspec.Struct):
    items: list[NameClaim]


class _Objects(msgspec.Struct):
    items: list[PartialObject]


async def claims(client: Client) -> list[NameClaim]:
    """List all claims."""
    return msgspec.json.decode(await client.get_list(NAME_CLAIMS.path()), type=_Claims).items


async def objects(client: Client, resource: Resource) -> list[ObjectMeta]:
    """List all objects of a kind, everywhere."""
    raw = await client.get_list(resource.path(), metadata_only=True)
    return [item.metadata for item in msgspec.json.decode(raw, type=_Objects).items]


async def holder(client: Client, key: ClaimKey) -> str:
    """Name who has a key for certain, with its namespace; empty if nobody has."""
    for claim in await claims(client):
        if claim.metadata.name == key.claim_name and claim.spec.state is ClaimState.BOUND:
            return place(claim.spec.holder.namespace, claim.spec.holder.name)
    return ""


def place(where: str, name: str) -> str:
    return f"{where}/{name}" if where else name


async def orphans(client: Client) -> list[str]:
    """Name the claims that no stored object has, and those of which that is not certain yet."""
    kinds = (NAMESPACES, CONFIG_MAPS)
    present = {meta.uid for kind in kinds for meta in await objects(client, kind)}
    return [
        claim.metadata.name
        for claim in await claims(client)
        if claim.spec.holder.uid not in present or claim.spec.state is not ClaimState.BOUND
    ]


async def told(client: Client, resource: Resource) -> dict[str, str]:
    """Read what is noted on those that want what another has, by their names."""
    noted = (
        (place(meta.namespace, meta.name), meta.annotation_map.get(names.NAME_CONFLICT, ""))
        for meta in await objects(client, resource)
    )
    return {name: text for name, text in noted if text}


def street(number: int) -> str:
    return f"street-{number:03}"


async def streets(client: Client, many: int) -> list[str]:
    """Have so many namespaces, each an environment by its own name: nobody is in another's way."""
    wanted = [street(number) for number in range(many)]

    async def all_there() -> bool:
        present = {meta.name for meta in await objects(client, NAMESPACES)}
        missing = [namespace(name, name) for name in wanted if name not in present]
        answers = await ask_at_once(client, missing)
        # Reserved it may be by its own attempt before, that was not answered in time.
        assert TAKEN not in tally(answers)
        return not missing

    await until(all_there)
    return wanted

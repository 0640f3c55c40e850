"""The webhooks as an ASGI application, over an API server in memory, made anew for each review."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from zlib import crc32

import msgspec
from starlette.types import Message, Receive, Send
from yarl import URL

from dayfly_admission.claiming import Claiming
from dayfly_admission.disclosure import Disclosure
from dayfly_admission.journal import Journal
from dayfly_admission.metrics import Metrics
from dayfly_admission.namespaces import Namespaces
from dayfly_admission.naming import Naming
from dayfly_admission.own_kinds import OwnKinds
from dayfly_admission.permission import PATH as ACCESS_REVIEWS
from dayfly_admission.permission import Permissions
from dayfly_admission.register import Register
from dayfly_admission.server import Surroundings, application
from dayfly_admission.turnstile import Turnstiles
from dayfly_admission.webhooks import Webhooks
from dayfly_core import conformance, names, structural
from dayfly_core.api import ClaimState, Holder, LabelSelector, NameClaim, NameClaimSpec
from dayfly_core.claim_key import ClaimKey, key_of
from dayfly_core.guard import Guard
from dayfly_core.intent import Yardstick
from dayfly_core.objects import NAME_CLAIMS, ObjectMeta
from dayfly_core.policies import Policies
from dayfly_core.request import our_users
from dayfly_kube.errors import ApiError, Status, StatusDetails, Unreachable
from support.reviews import a_policy
from support.shelf import a_claim, a_holder, environment, host

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
CLAIMS = NAME_CLAIMS.path()
DOMAIN = "example.com"
TEAM = {("", "team-a"): ObjectMeta(name="team-a", uid="uid-of-team-a", labels={"team": "web"})}
EMPTY, FULL, RESERVED, BROKEN = range(4)
MOODS = 4
OTHER = "other"
HOLDER = a_holder(OTHER)
NOT_THERE_YET = a_holder("tomorrow")
TAKEN = (environment("shop-pr-17"), host("shop.example.com"), host("*.example.com"))


def _policies() -> Policies:
    """Make one of each kind: it refuses, warns, reports; with hosts."""
    rules = [
        ("", ["configmaps", "namespaces"]),
        ("apps", ["deployments", "replicasets"]),
    ]
    routes = [
        ("networking.k8s.io", ["ingresses"]),
        ("gateway.networking.k8s.io", ["httproutes"]),
    ]
    return Policies(
        [
            a_policy(match=_match(rules), host=_host("{name}-{namespace}.{domain}")),
            a_policy(
                "lenient",
                match=_match(routes),
                host=_host("{name}-{hash}.{environment}.{domain}"),
                enforcement="Warn",
                priority=5,
            ),
            a_policy("strict", match=_match(rules), ttl={"max": "1h"}, enforcement="Audit"),
        ]
    )


def _match(rules: Sequence[tuple[str, list[str]]]) -> dict[str, Any]:
    return {"resources": [{"apiGroups": [group], "resources": plurals} for group, plurals in rules]}


def _host(template: str) -> dict[str, str]:
    return {"template": template, "domain": DOMAIN}


@dataclass
class Cluster:
    """As much of an API server as admission asks; ``broken``: it answers anything but yes."""

    broken: bool = False
    claims: dict[str, NameClaim] = field(default_factory=dict[str, NameClaim])
    writes: int = 0
    time: float = 0.0

    def renew(self, mood: int) -> None:
        """Be another one: empty, with names that others have or have just asked for, or broken."""
        self.broken, self.writes, self.time = mood == BROKEN, 0, 0.0
        held = a_claim if mood != RESERVED else _reserved
        found = [] if mood == EMPTY else [held(key, HOLDER) for key in TAKEN]
        self.claims = {claim.metadata.name: claim for claim in found}

    # What the client can do.

    async def get(
        self,
        path: str,
        *,
        metadata_only: bool = False,
        timeout: float = 1.0,  # noqa: ASYNC109  # as the client has it
    ) -> bytes:
        self._reached(path)
        assert timeout >= 0
        name = path.removeprefix(f"{CLAIMS}/")
        if name != path:
            return msgspec.json.encode(self._claim(name))
        return self._somebody(path)

    async def get_list(self, path: str, *, params: dict[str, str] | None = None) -> bytes:
        self._reached(path)
        if path == CLAIMS:
            assert params
            return msgspec.json.encode(
                {"kind": "NameClaimList", "items": list(self.claims.values())}
            )
        hosts = [key.value for key in TAKEN if OTHER in path.split("/")]
        spec = {"hostnames": hosts, "rules": [{"host": host} for host in hosts]}
        return msgspec.json.encode({"items": [{"metadata": {"name": "web"}, "spec": spec}]})

    async def create(self, path: str, body: object) -> bytes:
        self._reached(path)
        written = msgspec.json.encode(body)
        if path == ACCESS_REVIEWS:
            return b'{"status":{"allowed":%s}}' % (b"true" if crc32(written) % 2 else b"false")
        self.writes += 1
        assert path == CLAIMS
        claim = _valid(written)
        if claim.metadata.name in self.claims:
            raise _refusal(409, "AlreadyExists")
        return self._store(claim)

    async def merge_patch(self, path: str, body: object) -> bytes:
        self._reached(path)
        self.writes += 1
        claim = self._claim(path.removeprefix(f"{CLAIMS}/"))
        written = msgspec.json.encode(body)
        patch = _valid(written)
        if patch.metadata.resource_version != claim.metadata.resource_version:
            raise _refusal(409, "Conflict")
        meta = msgspec.structs.replace(patch.metadata, name=claim.metadata.name)
        return self._store(msgspec.structs.replace(patch, metadata=meta))

    async def delete(self, path: str, *, uid: str, resource_version: str) -> bytes:
        self._reached(path)
        self.writes += 1
        name = path.removeprefix(f"{CLAIMS}/")
        found = self._claim(name).metadata
        assert (found.uid, found.resource_version) == (uid, resource_version)
        del self.claims[name]
        return b"{}"

    # Its clock, as naming sees it: nobody waits.

    def now(self) -> float:
        self.time += 0.001
        return self.time

    def wall(self) -> datetime:
        return NOW + timedelta(seconds=self.time)

    async def pause(self, seconds: float) -> None:
        self.time += seconds

    # What comes of it.

    def _reached(self, path: str) -> None:
        """Check that the path arrives as it was meant; what is broken is so for most paths."""
        url = URL(f"http://api{path}")
        assert (url.path, url.query_string, url.fragment) == (unquote(path), "", ""), path
        assert url.path.count("/") == path.count("/"), path
        if self.broken:
            match crc32(path.encode()) % 4:
                case 0:
                    raise Unreachable("nobody is there")
                case 1:
                    raise _refusal(500, "InternalError")
                case 2:
                    raise _refusal(403, "Forbidden")
                case _:
                    self.time += 1.0

    def _claim(self, name: str) -> NameClaim:
        if name not in self.claims:
            raise _refusal(404, "NotFound")
        return self.claims[name]

    def _store(self, claim: NameClaim) -> bytes:
        wild = {names.WILDCARD: "true"} if key_of(claim).wildcard else {}
        assert claim.metadata.label_map == {names.CLAIM: claim.spec.key.kind.value} | wild
        version = {"uid": "u", "resource_version": str(self.writes)}
        meta = msgspec.structs.replace(claim.metadata, **version)
        self.claims[meta.name] = msgspec.structs.replace(claim, metadata=meta)
        return msgspec.json.encode(self.claims[meta.name])

    def _somebody(self, path: str) -> bytes:
        name = path.rpartition("/")[2]
        if name == OTHER:
            meta = {"name": name, "uid": HOLDER.uid, "labels": {names.ENVIRONMENT: TAKEN[0].value}}
            return msgspec.json.encode({"metadata": meta})
        if name == NOT_THERE_YET.name:
            raise _refusal(404, "NotFound")
        match crc32(path.encode()) % 3:
            case 0:
                raise ApiError(Status(404, "NotFound", "", StatusDetails(name=name)))
            case 1:
                return msgspec.json.encode({"metadata": {"name": name, "uid": f"uid-of-{name}"}})
            case _:
                meta = {"name": name, "labels": {names.ENVIRONMENT: name}}
                return msgspec.json.encode({"metadata": meta})


def _reserved(key: ClaimKey, _holder: Holder) -> NameClaim:
    return a_claim(key, NOT_THERE_YET, ClaimState.PENDING)


def _valid(written: bytes) -> NameClaim:
    """Read a claim, if the schema of the kind accepts it."""
    spec: Any = msgspec.json.decode(written)["spec"]
    if list(conformance.faults(CLAIM_SCHEMA, spec, "spec")):
        raise _refusal(422, "Invalid")
    return msgspec.json.decode(written, type=NameClaim)


CLAIM_SCHEMA = structural.schema(NameClaimSpec)


def _refusal(code: int, reason: str) -> ApiError:
    return ApiError(Status(code, reason, "it does not want to"))


@dataclass(frozen=True, slots=True)
class How:
    """What is beside the body."""

    query: bytes = b"timeout=5s"
    content_type: bytes = b"application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back over HTTP."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class World:
    """The four endpoints, and the cluster they ask."""

    def __init__(self) -> None:
        self.cluster = Cluster()
        self.lines = list[bytes]()
        """What the journal says of the last request."""
        permissions, turnstiles = Permissions(self.cluster), Turnstiles()
        naming = Naming(
            Claiming(Register(self.cluster, LabelSelector()), self.cluster),
            Disclosure(permissions),
            turnstiles,
            lambda _kind, _outcome: None,
            LabelSelector(),
        )
        policies, ours = _policies(), our_users(names.SYSTEM_NAMESPACE)
        around = Namespaces(TEAM, self.cluster)
        webhooks = Webhooks(lambda: policies, around, lambda: NOW, ours, naming)
        yardstick = Yardstick(NOW, Guard(names.SYSTEM_NAMESPACE), around.known)
        own_kinds = OwnKinds(
            lambda: policies, around, permissions, lambda: yardstick, turnstiles.kinds, lambda: 0.0
        )
        journal = Journal(self.lines.append, lambda: NOW, 1)
        surroundings = Surroundings(lambda: 0.0, journal, lambda: False)
        self.metrics = Metrics()
        self._app = application(webhooks, own_kinds, self.metrics, surroundings)

    async def post(self, path: str, pieces: Sequence[bytes], how: How | None = None) -> Reply:
        """Send a body in pieces."""
        how = how or How()
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": how.query,
            "headers": [(b"content-type", how.content_type)],
        }
        coming = [
            {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
            for number, piece in enumerate(pieces, 1)
        ]
        sent = list[Message]()
        self.lines.clear()
        await self._app(scope, _each(coming), _into(sent))
        start, rest = sent
        return Reply(start["status"], dict(start["headers"]), rest["body"])


def _each(messages: Sequence[Message]) -> Receive:
    pending = iter(messages)

    async def receive() -> Message:
        return next(pending)

    return receive


def _into(messages: list[Message]) -> Send:
    async def send(message: Message) -> None:
        messages.append(message)

    return send

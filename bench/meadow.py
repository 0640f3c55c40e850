"""Dayfly on a real control plane, and a namespace full of ConfigMaps with ends."""

import asyncio
import time
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from math import ceil
from pathlib import Path
from typing import TypeVar

import msgspec

from dayfly_core import instant, names
from dayfly_core.objects import ObjectMeta, PartialObject
from dayfly_kube.client import Client
from dayfly_kube.config import load
from dayfly_kube.errors import ApiError, Unreachable
from playground import ControlPlane, System
from playground.process import eventually
from playground.system import BASE
from playground.webhooks import Entry

NAMESPACE = "bench"
NAMESPACE_MANIFEST = """
apiVersion: v1
kind: Namespace
metadata: {name: bench, labels: {bench: "yes"}}
"""
POLICY = """
apiVersion: dayfly.dev/v1alpha1
kind: ExpiryPolicy
metadata: {name: bench}
spec:
  match:
    namespaceSelector: {matchLabels: {bench: "yes"}}
    resources:
      - {apiGroups: [""], resources: [configmaps, namespaces]}
      - {apiGroups: [apps], resources: [deployments]}
  ttl: {default: 4h, max: 7d}
"""
RESOURCES = ("configmaps", "deployments", "namespaces")
CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"

T = TypeVar("T")

AT_ONCE = 16
"""Requests under way when objects are created or changed in thousands."""

SAMPLE = 64
"""Objects by which the pace of creating them is known; they stay."""


@dataclass(frozen=True, slots=True)
class Meadow:
    """A control plane with Dayfly and one policy in force; ``plane`` and ``system`` are running."""

    plane: ControlPlane
    system: System


@contextmanager
def meadow(
    *,
    admissions: int = 1,
    operators: int = 1,
    operator_flags: Sequence[str] = (),
    manifests: Path = BASE,
) -> Generator[Meadow]:
    """Start all of it, wait until the API server asks for stamps, and end it with the block."""
    with (
        ControlPlane.start() as plane,
        System.install(
            plane,
            admissions=admissions,
            operators=operators,
            operator_flags=operator_flags,
            manifests=manifests,
        ) as system,
    ):
        plane.apply(POLICY)
        system.wait_enforced(RESOURCES)
        plane.apply(NAMESPACE_MANIFEST)
        await_stamps(plane)
        yield Meadow(plane, system)


def await_stamps(plane: ControlPlane) -> None:
    """Wait until what is created is stamped: the API server reads the webhooks' rules in time."""

    def stamped() -> bool:
        made = plane.kubectl(
            *("create", "configmap", "probe", "-n", NAMESPACE, "--dry-run=server", "-o", "json")
        )
        return names.EXPIRES_AT in made

    if not eventually(stamped, 15):
        raise RuntimeError("no stamps after 15 s")


def call_directly(field: Meadow) -> None:
    """Have the API server call one replica itself.

    A Service is forwarded by the kernel, not by a process that costs milliseconds.
    """
    argv = field.system.admissions[0].spec.argv
    base = f"https://{argv[argv.index('--listen') + 1]}"
    for kind, name in (
        ("mutatingwebhookconfiguration", names.MUTATING_CONFIGURATION),
        ("validatingwebhookconfiguration", names.VALIDATING_CONFIGURATION),
    ):
        entries: list[Entry] = field.plane.read(kind, name)["webhooks"]
        changes = [
            {
                "op": "replace",
                "path": f"/webhooks/{index}/clientConfig/url",
                "value": base + "/" + entry["clientConfig"]["url"].rpartition("/")[2],
            }
            for index, entry in enumerate(entries)
        ]
        patch = msgspec.json.encode(changes).decode()
        field.plane.kubectl("patch", kind, name, "--type=json", "-p", patch)


@asynccontextmanager
async def administrator(plane: ControlPlane, connections: int = 32) -> AsyncGenerator[Client]:
    """Yield a client with all rights, that names itself ``bench``."""
    config = load(str(plane.kubeconfig), {})
    async with Client(config, user_agent="bench", connections=connections) as client:
        yield client


async def each(
    calls: Iterable[Callable[[], Awaitable[T]]], at_once: int = AT_ONCE
) -> list[T | Exception]:
    """Make the calls, so many under way at once, begun in order; a failure is a result."""
    numbered = list(enumerate(calls))
    results: dict[int, T | Exception] = {}
    pending = iter(numbered)

    async def worker() -> None:
        for index, call in pending:
            try:
                results[index] = await call()
            except (ApiError, Unreachable) as error:
                results[index] = error

    await asyncio.gather(*(worker() for _ in range(at_once)))
    return [results[index] for index, _ in numbered]


def config_map(name: str, end: datetime) -> dict[str, object]:
    """Build a ConfigMap that asks to end then."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "annotations": {names.EXPIRES_AT: instant.render(end)}},
    }


async def sow(client: Client, ends: Sequence[tuple[str, datetime]]) -> dict[str, ObjectMeta]:
    """Create ConfigMaps, and give what was stored of each; raises what a create did."""
    made = await each(
        partial(client.create, CONFIG_MAPS, config_map(name, end)) for name, end in ends
    )
    metas = [stored(answer) for answer in made]
    unstamped = [meta.name for meta in metas if names.POLICY not in meta.label_map]
    if unstamped:
        raise RuntimeError(f"{len(unstamped)} of {len(metas)} were not stamped: {unstamped[:3]}")
    return {meta.name: meta for meta in metas}


async def head_start(client: Client, count: int) -> timedelta:
    """Tell how long before their ends so many objects have to be begun: tried with a few."""
    far, mark = datetime.now(UTC) + timedelta(hours=4), time.monotonic_ns()
    began = time.monotonic()
    await sow(client, [(f"sample-{mark}-{i}", far) for i in range(SAMPLE)])
    return timedelta(seconds=2 + 2.5 * count / SAMPLE * (time.monotonic() - began))


def stored(answer: bytes | Exception) -> ObjectMeta:
    """Read the metadata of an answer; raises it if it is none."""
    if isinstance(answer, Exception):
        raise answer
    return msgspec.json.decode(answer, type=PartialObject).metadata


async def created(
    client: Client, path: str, bodies: Iterable[Mapping[str, object]]
) -> list[ObjectMeta]:
    """Create objects of one kind; raises what a create did."""
    made = await each(partial(client.create, path, body) for body in bodies)
    return [stored(answer) for answer in made]


class _Listed(msgspec.Struct):
    items: list[PartialObject] | None


async def left(client: Client) -> dict[str, ObjectMeta]:
    """List the ConfigMaps in the namespace now, by name."""
    raw = await client.get_list(CONFIG_MAPS, metadata_only=True)
    found = msgspec.json.decode(raw, type=_Listed)
    return {item.metadata.name: item.metadata for item in found.items or ()}


async def until_gone(client: Client, prefix: str, seconds: float) -> None:
    """Wait until no ConfigMap's name begins so; raises TimeoutError."""
    async with asyncio.timeout(seconds):
        # Lists, rarely: a watch would cost the API server a write to us for each of them.
        while any(name.startswith(prefix) for name in await left(client)):  # noqa: ASYNC110
            await asyncio.sleep(0.5)


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of a list of seconds, by nearest rank."""

    p50: float
    p99: float
    worst: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> "Spread":
        """Sort and pick; raises IndexError if there is nothing."""
        ordered = sorted(seconds)
        p50, p99 = (ordered[ceil(len(ordered) * q) - 1] for q in (0.5, 0.99))
        return cls(p50, p99, ordered[-1])

    def __str__(self) -> str:
        return f"p50 {self.p50 * 1e3:.1f}, p99 {self.p99 * 1e3:.1f}, max {self.worst * 1e3:.1f} ms"

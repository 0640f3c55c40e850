"""A whole operator against the fake API server: everything but kopf, the election and the clock."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

from msgspec.structs import replace

from dayfly_core import instant, names
from dayfly_core.outgoing.outbox import Retries
from dayfly_kube.client import Client
from dayfly_operator.leadership import Leadership
from dayfly_operator.parts import Clocks, Tools
from dayfly_operator.program import Program
from dayfly_operator.settings import parse
from dayfly_operator.writing import permit
from support.fake_api import FakeApi, Recorded
from support.waiting import eventually

NOBODY_LISTENS = 0.3
"""Seconds in which nothing must happen; a DELETE would come within a tenth of it."""

POLICIES = "/apis/dayfly.dev/v1alpha1/expirypolicies"
MAPS = "/api/v1/namespaces/team/configmaps"
BEGINNING = datetime(2026, 11, 22, 10, tzinfo=UTC)


class Clock:
    """Runs as fast as any other, from a date of its own; it can leap."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._aged = 0.0

    def age(self, seconds: float) -> None:
        """Let what is known be so much older."""
        self._aged += seconds

    def leap(self, seconds: float) -> None:
        """Put both clocks forward: as if nothing had happened for so long."""
        self._started -= seconds

    def monotonic(self) -> float:
        return time.monotonic() - self._started + self._aged

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=time.monotonic() - self._started)

    def text(self, seconds: float) -> str:
        """Write the instant so many seconds from now."""
        return instant.render(self.now() + timedelta(seconds=seconds))


@dataclass(frozen=True)
class Running:
    """An operator that runs, and what a test does with it."""

    api: FakeApi
    program: Program
    leadership: Leadership
    clock: Clock
    stop: asyncio.Event

    def lead(self) -> None:
        self.leadership.extend(inf, 1)
        self.program.leadership_changed(True)

    async def put_policy(self, name: str = "previews", **spec: Any) -> None:
        """Create or change a policy, and have the operator hear of it, as from kopf."""
        self.api.put(f"{POLICIES}/{name}", policy(**spec))
        await self.heard()

    async def heard(self) -> None:
        """Return when the operator has read the policies and follows their kinds."""
        reads = len(self.reads(POLICIES))
        self.program.policies.wake()
        await eventually(lambda: len(self.reads(POLICIES)) > reads)
        await eventually(lambda: self.program.ready() is None)

    def reads(self, path: str) -> list[Recorded]:
        return [r for r in self.api.requests if r.method == "GET" and r.path == path]

    def writes(self) -> list[Recorded]:
        """Everything but questions and Events."""
        return [r for r in self.api.requests if r.method != "GET" and not _harmless(r.path)]

    def deletes(self, name: str = "") -> list[Recorded]:
        deletes = [r for r in self.api.requests if r.method == "DELETE"]
        return [r for r in deletes if not name or r.path.endswith(f"/{name}")]

    def events(self, name: str) -> list[str]:
        """Reasons of the Events about an object, in order."""
        events = [r.body for r in self.api.requests if r.method == "POST" and "/events" in r.path]
        return [e["reason"] for e in events if e["regarding"]["name"] == name]

    def knows(self, name: str) -> bool:
        """Whether it has heard that this object is stamped."""
        return any(key.name == name for key, _ in self.program.parts.all_stamped())

    def gone(self, name: str) -> bool:
        return f"{MAPS}/{name}" not in self.api.objects

    def conditions(self, name: str = "previews") -> dict[str, tuple[str, str, str]]:
        """Status, reason and message by type."""
        status = self.api.objects[f"{POLICIES}/{name}"].get("status", {})
        return {
            c["type"]: (c["status"], c["reason"], c["message"])
            for c in status.get("conditions", [])
        }


def _harmless(path: str) -> bool:
    return "selfsubjectaccessreviews" in path or "/events.k8s.io/" in path


def policy(resources: Sequence[str] = ("configmaps",), **spec: Any) -> dict[str, Any]:
    """Return a policy for core kinds."""
    match = {"resources": [{"apiGroups": [""], "resources": list(resources)}]}
    return {"spec": {"match": match, "grace": "1s"} | spec}


def stamped(end: str, policy: str = "previews", **labels: str) -> dict[str, Any]:
    """Return an object as admission leaves it."""
    return {
        "metadata": {
            "labels": {names.POLICY: policy} | labels,
            "annotations": {names.EXPIRES_AT: end},
        }
    }


@asynccontextmanager
async def operating(
    api: FakeApi, *flags: str, leading: bool = True, retries: Retries | None = None
) -> AsyncGenerator[Running, None]:
    """Run an operator until the block ends; whatever one of its parts fails of is raised."""
    settings = parse(["--health-listen", "127.0.0.1:0", "--identity", "one", *flags], {})
    if retries:
        settings = replace(settings, webhooks=replace(settings.webhooks, retries=retries))
    clock, stop = Clock(), asyncio.Event()
    leadership = Leadership("one", clock.monotonic)
    api.put("/api/v1/namespaces/team")
    async with (
        Client(api.config(), user_agent="dayfly-operator") as client,
        Client(api.config(), user_agent="dayfly-operator", permit=permit(leadership)) as writer,
    ):
        clocks = Clocks(clock.now, clock.monotonic)
        program = Program(Tools(client, writer, settings, clocks, leadership))
        running = Running(api, program, leadership, clock, stop)
        work = asyncio.create_task(program.run(lambda: None, stop))
        if leading:
            running.lead()
        try:
            await eventually(lambda: program.ready() is None or work.done())
            yield running
        finally:
            stop.set()
            with suppress(asyncio.CancelledError):
                await work
            await program.farewell()

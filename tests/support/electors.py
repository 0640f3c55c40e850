"""Electors in threads of their own, as operators have them, and what they asked of the server."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from dayfly_core.lease import Timing
from dayfly_kube.client import Client
from dayfly_kube.config import Config
from dayfly_operator.election import Clocks
from dayfly_operator.elector import Candidacy, Elector
from support.elections import RecordedLeadership
from support.fake_api import FakeApi, Recorded
from support.fake_store import Json, as_map
from support.waiting import eventually

LEASE = "/apis/coordination.k8s.io/v1/namespaces/dayfly-system/leases/dayfly-operator"

FAST = Timing(duration=1, deadline=0.8, retry=0.2, request_timeout=0.25)
"""As fast as a Lease can be: it stores whole seconds."""

START = datetime(2026, 11, 22, 6, tzinfo=UTC)


def boot_time() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


BEGAN = boot_time()


@dataclass
class Process:
    """What an operator is to its elector."""

    identity: str
    config: Config
    changes: list[bool] = field(default_factory=list[bool])
    timing: Timing = FAST
    jumps: Random | None = None
    """If given, the wall clock is off by an hour now and then."""

    def __post_init__(self) -> None:
        self.leadership = RecordedLeadership(self.identity, boot_time)
        self.elector = Elector(
            Candidacy(self._connect, timing=self.timing),
            self.leadership,
            Clocks(self._now, boot_time, Random(7)),
            self.changes.append,
        )

    def _now(self) -> datetime:
        # It has to move: a record that is written again unchanged makes no new version.
        wrong = self.jumps.randint(-1, 1) if self.jumps else 0
        return START + timedelta(hours=wrong, seconds=boot_time() - BEGAN)

    def _connect(self, timeout: float) -> Client:
        return Client(self.config, user_agent=self.identity, timeout=timeout, connections=1)

    @property
    def leads(self) -> bool:
        return self.leadership.holds()

    @asynccontextmanager
    async def leading(self) -> AsyncGenerator["Process"]:
        async with self.elector:
            await eventually(lambda: self.leads)
            yield self


def lease_spec(api: FakeApi) -> Json:
    return as_map(api.objects[LEASE]["spec"])


def requests_of(api: FakeApi, identity: str) -> list[Recorded]:
    return [r for r in api.requests if r.headers["User-Agent"] == identity]


def verbs_of(api: FakeApi, identity: str) -> list[str]:
    return [r.method for r in requests_of(api, identity) if not r.watch]

"""A reflector of ConfigMaps that runs, what it told, and how long to wait for it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from dayfly_core.objects import PartialObject
from dayfly_kube.client import Client
from dayfly_kube.mirror import Name
from dayfly_kube.reflector import Reflector, Tempo
from support.fake_api import FakeApi
from support.waiting import eventually

MAPS = "/api/v1/configmaps"
QUICK = Tempo(page=3, first_wait=0.01, longest_wait=0.1, idle=0.3)


@dataclass
class Seen:
    """What a consumer was told."""

    changes: list[tuple[Name, str | None]] = field(default_factory=list[tuple[Name, str | None]])

    def __call__(self, name: Name, uid: str | None) -> None:
        self.changes.append((name, uid))

    def gone(self) -> list[str]:
        return [name[1] for name, uid in self.changes if uid is None]


def uid_of(found: PartialObject) -> str:
    return found.metadata.uid


@asynccontextmanager
async def reflecting(
    api: FakeApi, seen: Seen, *, tempo: Tempo = QUICK, label_selector: str = ""
) -> AsyncGenerator[Reflector[str], None]:
    async with Client(api.config(), user_agent="test") as client:
        reflector = Reflector(
            client, MAPS, keep=uid_of, on_change=seen, tempo=tempo, label_selector=label_selector
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(reflector.run())
            yield reflector
            reflector.stop()


def config_map(name: str) -> str:
    return f"/api/v1/namespaces/a/configmaps/{name}"


async def synced(reflector: Reflector[str]) -> None:
    async with asyncio.timeout(5):
        await reflector.synced.wait()
    await eventually(lambda: reflector.watches)


def names(reflector: Reflector[str]) -> list[str]:
    return sorted(name for _, name in reflector.items)

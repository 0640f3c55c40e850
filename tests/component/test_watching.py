"""Which kinds are followed, and what must not stop that."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from dayfly_core.objects import Key, ObjectMeta, Resource
from dayfly_kube.client import Client
from dayfly_kube.errors import ApiError, Status
from dayfly_operator.stamped import Stamped
from dayfly_operator.watching import HEARD_WITHIN, Watching
from support.fake_api import FakeApi
from support.fake_resources import CONFIG_MAPS, SECRETS
from support.waiting import eventually


class Finder:
    """Serves everything, until the server behind one kind is away."""

    def __init__(self) -> None:
        self.away = ""

    async def find(self, group: str, plural: str) -> Resource | None:
        if plural == self.away:
            raise ApiError(Status(code=503))
        return next(r for r in (CONFIG_MAPS, SECRETS) if r.plural == plural)

    async def verbs(self, group: str, plural: str) -> frozenset[str]:
        return frozenset({"list", "watch"})

    def forget(self, group: str, plural: str) -> None:
        pass


class Deaf:
    """Hears nothing, wants nothing."""

    def stamped(self, key: Key, found: Stamped | None) -> None:
        pass

    def unstamped(self, key: Key) -> None:
        pass

    def namespace(self, name: str, found: ObjectMeta | None) -> None:
        pass

    def wants(self, key: Key, meta: ObjectMeta) -> bool:
        return False


async def test_an_api_whose_server_is_away_does_not_hold_up_a_new_kind() -> None:
    ahead = 0.0

    def monotonic() -> float:
        return time.monotonic() + ahead

    finder = Finder()
    async with FakeApi() as api, Client(api.config(), user_agent="x") as client:
        watching = Watching(client, finder, Deaf(), monotonic)
        running: list[asyncio.Task[None]] = []

        def spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
            running.append(tasks.create_task(work))
            return running[-1]

        async with asyncio.TaskGroup() as tasks:
            watching.start(spawn)
            await watching.follow(frozenset({("", "configmaps")}))
            await eventually(lambda: watching.unsynced(()) is None)
            finder.away = "configmaps"
            ahead = 2 * HEARD_WITHIN
            await watching.follow(frozenset({("", "configmaps"), ("", "secrets")}))
            assert watching.served == {CONFIG_MAPS, SECRETS}
            for task in running:
                task.cancel()

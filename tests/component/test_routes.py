"""Which of the two kinds that name hosts are watched."""

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from dayfly_core.api import LabelSelector
from dayfly_core.objects import HTTP_ROUTES, INGRESSES, Key, Resource
from dayfly_kube.client import Client
from dayfly_kube.discovery import Discovery
from dayfly_operator.naming.routes import RECHECK, Routed, Routes
from dayfly_operator.watching import HEARD_WITHIN
from support.fake_api import FakeApi, Fault
from support.named import ingress, put_ingress
from support.waiting import eventually

GATEWAYS = "/apis/gateway.networking.k8s.io"


@dataclass
class Watch:
    """The watch, and what came of it."""

    routes: Routes = field(init=False)
    ahead: float = 0.0
    seen: dict[Key, Routed] = field(default_factory=dict[Key, Routed])

    def hear(self, key: Key, found: Routed | None) -> None:
        if found:
            self.seen[key] = found
        else:
            del self.seen[key]

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


@asynccontextmanager
async def watching(
    api: FakeApi,
    selector: LabelSelector | None = LabelSelector(),  # noqa: B008 (frozen)
) -> AsyncGenerator[Watch]:
    tasks: list[asyncio.Task[None]] = []

    def spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        tasks.append(asyncio.create_task(work))
        return tasks[-1]

    async with Client(api.config(), user_agent="x") as client:
        watch = Watch()
        finder = Discovery(client)
        watch.routes = Routes(client, finder, selector, watch.hear, watch.monotonic)
        watch.routes.start(spawn)
        try:
            yield watch
        finally:
            for task in tasks:
                task.cancel()


def served(watch: Watch) -> set[str]:
    return {resource.plural for resource in watch.routes.served}


def without(api: FakeApi, gone: Resource) -> None:
    api.resources = [each for each in api.resources if each != gone]


async def test_both_kinds_are_watched_and_their_hosts_known() -> None:
    async with FakeApi() as api, watching(api) as watch:
        put_ingress(api, ingress("team"), "a.example.com", "")
        api.put(HTTP_ROUTES.path("team", "r"), {"spec": {"hostnames": ["b.example.com"]}})
        api.put(HTTP_ROUTES.path("team", "bare"), {})
        await watch.routes.follow()
        assert watch.routes.loading
        await eventually(lambda: len(watch.seen) == 3)
        assert not watch.routes.loading
        hosts = [demand.key.value for _, found in watch.seen.items() for demand in found.demands]
        assert sorted(hosts) == ["a.example.com", "b.example.com"]
        assert len(watch.routes.inside("team")) == 3
        assert watch.routes.inside("other") == []


async def test_without_a_selector_nothing_is_asked_for() -> None:
    async with FakeApi() as api, watching(api, None) as watch:
        await watch.routes.follow()
        assert (api.requests, served(watch)) == ([], set())


async def test_a_kind_that_is_installed_later_is_found_and_seldom_looked_for() -> None:
    async with FakeApi() as api, watching(api) as watch:
        without(api, HTTP_ROUTES)
        for _ in range(5):
            await watch.routes.follow()
        assert served(watch) == {"ingresses"}
        assert len([r for r in api.requests if r.path.startswith(GATEWAYS)]) == 1
        api.resources.append(HTTP_ROUTES)
        watch.ahead += RECHECK + 1
        await watch.routes.follow()
        assert served(watch) == {"ingresses", "httproutes"}


async def test_hosts_of_a_kind_that_is_withdrawn_are_let_go() -> None:
    async with FakeApi() as api, watching(api) as watch:
        put_ingress(api, ingress("team"), "a.example.com")
        await watch.routes.follow()
        await eventually(lambda: watch.seen)
        without(api, INGRESSES)
        watch.ahead += HEARD_WITHIN + 1
        await watch.routes.follow()
        assert served(watch) == {"httproutes"}
        assert watch.seen == {}


@pytest.mark.parametrize("known", [pytest.param(True, id="known"), pytest.param(False, id="new")])
async def test_an_api_whose_server_is_away_holds_up_nothing(known: bool) -> None:
    async with FakeApi() as api, watching(api) as watch:
        if known:
            await watch.routes.follow()
            await eventually(lambda: not watch.routes.loading)
            watch.ahead += HEARD_WITHIN + 1
        api.fault(Fault("status", GATEWAYS, code=503, times=99))
        await watch.routes.follow()
        assert served(watch) == ({"ingresses", "httproutes"} if known else {"ingresses"})


async def test_a_kind_that_may_not_be_listed_is_waited_for_only_so_long() -> None:
    async with FakeApi() as api, watching(api) as watch:
        api.fault(Fault("status", GATEWAYS + "/v1/httproutes", code=403, times=99))
        await watch.routes.follow()
        await eventually(lambda: api.requests)
        assert watch.routes.loading
        watch.ahead += 31
        assert not watch.routes.loading

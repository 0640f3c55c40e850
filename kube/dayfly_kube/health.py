"""What kubelet and Prometheus ask: ``/healthz``, ``/readyz`` and ``/metrics`` over plain HTTP.

For manifests of the originals ``/healthz`` says ``{}``, as Ephemerate does while all is well, and
``/actuator/health`` is ``/readyz`` as Spring words it for k8s-namespace-manager.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from dayfly_kube.flags import listen_address

if TYPE_CHECKING:
    from aiohttp import web
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

Check = Callable[[], str | None]
"""None: all is well; else the reason why not, in words."""


async def serve(
    listen: str,
    *,
    live: Check,
    ready: Check,
    registry: "CollectorRegistry",
    started: Callable[[int], None] = lambda port: None,
) -> None:
    """Answer until cancelled; ``started`` hears the port (with ``:0`` the kernel chooses).

    ``OSError`` when the address cannot be had.
    """
    # Here, not above: a command line that only prints its help has no use for a server.
    from aiohttp import web

    runner = web.AppRunner(_application(live, ready, registry), access_log=None)
    await runner.setup()
    try:
        host, port = listen_address(listen)
        await web.TCPSite(runner, host, port, reuse_address=True).start()
        started(runner.addresses[0][1])
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def _application(live: Check, ready: Check, registry: "CollectorRegistry") -> "web.Application":
    from aiohttp import web
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    async def healthz(_: web.Request) -> web.Response:
        return _answer(problem) if (problem := live()) else _json("{}")

    async def readyz(_: web.Request) -> web.Response:
        return _answer(ready())

    async def metrics(_: web.Request) -> web.Response:
        headers = {"Content-Type": CONTENT_TYPE_LATEST}
        return web.Response(body=generate_latest(_Shown(registry)), headers=headers)

    async def actuator(_: web.Request) -> web.Response:
        status, word = (503, "DOWN") if ready() else (200, "UP")
        return _json(f'{{"status":"{word}"}}', status)

    async def info(_: web.Request) -> web.Response:
        return _json("{}")

    application = web.Application()
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    application.router.add_get("/actuator/health", actuator)
    application.router.add_get("/actuator/info", info)
    application.router.add_get("/metrics", metrics)
    return application


class _Shown:
    """A registry without the series ``…_created``, which would be a second one for each counter.

    The library's own switch for them is one for the whole process.
    """

    def __init__(self, registry: "CollectorRegistry") -> None:
        self._registry = registry

    def collect(self) -> "Iterator[Metric]":
        """Collect what is shown."""
        for family in self._registry.collect():
            family.samples = [s for s in family.samples if not s.name.endswith("_created")]
            yield family


def _json(text: str, status: int = 200) -> "web.Response":
    from aiohttp import web

    return web.Response(status=status, text=text, content_type="application/json")


def _answer(problem: str | None) -> "web.Response":
    from aiohttp import web

    return web.Response(status=503 if problem else 200, text=f"{problem or 'ok'}\n")

"""What kubelet and Prometheus ask, over real HTTP."""

import asyncio

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter

from dayfly_kube import health


async def answers(live: str | None, ready: str | None, path: str) -> tuple[int, str]:
    registry = CollectorRegistry()
    Counter("dayfly_ends", "Ends.", registry=registry).inc()
    port = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        health.serve(
            "127.0.0.1:0",
            live=lambda: live,
            ready=lambda: ready,
            registry=registry,
            started=port.set_result,
        )
    )
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{await port}{path}") as response,
    ):
        status, text = response.status, await response.text()
    serving.cancel()
    await asyncio.wait({serving})
    return status, text


@pytest.mark.parametrize(
    ("live", "ready", "path", "want"),
    [
        pytest.param(None, "no certificate yet", "/healthz", (200, "ok\n"), id="live, not ready"),
        pytest.param(
            None, "no certificate yet", "/readyz", (503, "no certificate yet\n"), id="not"
        ),
        pytest.param(None, None, "/readyz", (200, "ok\n"), id="ready"),
        pytest.param("stuck", None, "/healthz", (503, "stuck\n"), id="not live"),
    ],
)
async def test_checks(
    live: str | None, ready: str | None, path: str, want: tuple[int, str]
) -> None:
    assert await answers(live, ready, path) == want


async def test_metrics() -> None:
    status, text = await answers(None, None, "/metrics")
    assert status == 200
    assert "dayfly_ends_total 1.0" in text


async def test_an_address_that_is_taken_is_an_error() -> None:
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(OSError, match="address already in use"):
        await health.serve(
            f"127.0.0.1:{port}",
            live=lambda: None,
            ready=lambda: None,
            registry=CollectorRegistry(),
        )
    server.close()
    await server.wait_closed()

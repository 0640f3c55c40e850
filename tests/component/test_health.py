"""What kubelet and Prometheus ask, over real HTTP."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter

from dayfly_admission.metrics import Metrics as AdmissionMetrics
from dayfly_kube import health
from dayfly_operator.metrics import Metrics as OperatorMetrics

METRICS_PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "metrics.md"
UP, DOWN = '{"status":"UP"}', '{"status":"DOWN"}'


def counted() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("dayfly_ends", "Ends.", registry=registry).inc()
    return registry


def of_admission() -> CollectorRegistry:
    metrics = AdmissionMetrics()
    metrics.webhook("stamp").count("allowed", "NoPolicy", 0.0)
    return metrics.registry


def of_operator() -> CollectorRegistry:
    metrics = OperatorMetrics()
    metrics.ended.labels(policy="previews", resource="deployments.apps").inc()
    metrics.lag.observe(0.01)
    return metrics.registry


async def answers(
    path: str,
    live: str | None = None,
    ready: str | None = None,
    registry: CollectorRegistry | None = None,
) -> tuple[int, str]:
    port = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        health.serve(
            "127.0.0.1:0",
            live=lambda: live,
            ready=lambda: ready,
            registry=registry or CollectorRegistry(),
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
        pytest.param(None, "no certificate yet", "/healthz", (200, "{}"), id="live, not ready"),
        pytest.param(
            None, "no certificate yet", "/readyz", (503, "no certificate yet\n"), id="not"
        ),
        pytest.param(None, None, "/readyz", (200, "ok\n"), id="ready"),
        pytest.param("stuck", None, "/healthz", (503, "stuck\n"), id="not live"),
        pytest.param(None, None, "/actuator/health", (200, UP), id="ready, to Spring"),
        pytest.param(None, "no", "/actuator/info", (200, "{}"), id="nothing else, to Spring"),
        pytest.param(None, "no", "/actuator/health", (503, DOWN), id="not, to Spring"),
    ],
)
async def test_checks(
    live: str | None, ready: str | None, path: str, want: tuple[int, str]
) -> None:
    assert await answers(path, live, ready) == want


async def test_metrics() -> None:
    assert await answers("/metrics", registry=counted()) == (
        200,
        "# HELP dayfly_ends_total Ends.\n# TYPE dayfly_ends_total counter\ndayfly_ends_total 1.0\n",
    )


@pytest.mark.parametrize(
    "registry",
    [
        pytest.param(of_admission, id="of admission"),
        pytest.param(of_operator, id="of the operator"),
    ],
)
async def test_every_metric_is_on_the_page_of_metrics(
    registry: Callable[[], CollectorRegistry],
) -> None:
    _, text = await answers("/metrics", registry=registry())
    shown = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    assert shown
    assert shown <= set(re.findall(r"^\| `(\w+)`", METRICS_PAGE.read_text(), re.MULTILINE))


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

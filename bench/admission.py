"""What a create through the API server waits for Dayfly: two control planes, one without it."""

import asyncio
import time
from collections.abc import Mapping
from statistics import median

from bench.meadow import (
    DEPLOYMENTS,
    NAMESPACE_MANIFEST,
    Meadow,
    administrator,
    meadow,
    stored,
)
from bench.processes import cpu_clock
from bench.table import Figure, at_most
from dayfly_core import names
from dayfly_kube.client import Client
from playground import ControlPlane

COUNT = 300
WARM_UP = 30


def measure(*, quick: bool) -> list[Figure]:
    """Create Deployments in turns on both, one at a time."""
    with ControlPlane.start() as without, meadow(admissions=2) as field:
        without.apply(NAMESPACE_MANIFEST)
        return asyncio.run(_compare(without, field, 60 if quick else COUNT))


async def _compare(without: ControlPlane, field: Meadow, count: int) -> list[Figure]:
    async with administrator(without) as plain, administrator(field.plane) as stamped:
        for number in range(WARM_UP):
            await _create(plain, f"warm-{number}", stamps=False)
            await _create(stamped, f"warm-{number}", stamps=True)
        at_rest = await _admission_cpu_at_rest(field)
        before, began = _admission_cpu(field), time.monotonic()
        pairs = [
            (
                await _create(plain, f"web-{number}", stamps=False),
                await _create(stamped, f"web-{number}", stamps=True),
            )
            for number in range(count)
        ]
        await asyncio.sleep(1)  # the controllers' own updates of the last ones
        spent = _admission_cpu(field) - before - at_rest * (time.monotonic() - began)
    return _figures(pairs, spent / count * 1000)


def _figures(pairs: list[tuple[float, float]], cpu: float) -> list[Figure]:
    alone, ours = (median(side) * 1e3 for side in zip(*pairs, strict=True))
    target, met = at_most(ours - alone, 2, " ms")
    cheap, spared = at_most(cpu, 0.4, " CPU-s")
    return [
        Figure(
            "create",
            "p50 of a stamped Deployment's create, c=1",
            "control plane without Dayfly; Kyverno + 5.6 ms",
            f"+ {ours - alone:.2f} ms ({alone:.2f} -> {ours:.2f})",
            f"+ {target}",
            met,
        ),
        Figure(
            "create",
            "CPU of admission for 1 000 Deployments, above rest",
            "Kyverno 7 CPU-s",
            f"{cpu:.2f} CPU-s",
            cheap,
            spared,
        ),
    ]


def _admission_cpu(field: Meadow) -> float:
    return sum(cpu_clock(replica.pid) for replica in field.system.admissions)


async def _admission_cpu_at_rest(field: Meadow) -> float:
    """CPU-seconds a second of the replicas when nothing is asked: probes, watches."""
    before = _admission_cpu(field)
    await asyncio.sleep(5)
    return (_admission_cpu(field) - before) / 5


async def _create(client: Client, name: str, *, stamps: bool) -> float:
    """Seconds until the answer; raises RuntimeError if stamps are missing, or there are any."""
    began = time.perf_counter()
    answer = await client.create(DEPLOYMENTS, deployment(name))
    took = time.perf_counter() - began
    if (names.EXPIRES_AT in stored(answer).annotation_map) is not stamps:
        raise RuntimeError(f"{name}: stamps are {'missing' if stamps else 'there'}")
    return took


def deployment(name: str) -> Mapping[str, object]:
    """Build a Deployment of no pods: so its creation alone is measured."""
    labels = {"app": name}
    container = {"name": "web", "image": "registry.example.com/web:1"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }

"""What a create through the API server waits for Dayfly; beside it, what any webhook would cost.

Three namespaces of one control plane, in turns, so that all see the same noise: one that no webhook
is asked about, one with Dayfly, one with a webhook that answers constants (bare uvicorn). The API
server calls the replica itself: a Service is forwarded by the kernel, not by a process.
"""

import asyncio
import base64
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median

import msgspec

from bench.meadow import NAMESPACE, administrator, call_directly, meadow, stored
from bench.peers.serving import serving
from bench.processes import cpu_clock
from bench.table import Figure, at_most
from dayfly_core import names
from dayfly_core.objects import ObjectMeta
from dayfly_kube.client import Client
from playground import ControlPlane
from playground.webhooks import Entry

COUNT = 300
WARM_UP = 30

# Both are left alone by Dayfly's configurations, as every cluster's are.
QUIET, PEER = "kube-public", "kube-node-lease"
PEER_KEY = "peer.example/expires-at"


@dataclass(frozen=True, slots=True)
class Way:
    """A namespace to create in, the annotation that shows who was asked, and whose CPU counts."""

    namespace: str
    mark: str
    pids: Sequence[int]

    def cpu(self) -> float:
        """CPU-seconds so far of all who are asked here."""
        return sum(cpu_clock(pid) for pid in self.pids)


class UnmarkedError(RuntimeError):
    """An object does not show that the right webhook was asked."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of each create, and CPU-seconds of the webhook for one, above its rest."""

    seconds: Sequence[float]
    cpu: float


def measure(*, quick: bool) -> list[Figure]:
    """Create Deployments in turns, one at a time."""
    with meadow(admissions=2) as field, serving("constant_webhook.py", field.plane) as (pid, url):
        call_directly(field)
        register(field.plane, url)
        ways = (
            Way(QUIET, "", ()),
            Way(NAMESPACE, names.EXPIRES_AT, [replica.pid for replica in field.system.admissions]),
            Way(PEER, PEER_KEY, [pid]),
        )
        return _figures(*asyncio.run(_compare(field.plane, ways, 60 if quick else COUNT)))


async def _compare(plane: ControlPlane, ways: Sequence[Way], creates: int) -> list[Cost]:
    async with administrator(plane) as client:
        for way in ways:
            await _asked(client, way)
            for number in range(WARM_UP):
                await _create(client, way, f"warm-{number}")
        at_rest = await _at_rest(ways)
        before, began = [way.cpu() for way in ways], time.monotonic()
        seconds = [[await _create(client, way, f"web-{i}") for way in ways] for i in range(creates)]
        await asyncio.sleep(1)  # the controllers' own updates of the last ones
        lasted = time.monotonic() - began
        return [
            Cost(took, (way.cpu() - then - rest * lasted) / creates)
            for took, way, then, rest in zip(
                zip(*seconds, strict=True), ways, before, at_rest, strict=True
            )
        ]


def _figures(quiet: Cost, ours: Cost, peer: Cost) -> list[Figure]:
    alone, with_us, with_peer = (median(cost.seconds) * 1e3 for cost in (quiet, ours, peer))
    added, floor = with_us - alone, with_peer - alone
    target, met = at_most(added, 2, " ms")
    ratio, near = at_most(added / floor, 1.5, "x")
    cheap, spared = at_most(ours.cpu * 1000, 0.4, " CPU-s")
    share, light = at_most(ours.cpu / peer.cpu, 2, "x")
    what = "p50 of a stamped Deployment's create, c=1"
    cpu = "CPU of admission for 1 000 Deployments, above rest"
    floor_is = "a webhook of bare uvicorn, constant answers"
    return [
        Figure(
            "create",
            what,
            "no webhook; Kyverno + 5.6 ms",
            f"+ {added:.2f} ms ({alone:.2f} -> {with_us:.2f})",
            f"+ {target}",
            met,
        ),
        Figure("create", what, floor_is, f"{added / floor:.2f}x (+ {floor:.2f} ms)", ratio, near),
        Figure("create", cpu, "Kyverno 7 CPU-s", f"{ours.cpu * 1e3:.2f} CPU-s", cheap, spared),
        Figure(
            "create",
            cpu,
            floor_is,
            f"{ours.cpu / peer.cpu:.2f}x ({peer.cpu * 1e3:.2f} CPU-s)",
            share,
            light,
        ),
    ]


async def _at_rest(ways: Sequence[Way]) -> list[float]:
    """CPU-seconds a second when nothing is asked: probes, watches."""
    before = [way.cpu() for way in ways]
    await asyncio.sleep(5)
    return [(way.cpu() - then) / 5 for way, then in zip(ways, before, strict=True)]


async def _asked(client: Client, way: Way) -> None:
    """Wait until the API server has read the webhooks' configurations."""
    async with asyncio.timeout(15):
        for number in count():
            try:
                await _create(client, way, f"trial-{number}")
            except UnmarkedError:
                await asyncio.sleep(0.2)
            else:
                return


async def _create(client: Client, way: Way, name: str) -> float:
    """Seconds until the answer; raises UnmarkedError unless those were asked who should be."""
    path = f"/apis/apps/v1/namespaces/{way.namespace}/deployments"
    began = time.perf_counter()
    answer = await client.create(path, deployment(name))
    took = time.perf_counter() - began
    _check(stored(answer), way)
    return took


def _check(meta: ObjectMeta, way: Way) -> None:
    marks = {names.EXPIRES_AT, PEER_KEY} & meta.annotation_map.keys()
    if marks != {way.mark} - {""}:
        raise UnmarkedError(f"{way.namespace}/{meta.name}: carries {sorted(marks)}, not {way.mark}")


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


# Who is asked.


def register(plane: ControlPlane, url: str) -> None:
    """Have the API server ask the peer about Deployments of its namespace, as it asks Dayfly."""
    authority = base64.b64encode((plane.paths.pki / "ca.crt").read_bytes()).decode()
    for kind, path in (("Mutating", "stamp"), ("Validating", "judge")):
        entry: Entry = {
            "name": f"{path}.peer.example",
            "clientConfig": {"url": f"{url}/{path}", "caBundle": authority},
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Fail",
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": PEER}},
            "rules": [
                {
                    "apiGroups": ["apps"],
                    "apiVersions": ["*"],
                    "resources": ["deployments"],
                    "operations": ["CREATE"],
                }
            ],
        }
        configuration = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": f"{kind}WebhookConfiguration",
            "metadata": {"name": "peer"},
            "webhooks": [entry],
        }
        plane.apply(msgspec.json.encode(configuration).decode())

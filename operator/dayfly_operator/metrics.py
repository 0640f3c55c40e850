"""What Prometheus is told; every name begins with ``dayfly_``."""

from collections.abc import Callable, Iterable, Mapping

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from dayfly_core.api import ClaimState, KeyKind

LAG_BUCKETS = (0.005, 0.01, 0.015, 0.03, 0.06, 0.12, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
"""Seconds; fine where a healthy operator is, coarse where an outage or the pace delays ends."""


class Readings(msgspec.Struct, frozen=True):
    """Where the gauges that are read on demand come from."""

    leading: Callable[[], float]
    term: Callable[[], float]
    stamped: Callable[[], float]
    waiting: Callable[[], float]
    deadlines: Callable[[], float]
    stuck: Callable[[], float]
    switched_off: Callable[[], float]
    clock_skew: Callable[[], float]
    stopped_releases: Callable[[], float]
    name_conflicts: Callable[[], float]


class Census(Collector):
    """Claims by the kind of their key and by their state, counted when somebody asks."""

    def __init__(self, count: Callable[[], Mapping[tuple[KeyKind, ClaimState], int]]) -> None:
        self._count = count

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Count."""
        text = "NameClaims, by what they claim and whether their holder was seen."
        family = GaugeMetricFamily("dayfly_name_claims", text, labels=["kind", "state"])
        for labels, number in sorted(self._count().items()):
            family.add_metric(labels, number)
        yield family


class OwnObjects(Collector):
    """Ephemerators, NamespaceManagers and Stays, counted when somebody asks."""

    def __init__(self, count: Callable[[], Mapping[str, int]]) -> None:
        self._count = count

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Count."""
        text = "Ephemerators, NamespaceManagers and Stays in memory, by kind."
        family = GaugeMetricFamily("dayfly_own_objects", text, labels=["resource"])
        for resource, number in sorted(self._count().items()):
            family.add_metric([resource], number)
        yield family


class OpenBreakers(Collector):
    """The policies whose breaker is open, when somebody asks."""

    def __init__(self, open_: Callable[[], Mapping[str, int]]) -> None:
        self._open = open_

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Count what they hold back; a policy whose breaker is closed is not among them."""
        text = "Objects that the open breaker of a policy holds back."
        family = GaugeMetricFamily("dayfly_breaker_held", text, labels=["policy"])
        for policy, number in sorted(self._open().items()):
            family.add_metric([policy], number)
        yield family


class Metrics:
    """Counters of what was done, and gauges of what is."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.ended = self._counter("dayfly_ended", "Objects ended.", "policy", "resource")
        self.stamped = self._counter(
            "dayfly_stamped", "Objects stamped by the operator.", "policy", "reason"
        )
        self.steps = self._counter(
            "dayfly_steps",
            "Steps of timelines, and wakes, by what came of them; a webhook counts each attempt.",
            "policy",
            "action",
            "result",
        )
        self.withheld = self._counter(
            "dayfly_withheld",
            "Times that something did not end, or was not stamped, by reason.",
            "policy",
            "reason",
        )
        self.breaker_opened = self._counter(
            "dayfly_breaker_opened", "Times that the breaker of a policy opened.", "policy"
        )
        self.history_dropped = self._counter(
            "dayfly_history_dropped",
            "Entries of the history that were not kept, because too many waited.",
        )
        self.events_dropped = self._counter(
            "dayfly_events_dropped",
            "Kubernetes Events that were not posted, by what stood in the way.",
            "cause",
        )
        self.calls = self._counter(
            "dayfly_webhook_calls",
            "Outgoing webhooks, each attempt, by result: delivered, failed or refused (not sent, "
            "because of where it leads).",
            "result",
        )
        self.dead_letters = self._counter(
            "dayfly_webhook_dead_letters",
            "Outgoing webhooks that were given up, by the kind of the object that asked for them.",
            "kind",
        )
        self.lag = Histogram(
            "dayfly_end_lag_seconds",
            "From the end of an object to its DELETE.",
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def called(self, result: str) -> None:
        """Count one attempt of an outgoing webhook."""
        self.calls.labels(result).inc()

    def read(self, readings: Readings) -> None:
        """Add the gauges."""
        for name, text, reading in (
            ("leading", "1 while this replica may act.", readings.leading),
            ("leader_term", "leaseTransitions of this replica's last term.", readings.term),
            ("stamped_objects", "Stamped objects in memory.", readings.stamped),
            ("queue_length", "Objects waiting to be handled.", readings.waiting),
            ("deadlines", "Objects with an end to wait for.", readings.deadlines),
            ("namespaces_stuck", "Namespaces that do not go.", readings.stuck),
            (
                "webhook_configurations_missing",
                "Webhook configurations that somebody has deleted.",
                readings.switched_off,
            ),
            (
                "clock_skew_seconds",
                "How far the API server's clock is ahead of ours.",
                readings.clock_skew,
            ),
            (
                "helm_releases_blocked",
                "Helm releases whose end has come and that do not end, because of an object in "
                "them.",
                readings.stopped_releases,
            ),
            (
                "name_conflicts",
                "Objects that want a name or host that another has.",
                readings.name_conflicts,
            ),
        ):
            Gauge(f"dayfly_{name}", text, registry=self.registry).set_function(reading)

    def read_breakers(self, open_: Callable[[], Mapping[str, int]]) -> None:
        """Add the gauge of breakers."""
        self.registry.register(OpenBreakers(open_))

    def read_own_objects(self, count: Callable[[], Mapping[str, int]]) -> None:
        """Add the gauge of objects of our smaller kinds."""
        self.registry.register(OwnObjects(count))

    def read_claims(self, count: Callable[[], Mapping[tuple[KeyKind, ClaimState], int]]) -> None:
        """Add the gauge of claims."""
        self.registry.register(Census(count))

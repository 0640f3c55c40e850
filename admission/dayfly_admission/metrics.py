"""What Prometheus is told about the webhooks."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# The API server's own first bucket is 5 ms; the ones below tell whether we are far from it.
BUCKETS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.025, 0.1, 0.5, 1.0)


class WebhookMetrics:
    """One webhook's counters; children are looked up once, then kept."""

    def __init__(self, reviews: Counter, seconds: Histogram, webhook: str) -> None:
        self._reviews = reviews
        self.webhook = webhook
        self._observe = seconds.labels(webhook).observe
        self._by_reason: dict[tuple[str, str], Counter] = {}

    def count(self, result: str, reason: str, seconds: float) -> None:
        """Count one answer; ``reason`` is one of a closed list, so the series are bounded."""
        child = self._by_reason.get((result, reason))
        if child is None:
            child = self._reviews.labels(self.webhook, result, reason)
            self._by_reason[result, reason] = child
        child.inc()
        self._observe(seconds)


class Metrics:
    """All metrics of the admission program, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._reviews = Counter(
            "dayfly_admission_reviews",
            "Answers given, by webhook, result (allowed, patched, refused) and reason.",
            ["webhook", "result", "reason"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "dayfly_admission_review_seconds",
            "Time from the last byte of the question to the first of the answer.",
            ["webhook"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.not_after = Gauge(
            "dayfly_certificate_not_after_seconds",
            "When the certificate that is served ends, in Unix time.",
            registry=self.registry,
        )
        self.bad_bundles = Counter(
            "dayfly_certificate_rejected",
            "Serving certificates in the Secret that were not usable, and were not served.",
            registry=self.registry,
        )
        self.claims = Counter(
            "dayfly_admission_claims",
            "Names asked for, by kind (environment, host) and outcome (Granted, Taken, Reserved, "
            "Exists, Unverified). What was looked up on a dry run counts too.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self.waiting = Gauge(
            "dayfly_admission_waiting",
            "Requests that wait until others have asked the API server about names or rights.",
            registry=self.registry,
        )
        self.clock_skew = Gauge(
            "dayfly_clock_skew_seconds",
            "How far the API server's clock is ahead of ours.",
            registry=self.registry,
        )
        self.policies = Gauge(
            "dayfly_admission_policies", "Policies in force here.", registry=self.registry
        )

    def claimed(self, kind: str, outcome: str) -> None:
        """Count what came of one name that was asked for."""
        self.claims.labels(kind, outcome).inc()

    def webhook(self, name: str) -> WebhookMetrics:
        """Metrics of one endpoint."""
        return WebhookMetrics(self._reviews, self._seconds, name)

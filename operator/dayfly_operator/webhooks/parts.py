"""The parts that keep the API server asking, made and given to each other."""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, Protocol

import msgspec

from dayfly_kube.client import Client
from dayfly_kube.reflector import Reflector
from dayfly_operator.webhooks import certificates
from dayfly_operator.webhooks.certificates import Upkeep
from dayfly_operator.webhooks.rules import CONFIGURATIONS, Configuration, RuleKeeper, Trust
from dayfly_operator.writing import Gate, Writer


class News(Protocol):
    """Who hears of what somebody else has changed."""

    def webhooks_changed(self) -> None:
        """Hear that a webhook configuration, or whom to trust, has changed."""
        ...

    def certificate_changed(self) -> None:
        """Hear that one of the two Secrets came, changed or went."""
        ...


class Means(msgspec.Struct, frozen=True):
    """What these parts need of the others."""

    client: Client
    writer: Writer
    gate: Gate
    namespace: str
    serving_names: Sequence[str]
    monotonic: Callable[[], float]


class WebhookParts:
    """Knowledge and keepers of one replica, as far as they are about our own webhooks."""

    def __init__(self, means: Means, news: News) -> None:
        self._means = means
        trust = Trust()
        self.configurations = {
            resource: Reflector(
                means.client,
                resource.path(),
                keep=_whole,
                on_change=lambda _name, _found: news.webhooks_changed(),
                decode=Configuration,
                field_selector=f"metadata.name={name}",
                metadata_only=False,
                monotonic=means.monotonic,
            )
            for resource, name in CONFIGURATIONS
        }
        self.rules = RuleKeeper(means.writer, self.configurations, trust)
        place = (means.namespace, means.serving_names)
        self.certificate = Upkeep(means.client, place, trust, means.gate, news.webhooks_changed)
        self._secrets = certificates.watches(
            means.client, means.namespace, means.monotonic, news.certificate_changed
        )

    def running(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield what runs all the time."""
        yield from (reflector.run() for reflector in self.configurations.values())
        yield from (reflector.run() for reflector in self._secrets)


def _whole(found: Configuration) -> Configuration:
    return found

"""The breakers, and what they ask of the other parts of a replica."""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Protocol

import msgspec

from dayfly_core import api
from dayfly_core.api import Enforcement
from dayfly_core.guard import Guard
from dayfly_core.objects import Key
from dayfly_core.policies import Policy
from dayfly_core.reasons import Reason
from dayfly_operator.brakes.breaker import Breakers
from dayfly_operator.brakes.surprises import Surprises
from dayfly_operator.metrics import Metrics
from dayfly_operator.policies import Entry, PolicyBook
from dayfly_operator.stamped import Stamped
from dayfly_operator.telling import Teller

log = logging.getLogger(__name__)


class Objects(Protocol):
    """What the watches know."""

    def all_stamped(self) -> Iterator[tuple[Key, Stamped]]:
        """Yield every stamped object."""
        ...


class News(Protocol):
    """Who hears of breakers."""

    def ready(self) -> str | None:
        """Say what is not known yet."""
        ...

    def breaker_changed(self) -> None:
        """Hear that one has opened or closed."""
        ...


class Means(msgspec.Struct, frozen=True):
    """What the breakers are made of."""

    book: PolicyBook
    objects: Objects
    held: Callable[[Key, Stamped], bool]
    """Whether the policy that stamped an object still fits it."""
    guard: Callable[[], Guard]
    teller: Teller
    metrics: Metrics
    news: News
    now: Callable[[], datetime]


class BreakerParts:
    """The breakers of one replica, and whom they tell."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self.surprises = Surprises(self, means.now)
        self.breakers = Breakers(self.surprises, self.entries, self, means.now)
        means.metrics.read_breakers(self.breakers.open)

    def entries(self) -> Mapping[str, Entry]:
        """Return the policies as they are known now."""
        return self._means.book.known.entries

    def policy(self, name: str) -> Policy | None:
        """Return a policy by name, if it does anything at present."""
        policy = self._means.book.known.policies.get(name)
        acts = policy and not policy.suspended and policy.enforcement is not Enforcement.AUDIT
        return policy if acts else None

    def acts(self, key: Key, found: Stamped) -> bool:
        """Whether its policy will do anything to an object."""
        meta = found.meta
        if meta.deletion_timestamp or meta.protected or meta.controlled:
            return False
        if not self._means.held(key, found):
            return False
        return self._means.guard().refuses(key.resource, key.namespace, key.name) is None

    def report(self, policy: str) -> api.Breaker | None:
        """Return what a policy's status says of its breaker; None while it is closed."""
        return self.breakers.report(policy)

    def everything(self) -> Iterator[tuple[Key, Stamped]]:
        """Yield every stamped object, whether or not its policy still fits."""
        return self._means.objects.all_stamped()

    def incomplete(self) -> str | None:
        """Say what is not known yet, so that it cannot be counted."""
        return self._means.news.ready()

    def breaker_opened(self, policy: str, note: str) -> None:
        """Tell it."""
        log.warning("breaker opened policy=%s note=%s", policy, note)
        self._means.metrics.breaker_opened.labels(policy).inc()
        self._means.teller.tell_policy(policy, Reason.BREAKER_OPEN, note, warn=True)
        self._means.news.breaker_changed()

    def breaker_closed(self, policy: str, note: str) -> None:
        """Tell it."""
        log.info("breaker closed policy=%s note=%s", policy, note)
        self._means.teller.tell_policy(policy, Reason.BREAKER_CLOSED, note)
        self._means.news.breaker_changed()

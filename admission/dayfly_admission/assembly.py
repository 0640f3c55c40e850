"""The webhooks with all that they ask: one client, one way to ask for rights, one set of limits."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from dayfly_admission.claiming import Claiming
from dayfly_admission.disclosure import Disclosure
from dayfly_admission.metrics import Metrics
from dayfly_admission.namespaces import Namespaces
from dayfly_admission.naming import LoopClock, Naming
from dayfly_admission.own_kinds import OwnKinds
from dayfly_admission.permission import Permissions
from dayfly_admission.register import Register
from dayfly_admission.settings import Settings
from dayfly_admission.turnstile import Turnstiles
from dayfly_admission.webhooks import Webhooks
from dayfly_core.guard import Guard
from dayfly_core.intent import Yardstick
from dayfly_core.policies import Policies
from dayfly_core.request import our_users
from dayfly_kube.client import Client


class Clocks(msgspec.Struct, frozen=True):
    """Wall clock for what users see, monotonic seconds for intervals."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]


class Known(msgspec.Struct, frozen=True):
    """What the watches keep current."""

    policies: Callable[[], Policies]
    namespaces: Namespaces
    guard: Callable[[], Guard]


class Assembly(msgspec.Struct, frozen=True):
    """Puts them together."""

    client: Client
    settings: Settings
    clocks: Clocks
    metrics: Metrics
    known: Known

    def endpoints(self) -> tuple[Webhooks, OwnKinds]:
        """Return what answers about other people's objects, and what about our own kinds."""
        permissions, turnstiles = Permissions(self.client), Turnstiles()
        self.metrics.waiting.set_function(lambda: turnstiles.waiting)
        webhooks = Webhooks(
            self.known.policies,
            self.known.namespaces,
            self.clocks.now,
            our_users(self.settings.namespace),
            self._naming(permissions, turnstiles),
        )
        own_kinds = OwnKinds(
            self.known.policies,
            self.known.namespaces,
            None if self.settings.allow_any_target else permissions,
            self._yardstick,
            turnstiles.kinds,
            self.clocks.monotonic,
        )
        return webhooks, own_kinds

    def _naming(self, permissions: Permissions, turnstiles: Turnstiles) -> Naming:
        opted = self.settings.claim_ingress_hosts
        clock = LoopClock(self.clocks.monotonic, self.clocks.now)
        claiming = Claiming(Register(self.client, opted), clock)
        teller = Disclosure(permissions)
        return Naming(claiming, teller, turnstiles, self.metrics.claimed, opted)

    def _yardstick(self) -> Yardstick:
        return Yardstick(
            now=self.clocks.now(),
            guard=self.known.guard(),
            known=self.known.namespaces.known,
            webhooks=self.settings.destinations,
            months=self.settings.months,
        )

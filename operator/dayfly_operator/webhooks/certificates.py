"""The webhook's certificate: filled by whichever replica comes first, kept by the leader."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from dayfly_certs import secrets, store
from dayfly_core import names
from dayfly_kube.client import Client
from dayfly_kube.reflector import Reflector
from dayfly_operator.webhooks.rules import Trust
from dayfly_operator.writing import Gate

log = logging.getLogger(__name__)


def watches(
    client: Client, namespace: str, monotonic: Callable[[], float], changed: Callable[[], None]
) -> tuple[Reflector[str], ...]:
    """Follow the two Secrets, by their names and without what is in them."""
    return tuple(
        Reflector(
            client,
            secrets.path(namespace),
            keep=lambda found: found.metadata.resource_version,
            on_change=lambda _name, _version: changed(),
            field_selector=f"metadata.name={name}",
            monotonic=monotonic,
        )
        for name in (names.CA_SECRET, names.TLS_SECRET)
    )


class Upkeep:
    """Sees to it that the two Secrets are good, and that :class:`Trust` says whom to trust.

    Empty Secrets are filled without asking the gate: each write is compare and swap over what was
    judged, and a cluster whose operator has not found its leader yet needs a certificate too. What
    is filled is the leader's alone: replicas that are told different names, as in the middle of an
    upgrade, would take it from each other.
    """

    def __init__(
        self,
        client: store.Secrets,
        place: tuple[str, Sequence[str]],
        trust: Trust,
        gate: Gate,
        changed: Callable[[], None],
    ) -> None:
        """Take as ``place`` the Secrets' namespace and the names that the certificate is for."""
        self._client = client
        self._namespace, self._names = place
        self._trust = trust
        self._gate = gate
        self._changed = changed

    async def tend(self, now: datetime) -> None:
        """Fill what is empty, and renew what needs it if leading; learn whom to trust."""
        improve = store.ensure if self._gate.holds() else store.fill
        bundle = await improve(self._client, self._namespace, self._names, now)
        if bundle.ca_pem != self._trust.ca_pem:
            self._trust.ca_pem = bundle.ca_pem
            self._changed()

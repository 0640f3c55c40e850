"""The webhook's certificate: filled by whichever replica comes first, kept by the leader."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from dayfly_certs import store
from dayfly_operator.rules import Trust
from dayfly_operator.writing import Gate

log = logging.getLogger(__name__)


class Upkeep:
    """Sees to it that the two Secrets are good, and that :class:`Trust` says whom to trust.

    Not behind the gate: each write is compare and swap over what was judged, and a cluster whose
    operator has not found its leader yet needs a certificate too. A staged change of the CA will be
    a sequence of such steps here, each resumable by the next leader.
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
        """Fill or renew what needs it; followers only until there is a certificate."""
        if self._trust.ca_pem and not self._gate.holds():
            return
        bundle = await store.ensure(self._client, self._namespace, self._names, now)
        if bundle.ca_pem != self._trust.ca_pem:
            self._trust.ca_pem = bundle.ca_pem
            self._changed()

"""Follows the serving Secret: what is good is served from the next handshake on."""

import logging

from dayfly_admission.metrics import Metrics
from dayfly_certs.bundle import Bundle
from dayfly_certs.reload import BadBundle, ServingContext

log = logging.getLogger(__name__)


class Certificate:
    """The context that the server listens with, and why it has nothing to serve if so."""

    def __init__(self, serving: ServingContext, metrics: Metrics) -> None:
        self._serving = serving
        self._metrics = metrics
        self._problem = "the Secret is not there yet"

    @property
    def missing(self) -> str | None:
        """Why there is no certificate, None when there is one."""
        return None if self._serving.loaded else self._problem

    def changed(self, _name: tuple[str, str], bundle: Bundle | None) -> None:
        """Take over a new version; a bad one, or none, leaves in place what is served."""
        if bundle is None:
            log.warning("the serving Secret is gone; its last certificate stays in use")
            return
        try:
            self._serving.load(bundle)
        except BadBundle as error:
            self._problem = str(error)
            self._metrics.bad_bundles.inc()
            log.warning("certificate rejected", extra={"reason": error.reason})
            return
        if end := self._serving.not_after:
            self._metrics.not_after.set(end.timestamp())
            log.info("certificate loaded", extra={"not-after": end.isoformat()})

"""A TLS context whose certificate can be exchanged while it serves.

``load_cert_chain`` on a live context breaks it when the key does not match: every later handshake
is reset. So a bundle is judged, loaded into a context of its own, and only then becomes the one
that the listener's SNI callback hands out: a single assignment, atomic for every handshake.
"""

import ssl
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from dayfly_certs.bundle import Bundle
from dayfly_certs.renewal import defect


class BadBundle(ValueError):
    """The bundle must not be served; what was served before still is."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the serving certificate is not usable: {reason}")
        self.reason = reason


class ServingContext:
    """The listener's context, and the bundle that it serves now.

    Until the first good bundle every handshake fails. ``names``: what the certificate must be good
    for; without, any names will do, because only who signs it knows how servers are called.
    """

    def __init__(self, now: Callable[[], datetime], names: Sequence[str] = ()) -> None:
        self._now = now
        self._names = tuple(names)
        self._current: ssl.SSLContext | None = None
        self.bundle: Bundle | None = None
        self.ssl_context = _server_context()
        self.ssl_context.sni_callback = self._choose

    @property
    def loaded(self) -> bool:
        """Whether there is a certificate to serve."""
        return self.bundle is not None

    def load(self, bundle: Bundle) -> bool:
        """Serve this bundle from the next handshake on; False if it is served already.

        Raises ``BadBundle`` and changes nothing when it is expired, unreadable, not signed by its
        own CA, or certificate and key do not belong together.
        """
        if bundle == self.bundle:
            return False
        reason = defect(bundle, self._names, self._now())
        if reason is not None:
            raise BadBundle(reason)
        self._current = _loaded(bundle)
        self.bundle = bundle
        return True

    def _choose(
        self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext
    ) -> int | None:
        if self._current is None:
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        connection.context = self._current
        return None


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The API server speaks HTTP/1.1 to webhooks, whatever is offered.
    context.set_alpn_protocols(["http/1.1"])
    return context


def _loaded(bundle: Bundle) -> ssl.SSLContext:
    """Make a context of its own; OpenSSL reads keys from files only, so one lives for a moment."""
    context = _server_context()
    with tempfile.TemporaryDirectory(prefix="dayfly-") as directory:  # mode 0700
        path = Path(directory, "pair.pem")
        path.write_bytes(bundle.key_pem + b"\n" + bundle.cert_pem)
        try:
            context.load_cert_chain(path)
        except ssl.SSLError as error:
            raise BadBundle(str(error)) from error
    return context

"""A TLS context whose certificate can be exchanged while it serves.

``load_cert_chain`` on a live context breaks it when the key does not match: every later handshake
is reset. So a bundle is loaded into a context of its own, proves itself there in a handshake in
memory, and only then becomes the one that the listener's SNI callback hands out: a single
assignment, atomic for every handshake.

Only ``ssl`` is used: who serves need not carry what it takes to issue.
"""

import ssl
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dayfly_certs.bundle import Bundle


class BadBundle(ValueError):
    """The bundle must not be served; what was served before still is."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the serving certificate is not usable: {reason}")
        self.reason = reason


class ServingContext:
    """The listener's context, and the bundle that it serves now.

    Until the first good bundle every handshake fails.
    """

    def __init__(self) -> None:
        self._current: ssl.SSLContext | None = None
        self.bundle: Bundle | None = None
        self.not_after: datetime | None = None
        """When the certificate that is served ends, UTC."""
        self.ssl_context = _server_context()
        self.ssl_context.sni_callback = self._choose

    @property
    def loaded(self) -> bool:
        """Whether there is a certificate to serve."""
        return self.bundle is not None

    def load(self, bundle: Bundle) -> bool:
        """Serve this bundle from the next handshake on; False if it is served already.

        Raises ``BadBundle`` and changes nothing when it is expired, unreadable, without names, not
        signed by its own CA, or when certificate and key do not belong together. For which names
        it must be good is not judged: only who signs knows how servers are called.
        """
        if bundle == self.bundle:
            return False
        context, not_after = _proven(bundle)
        self._current, self.bundle, self.not_after = context, bundle, not_after
        return True

    def _choose(
        self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext
    ) -> int | None:
        if self._current is None:
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        connection.context = self._current
        return None


def _proven(bundle: Bundle) -> tuple[ssl.SSLContext, datetime]:
    if not (bundle.ca_pem and bundle.cert_pem and bundle.key_pem):
        raise BadBundle("it is empty, or not complete")
    try:
        context = _loaded(bundle)
        certificate = _seen_by_a_client(context, bundle.ca_pem)
    except ssl.SSLCertVerificationError as error:
        raise BadBundle(error.verify_message) from error
    except (ssl.SSLError, ValueError) as error:
        raise BadBundle(str(error)) from error
    if not certificate.get("subjectAltName"):
        raise BadBundle("it names no DNS name and no address")
    end = ssl.cert_time_to_seconds(certificate["notAfter"])
    return context, datetime.fromtimestamp(end, UTC)


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
        # An empty password, so that an encrypted key is an error and not a question on a terminal.
        context.load_cert_chain(path, password="")
    return context


def _seen_by_a_client(context: ssl.SSLContext, ca_pem: bytes) -> dict[str, Any]:
    """Shake hands in memory, with a client that trusts only this CA; return what it was shown."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.load_verify_locations(cadata=ca_pem.decode("ascii", "ignore"))
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client, server = trusting.wrap_bio(down, up), context.wrap_bio(up, down, server_side=True)
    for _ in range(3):  # TLS 1.3 takes two flights each way, TLS 1.2 three
        for side in (client, server):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return client.getpeercert() or {}

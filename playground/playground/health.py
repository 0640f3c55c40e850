"""Asks a local process whether it is well, as the kubelet would."""

import http.client
import ssl
from contextlib import closing
from urllib.parse import urlsplit

TIMEOUT = 1.0


def complaint(url: str) -> str | None:
    """GET the URL: None if it answers 200, else in a few words what is wrong."""
    try:
        code, body = get(url)
    except (OSError, http.client.HTTPException) as error:
        return f"no answer ({error.__class__.__name__})"
    return None if code == 200 else f"{code}: {body.strip()[:200]}"


def leads(url: str) -> bool:
    """Whether an operator replica itself says that it may act; ``url`` is its ``/readyz``."""
    try:
        code, page = get(url.removesuffix("/readyz") + "/metrics")
    except (OSError, http.client.HTTPException):
        return False
    return code == 200 and "dayfly_leading 1.0" in page.splitlines()


def get(url: str) -> tuple[int, str]:
    """Fetch a small page from a local server; raises OSError or HTTPException."""
    parts = urlsplit(url)
    with closing(connection(parts.scheme, parts.netloc)) as conversation:
        conversation.request("GET", parts.path or "/", headers={"Connection": "close"})
        answer = conversation.getresponse()
        return answer.status, answer.read(65536).decode(errors="replace")


def connection(scheme: str, netloc: str) -> http.client.HTTPConnection:
    """Open nothing yet: the connection of the URL's scheme."""
    if scheme == "http":
        return http.client.HTTPConnection(netloc, timeout=TIMEOUT)
    # Scheduler and controller-manager sign their own certificates; on loopback, a question whose
    # answer is "ok" needs no proof of who gives it.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(netloc, timeout=TIMEOUT, context=context)

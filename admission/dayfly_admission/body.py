"""Reads a request's body while it streams, and no more of it than a review can have."""

import asyncio
from typing import Final

from starlette.types import Message, Receive, Scope

LIMIT: Final = 7 * 1024 * 1024
"""Two objects of at most 3 MB each, and 1 MB around them; as in controller-runtime."""

SECONDS: Final = 10.0
"""Longer than any API server waits for a webhook by default."""


class TooLarge(ValueError):
    """The body is above the limit; the rest of it was not read."""


class Disconnected(ConnectionError):
    """The caller went away, or sent nothing for too long: there is nobody to answer."""


async def read(scope: Scope, receive: Receive) -> bytes:
    """Return the whole body; raises ``TooLarge`` or ``Disconnected``."""
    if _announced(scope) > LIMIT:
        raise TooLarge
    message = await receive()
    # Nearly every review comes in one piece: no list, no join, no timer for those.
    if message["type"] == "http.request" and not message.get("more_body"):
        return bytes(message["body"])
    try:
        async with asyncio.timeout(SECONDS):
            return await _rest(message, receive)
    except TimeoutError as error:
        raise Disconnected from error


async def _rest(message: Message, receive: Receive) -> bytes:
    body = bytearray()
    while True:
        if message["type"] != "http.request":
            raise Disconnected
        body += message.get("body", b"")
        if len(body) > LIMIT:
            raise TooLarge
        if not message.get("more_body"):
            return bytes(body)
        message = await receive()


def _announced(scope: Scope) -> int:
    length = header(scope, b"content-length")
    return int(length[:15]) if length.isdigit() else 0


def header(scope: Scope, name: bytes) -> bytes:
    """Return a header's value, empty when it is missing; ``name`` in lower case."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""

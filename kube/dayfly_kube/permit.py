"""The last question before a request goes out, asked when its connection is there.

Between a call and its first byte there may be a wait: for a credential, for a free connection, for
TCP and TLS. And one call may be sent twice: after a 401, and by aiohttp itself when the server has
closed a connection that it kept. Who may act for a limited time has to be asked after all that.
"""

from collections.abc import Callable

import aiohttp
from aiohttp.connector import Connection

Permit = Callable[[], None]
"""Raises if the request must not be sent any more."""


def asking(permit: Permit) -> type[aiohttp.ClientRequest]:
    """Return the kind of request that asks each time immediately before it is written."""

    class Permitted(aiohttp.ClientRequest):
        async def send(self, conn: Connection) -> aiohttp.ClientResponse:
            permit()
            return await super().send(conn)

    return Permitted

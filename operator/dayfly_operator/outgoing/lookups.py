"""Names to addresses, by the system's resolver, in threads that hold nobody else up.

A name whose servers are dead costs ten seconds and more. In the event loop's own pool, which has
four threads with uvloop, a few such names would keep every other name waiting, the API server's
too. So each name under way has one thread, that nobody waits for at the end of the process.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from dayfly_core.outgoing.address_space import Address

AT_ONCE: Final = 32
"""Names under way; a crowd of dead ones cannot have more threads than that."""

Ask = Callable[[str], tuple[Address, ...]]


def system(name: str) -> tuple[Address, ...]:
    """Ask the system; blocks. Raises OSError."""
    # As bytes: a str would first go through Python's IDNA, which is another reading of the name.
    found = socket.getaddrinfo(name.encode("ascii"), None, type=socket.SOCK_STREAM)
    texts = dict.fromkeys(str(place[0]).partition("%")[0] for *_, place in found)
    return tuple(ip_address(text) for text in texts)


class Lookups:
    """Asks once at a time for each name, whoever wants to know; remembers nothing."""

    def __init__(self, ask: Ask = system) -> None:
        self._ask = ask
        self._under_way: dict[str, asyncio.Future[tuple[Address, ...] | OSError]] = {}

    async def addresses(self, name: str) -> tuple[Address, ...]:
        """Return every address of the name; raises OSError if it has none."""
        found = await asyncio.shield(self._under_way.get(name) or self._start(name))
        if isinstance(found, OSError):
            raise found
        return found

    def _start(self, name: str) -> "asyncio.Future[tuple[Address, ...] | OSError]":
        if len(self._under_way) >= AT_ONCE:
            raise OSError(f"{AT_ONCE} names are being looked up already")
        loop = asyncio.get_running_loop()
        future = self._under_way[name] = loop.create_future()

        def tell(found: tuple[Address, ...] | OSError) -> None:
            del self._under_way[name]
            if not future.cancelled():
                future.set_result(found)

        def look() -> None:
            found = self._found(name)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(tell, found)

        threading.Thread(target=look, name=f"lookup of {name}", daemon=True).start()
        return future

    def _found(self, name: str) -> tuple[Address, ...] | OSError:
        try:
            return self._ask(name) or (OSError(f"{name} has no address"))
        except OSError as error:
            return error

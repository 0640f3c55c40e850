"""Writes down what ended: soon, in groups, and without holding anybody up."""

from typing import Protocol

from dayfly_core.history import Entry


class Store(Protocol):
    """The client's verbs that the history needs."""

    async def get(self, path: str) -> bytes:
        """GET one object, from etcd."""
        ...

    async def replace(self, path: str, body: object) -> bytes:
        """PUT the whole object, over the version that it names."""
        ...


class History:
    """Takes entries, and commits them at most once a second."""

    def __init__(self, store: Store, namespace: str, replica: str) -> None:
        self._store = store
        self._namespace = namespace
        self._replica = replica

    def note(self, entry: Entry) -> None:
        """Take an entry; never waits, never fails. ``replica`` is filled in."""

    async def run(self) -> None:
        """Commit until cancelled."""

    async def finish(self, within: float) -> None:
        """After :meth:`run`: commit what is left, for at most so many seconds."""

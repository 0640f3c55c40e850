"""Which objects list which names, found from either side.

Only the two are kept, so that what lists no name costs nothing; what the objects are, the watches
know.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

from dayfly_core.claim_key import ClaimKey
from dayfly_core.objects import Key


class Route(NamedTuple):
    """An Ingress or HTTPRoute, for what its spec lists: it may carry a host of its own as well."""

    key: Key


Source = Key | Route


class Wanted:
    """An index of names. ``changed`` hears of each name that an object lists or no longer does."""

    def __init__(self, changed: Callable[[ClaimKey], None]) -> None:
        self._changed = changed
        self._keys: dict[Source, tuple[ClaimKey, ...]] = {}
        self._sources: dict[ClaimKey, tuple[Source, ...]] = {}
        self._crowded: set[ClaimKey] = set()
        self._wild: set[ClaimKey] = set()
        self._below: dict[ClaimKey, set[ClaimKey]] = {}
        """What is listed below each wildcard that there could be: when one comes, or goes, nobody
        has to look through all names."""

    def note(self, source: Source, keys: tuple[ClaimKey, ...]) -> None:
        """Take in what an object lists now; nothing, if it is gone."""
        before = self._keys.pop(source, ())
        if not (before or keys):
            return
        if keys:
            self._keys[source] = keys
        for key in frozenset(before).difference(keys):
            self._put(key, tuple(each for each in self._sources[key] if each != source))
        for key in frozenset(keys).difference(before):
            self._put(key, (*self._sources.get(key, ()), source))
        # Also of names that stay: the object itself may be another one by now.
        for key in frozenset((*before, *keys)):
            self._changed(key)

    def sources(self, key: ClaimKey) -> tuple[Source, ...]:
        """Return the objects that list a name."""
        return self._sources.get(key, ())

    @property
    def listed(self) -> Collection[ClaimKey]:
        """Every name that some object lists."""
        return self._sources.keys()

    def contested(self) -> Collection[ClaimKey]:
        """Return the names that may be in conflict: of several objects, or overlapping another."""
        covered = (self._below.get(wildcard, ()) for wildcard in self._wild)
        return self._crowded.union(self._wild, *covered)

    def _put(self, key: ClaimKey, sources: tuple[Source, ...]) -> None:
        if sources:
            self._sources[key] = sources
        else:
            self._sources.pop(key, None)
        _keep(self._crowded, key, wanted=len(sources) > 1)
        _keep(self._wild, key, wanted=key.wildcard and bool(sources))
        for wildcard in key.covering:
            self._place(wildcard, key, wanted=bool(sources))

    def _place(self, wildcard: ClaimKey, key: ClaimKey, *, wanted: bool) -> None:
        below = self._below.setdefault(wildcard, set())
        _keep(below, key, wanted=wanted)
        if not below:
            del self._below[wildcard]


def _keep(keys: set[ClaimKey], key: ClaimKey, *, wanted: bool) -> None:
    if wanted:
        keys.add(key)
    else:
        keys.discard(key)

"""Who is next: those that wait take turns, so that nobody waits behind another's crowd."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)


class Lane(NamedTuple):
    """Whom a key belongs to: parties take turns, and within each of them its places do."""

    party: str
    place: str


def one_lane(_: object) -> Lane:
    """Let all wait in one lane: in order of arrival."""
    return Lane("", "")


class Rota(Generic[K]):
    """Keys that wait, each once. In one lane they go in order of arrival.

    Of two thousand that one policy ends at once and one that another does, the one is second.
    """

    def __init__(self, lane: Callable[[K], Lane]) -> None:
        self._lane = lane
        self._lanes: dict[K, Lane] = {}
        self._parties: OrderedDict[str, OrderedDict[str, OrderedDict[K, None]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._lanes)

    def __contains__(self, key: K) -> bool:
        return key in self._lanes

    def __iter__(self) -> Iterator[K]:
        return iter(self._lanes)

    def add(self, key: K) -> None:
        """Let a key wait, if it does not yet."""
        if key in self._lanes:
            return
        lane = self._lanes[key] = self._lane(key)
        places = self._parties.setdefault(lane.party, OrderedDict())
        places.setdefault(lane.place, OrderedDict())[key] = None

    def discard(self, key: K) -> None:
        """Let it not wait any more."""
        lane = self._lanes.pop(key, None)
        if lane is None:
            return
        places = self._parties[lane.party]
        del places[lane.place][key]
        if not places[lane.place]:
            del places[lane.place]
        if not places:
            del self._parties[lane.party]

    def take(self) -> K:
        """Take the next one out; there has to be one. Its party and place are last from now on."""
        party, places = next(iter(self._parties.items()))
        place, keys = next(iter(places.items()))
        key = next(iter(keys))
        self._parties.move_to_end(party)
        places.move_to_end(place)
        self.discard(key)
        return key

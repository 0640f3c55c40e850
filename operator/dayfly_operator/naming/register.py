"""Who has which name, and who wants it: what the watches know, as the repair of claims asks it.

Names are listed by Namespaces (labels), by stamped objects (annotation ``dayfly.dev/host``) and,
where the administrator opts in, by Ingresses and HTTPRoutes. The last two hold nothing themselves:
their namespace does, so that several of one namespace may share a host.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple, Protocol

from dayfly_core import names, selectors
from dayfly_core.api import Holder, NameClaim
from dayfly_core.claim_key import ClaimKey, key_of
from dayfly_core.claim_repair import Claimant
from dayfly_core.claimants import Demand
from dayfly_core.objects import NAME_CLAIMS, NAMESPACES, Key, ObjectMeta
from dayfly_core.possession import listed
from dayfly_kube.client import Client
from dayfly_kube.reflector import Reflector
from dayfly_operator.naming.routes import Routed, Routes
from dayfly_operator.naming.wanted import Route, Wanted

NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""Later than any creation."""


class Watches(Protocol):
    """What is known of namespaces and stamped objects."""

    def meta(self, key: Key) -> ObjectMeta | None:
        """Return the metadata of one."""
        ...


class Listener(Protocol):
    """Who hears of changes, in the event loop; must not block."""

    def name_changed(self, key: ClaimKey) -> None:
        """Hear of a name that may need a look: who has it, or who wants it."""
        ...

    def mark_changed(self) -> None:
        """Hear that a conflict is noted on some object, or is not any more."""
        ...


class Listing(NamedTuple):
    """One object that lists a name: for whom, and since when it is there."""

    source: Key
    meta: ObjectMeta
    holder: Holder
    written: str


def _demands(key: Key, meta: ObjectMeta) -> tuple[Demand, ...]:
    return listed(key.resource.pair, meta).demands


def holder_of(key: Key, meta: ObjectMeta) -> Holder:
    """Name an object as a claim does."""
    group, version, plural, kind, _ = key.resource
    return Holder(
        group=group,
        version=version,
        resource=plural,
        kind=kind,
        namespace=key.namespace,
        name=key.name,
        uid=meta.uid,
    )


class Register:
    """Answers from memory."""

    def __init__(
        self,
        client: Client,
        watches: Watches,
        routes: Callable[[Callable[[Key, Routed | None], None]], Routes],
        listener: Listener,
        monotonic: Callable[[], float],
    ) -> None:
        """``routes`` makes the watch of Ingresses, given who hears of each."""
        self._watches = watches
        self._listener = listener
        self.wanted = Wanted(listener.name_changed)
        self.marked = set[Key]()
        """Objects on which a conflict is noted, in conflict or not."""
        self.routes = routes(self.route)
        self.reflector: Reflector[NameClaim] = Reflector(
            client,
            NAME_CLAIMS.path(),
            keep=_whole,
            on_change=self._on_claim,
            decode=NameClaim,
            metadata_only=False,
            monotonic=monotonic,
        )
        self._keys: dict[str, ClaimKey] = {}

    # What the watches tell.

    def stamped(self, key: Key, meta: ObjectMeta | None) -> None:
        """Hear of a stamped object that came, changed or went."""
        if meta is None or names.NAME_CONFLICT in meta.annotation_map or key in self.marked:
            self._mark(key)
        demands = _demands(key, meta) if meta else ()
        self.wanted.note(key, tuple(demand.key for demand in demands))

    def namespace(self, name: str, meta: ObjectMeta | None) -> None:
        """Hear of a namespace; what is in it may begin or cease to claim hosts."""
        self.stamped(Key(NAMESPACES, "", name), meta)
        for key, found in self.routes.inside(name):
            self.route(key, found)

    def route(self, key: Key, found: Routed | None) -> None:
        """Hear of an Ingress or HTTPRoute."""
        self._mark(key)
        claims = found is not None and self.claims_in(self._namespace(key.namespace))
        demands = found.demands if found and claims else ()
        self.wanted.note(Route(key), tuple(demand.key for demand in demands))

    def claims_in(self, namespace: ObjectMeta | None) -> bool:
        """Whether hosts of Ingresses in this namespace are claimed."""
        selector = self.routes.selector
        if selector is None or namespace is None:
            return False
        return selectors.matches(selector, namespace.label_map)

    def _mark(self, key: Key) -> None:
        meta = self.meta(key)
        marked = meta is not None and names.NAME_CONFLICT in meta.annotation_map
        if not marked and key not in self.marked:
            return
        if marked:
            self.marked.add(key)
        else:
            self.marked.remove(key)
        self._listener.mark_changed()

    def _on_claim(self, name: tuple[str, str], claim: NameClaim | None) -> None:
        before = self._keys.pop(name[1], None)
        if claim is not None:
            self._keys[name[1]] = key_of(claim)
        for key in {key for key in (before, self._keys.get(name[1])) if key is not None}:
            self._listener.name_changed(key)

    # What the repair asks.

    def claim(self, name: str) -> NameClaim | None:
        """Look one claim up."""
        return self.reflector.items.get(("", name))

    def claims(self) -> Iterable[NameClaim]:
        """Return all claims, as they are now."""
        return tuple(self.reflector.items.values())

    def listed(self) -> Collection[ClaimKey]:
        """Return every name that some object lists."""
        return self.wanted.listed

    def claimants(self, key: ClaimKey) -> Sequence[Claimant]:
        """Return who lists a name: of several Ingresses of one namespace, the oldest counts."""
        oldest: dict[str, Claimant] = {}
        for listing in sorted(self.listings(key), key=_age):
            claimant = Claimant(listing.holder, listing.meta.creation_timestamp, listing.written)
            oldest.setdefault(listing.holder.uid, claimant)
        return tuple(oldest.values())

    def listings(self, key: ClaimKey) -> Iterator[Listing]:
        """Yield the objects that list a name, each for its holder."""
        for source in self.wanted.sources(key):
            if isinstance(source, Route):
                listing = self._route(source.key, key)
            else:
                listing = self._object(source, key)
            if listing:
                yield listing

    def meta(self, key: Key) -> ObjectMeta | None:
        """Return the metadata of anything that lists a name, or did."""
        found = self.routes.find(key)
        return found.meta if found else self._watches.meta(key)

    def _route(self, source: Key, key: ClaimKey) -> Listing | None:
        found, namespace = self.routes.find(source), self._namespace(source.namespace)
        if found is None or namespace is None:
            return None
        written = next((each.written for each in found.demands if each.key == key), "")
        place = Key(NAMESPACES, "", source.namespace)
        return Listing(source, found.meta, holder_of(place, namespace), written)

    def _object(self, source: Key, key: ClaimKey) -> Listing | None:
        meta = self._watches.meta(source)
        if meta is None:
            return None
        demands = _demands(source, meta)
        written = next((each.written for each in demands if each.key == key), "")
        return Listing(source, meta, holder_of(source, meta), written)

    def _namespace(self, name: str) -> ObjectMeta | None:
        return self._watches.meta(Key(NAMESPACES, "", name))


def _age(listing: Listing) -> tuple[datetime, Key]:
    return listing.meta.creation_timestamp or NEVER, listing.source


def _whole(claim: NameClaim) -> NameClaim:
    return claim

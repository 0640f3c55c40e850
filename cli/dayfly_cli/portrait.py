"""Everything Dayfly knows about one object, as lines of (what, value). Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from dayfly_cli.ends import Entry, at, countdown
from dayfly_cli.hindrances import FREE, Hindrance
from dayfly_cli.standing import Said
from dayfly_core import duration, expiry, names
from dayfly_core.api import Enforcement, RenewOn
from dayfly_core.objects import EPHEMERATORS, NAMESPACE_MANAGERS, NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import Policies, Policy
from dayfly_core.violations import shown

Line = tuple[str, str]


class Portrait(msgspec.Struct, frozen=True):
    """One object, its namespace and all policies; None for what there is not or may not be read."""

    entry: Entry
    namespace: ObjectMeta | None
    policies: Policies | None
    now: datetime
    kept: Hindrance = FREE
    said: tuple[Said, ...] = ()
    """What Ephemerators and NamespaceManagers wait for, or why they do nothing."""

    @property
    def matching(self) -> Policy | None:
        """The policy that would decide about the object if it were written now."""
        resource, meta = self.entry.resource, self.entry.meta
        if meta.controlled or self.kept.guarded or self.policies is None:
            return None
        labels: Mapping[str, str] | None = self.namespace.label_map if self.namespace else None
        return self.policies.deciding(resource.pair, meta, labels)

    @property
    def deciding(self) -> Policy | None:
        """The policy of the stamp, as long as it exists, else the one that matches."""
        stamped = self.policies.get(self.entry.policy) if self.policies is not None else None
        return stamped or self.matching

    def lines(self) -> Iterator[Line]:
        """Say what is known, what matters most first."""
        if self.entry.resource in (EPHEMERATORS, NAMESPACE_MANAGERS):
            yield from self._errand()
            return
        yield "ends", self._end()
        if self.said:
            yield "managed", "; ".join(f"{each.by}: {each.sentence}" for each in self.said)
        yield "policy", self._policy()
        yield from self._host()
        yield from self._wishes()
        yield from self._namespace()
        yield "protected", "yes: Dayfly never ends it" if self.entry.meta.protected else "no"
        if self.kept.keeper:
            yield "kept by", self.kept.keeper.note
        yield from self._bounds()
        yield "moved by", self._movers()

    def _errand(self) -> Iterator[Line]:
        """Say what an Ephemerator or a NamespaceManager is going to do."""
        event, ephemerator = self.entry.managed, self.entry.resource == EPHEMERATORS
        if event:
            own = Key(self.entry.resource, self.entry.meta.namespace, self.entry.meta.name)
            what = f"{event.what} {'itself' if event.key == own else event.key}"
            yield "does", f"{what} at {at(event.at)} ({countdown(event.at, self.now)})"
        others = [each.sentence.removeprefix("it does ") for each in self.said]
        if others:
            yield "waits" if event else "does", "; ".join(others)
        if event and ephemerator:
            yield "ends", "by itself, once its namespace is gone"
        yield "moved by", "a change of its spec"

    def _end(self) -> str:
        meta = self.entry.meta
        if meta.deletion_timestamp:
            return "going since " + at(meta.deletion_timestamp)
        if meta.controlled:
            owner = next(o for o in meta.owner_references or () if o.controller)
            return f"with its owner, {owner.kind.lower()}/{owner.name}"
        if self.kept.guarded:
            return f"never: {self.kept.guarded}"
        return self._instant()

    def _instant(self) -> str:
        wish, managed = self.entry.wish, self.entry.managed
        if managed and self.entry.end == managed.at and wish.at != managed.at:
            return f"{at(managed.at)} ({countdown(managed.at, self.now)}), by {managed.by}"
        if wish.at_problem:
            return f"unreadable, so ignored: {wish.at_problem.text}"
        if not wish.at:
            return self._no_end()
        inert = "" if self.entry.policy else "; without a policy nothing comes of it"
        return f"{at(wish.at)} ({countdown(wish.at, self.now)}){inert}"

    def _no_end(self) -> str:
        if self.entry.wish.never:
            return "never, as it asked"
        if self.entry.policy or not self._stamps(self.matching):
            return "not by Dayfly"
        return "soon to be told: the operator stamps it"

    def _stamps(self, policy: Policy | None) -> bool:
        if policy is None or policy.suspended:
            return False
        return expiry.life(policy, self.entry.wish) is not None

    def _policy(self) -> str:
        name = self.entry.policy
        if self.policies is None:
            return f"{name or 'unknown'} (you may not read policies: ClusterRole dayfly-view)"
        if self.kept.guarded:
            return "none has it"
        if not name:
            return self._unstamped(self.matching)
        policy = self.policies.get(name)
        if policy is None:
            return f"{name}, which is gone: nothing comes of the end"
        return name + (_state(policy))

    def _unstamped(self, policy: Policy | None) -> str:
        if policy is None:
            return "none matches"
        if policy.suspended or self._stamps(policy):
            return f"{policy.name} (not stamped yet){_state(policy)}"
        return f"{policy.name}, which stamps only what asks for an end"

    def _host(self) -> Iterator[Line]:
        if self.entry.host:
            yield "host", self.entry.host
        conflict = self.entry.meta.annotation_map.get(names.NAME_CONFLICT)
        if conflict is not None:
            # Whole if it is Dayfly's: it ends with what to do.
            yield "conflict", conflict if conflict.isprintable() else shown(conflict)

    def _wishes(self) -> Iterator[Line]:
        if self.entry.wish.ttl_text is not None:
            yield "asked for", shown(self.entry.wish.ttl_text)
        author = self.entry.meta.annotation_map.get(names.CREATED_BY)
        if author is not None:
            yield "created by", shown(author)

    def _namespace(self) -> Iterator[Line]:
        if self.namespace is None or self.entry.resource == NAMESPACES:
            return
        end = self.entry.namespace_end
        if end:
            first = ", before the object" if self.entry.goes_with_namespace else ""
            yield "namespace", f"{self.namespace.name} ends {at(end)}{first}"
        else:
            yield "namespace", f"{self.namespace.name} has no end"

    def _bounds(self) -> Iterator[Line]:
        policy, created = self.deciding, self.entry.meta.creation_timestamp
        if policy is None or created is None or not self._ending:
            return
        limit = expiry.latest(expiry.Case(policy, self.entry.meta, None, self.now))
        if limit:
            yield "at most", f"{at(limit)}{_why(policy)}"

    @property
    def _ending(self) -> bool:
        """Whether Dayfly ends the object, or would if it asked for an end."""
        return not (self.kept.guarded or self.entry.meta.protected)

    def _movers(self) -> str:
        if self.entry.meta.controlled:
            return "whatever moves its owner's end"
        policy, managed = self.deciding, self.entry.managed
        if policy is None and managed:
            return f"a change of {managed.by}"
        if not self._ending or (policy is None and self.policies is not None):
            return "nothing: Dayfly does not end it"
        renewed = policy is not None and policy.renew_on is RenewOn.GENERATION_CHANGE
        also = "; a change of its spec" if renewed else ""
        extend = "`dayfly extend`" if self.entry.wish.at else "`dayfly extend --from now`"
        return f"{extend}; a changed annotation {names.TTL} or {names.EXPIRES_AT}{also}"


def _state(policy: Policy) -> str:
    if policy.suspended:
        return ", suspended: it ends nothing now"
    if policy.enforcement is Enforcement.AUDIT:
        return ", which only audits: it ends nothing"
    return ""


def _why(policy: Policy) -> str:
    bounds = (policy.maximum, "from now"), (policy.max_total, "from its creation")
    parts = (f"{duration.render(length)} {start}" for length, start in bounds if length)
    return f" ({', '.join(parts)})"

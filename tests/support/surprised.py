"""A policy, the objects it found, and what its breaker hears of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from dayfly_core import api, instant, names
from dayfly_core.actions import Delete
from dayfly_core.objects import NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import Policy, compile_policy
from dayfly_operator.brakes.breaker import Breakers
from dayfly_operator.brakes.surprises import Surprises
from dayfly_operator.policies import Entry
from dayfly_operator.stamped import Stamped

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def a_policy(name: str = "previews", **spec: Any) -> Policy:
    """Make one for namespaces."""
    match = {"resources": [{"apiGroups": [""], "resources": ["namespaces"]}]}
    written = msgspec.convert({"match": match, **spec}, api.ExpiryPolicySpec)
    meta = ObjectMeta(name=name, uid=f"uid-of-{name}", generation=1)
    return compile_policy(api.ExpiryPolicy(metadata=meta, spec=written))


def key_of(number: int) -> Key:
    """Name one of many namespaces."""
    return Key(NAMESPACES, "", f"preview-{number}")


def found(number: int, end: datetime, **annotations: str) -> Stamped:
    """Return a namespace that the operator gave this end."""
    written = {
        names.EXPIRES_AT: instant.render(end),
        names.CAUGHT_UP: instant.render(NOW),
        **annotations,
    }
    meta = ObjectMeta(
        name=f"preview-{number}",
        uid=f"uid-{number}",
        resource_version="1",
        labels={names.POLICY: "previews"},
        annotations=written,
    )
    return Stamped(meta, end)


def announced(number: int, end: datetime) -> Stamped:
    """Return a namespace whose author knows its end."""
    meta = found(number, end).meta
    annotations = {names.EXPIRES_AT: instant.render(end)}
    return Stamped(msgspec.structs.replace(meta, annotations=annotations), end)


@dataclass
class Scene:
    """Everything around the breakers of a few policies."""

    policies: dict[str, Policy] = field(default_factory=lambda: {"previews": a_policy()})
    objects: dict[Key, Stamped] = field(default_factory=dict[Key, Stamped])
    resets: dict[str, str] = field(default_factory=dict[str, str])
    written: dict[str, api.Breaker] = field(default_factory=dict[str, api.Breaker])
    """What the last leader wrote, by policy."""
    now: datetime = NOW
    unknown: str | None = None
    told: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def __post_init__(self) -> None:
        self.surprises = Surprises(self, lambda: self.now)
        self.breakers = self.another()

    def another(self) -> Breakers:
        """Make the breakers of another leader, that knows the same."""
        return Breakers(self.surprises, self.entries, self, lambda: self.now)

    def put(self, number: int, what: Stamped | None) -> None:
        """Let the watch tell of an object."""
        if what is None:
            del self.objects[key_of(number)]
        else:
            self.objects[key_of(number)] = what
        self.surprises.seen(key_of(number), what)

    def surprise(self, count: int, end: datetime = NOW) -> None:
        """Let so many be found."""
        for number in range(count):
            self.put(number, found(number, end))

    def order(self, number: int, due: datetime = NOW, *, surprising: bool = True) -> Delete:
        """Make the order to end one of them."""
        return Delete(key_of(number), f"uid-{number}", "1", due, "previews", surprising)

    def save(self) -> None:
        """Write into each policy's status what is to be written there."""
        reports = {name: self.breakers.report(name) for name in self.policies}
        self.written = {name: report for name, report in reports.items() if report}

    # What the breakers ask.

    def entries(self) -> Mapping[str, Entry]:
        """Return the policies."""
        return {name: self._entry(policy) for name, policy in self.policies.items()}

    def policy(self, name: str) -> Policy | None:
        """Return a policy."""
        return self.policies.get(name)

    def acts(self, key: Key, found: Stamped) -> bool:
        """Spare what is protected."""
        return not found.meta.protected

    def everything(self) -> Iterable[tuple[Key, Stamped]]:
        """Return all objects."""
        return tuple(self.objects.items())

    def incomplete(self) -> str | None:
        """Say what is not known."""
        return self.unknown

    def breaker_opened(self, policy: str, note: str) -> None:
        """Remember it."""
        self.told.append(("opened", note))

    def breaker_closed(self, policy: str, note: str) -> None:
        """Remember it."""
        self.told.append(("closed", note))

    def _entry(self, policy: Policy) -> Entry:
        reset = self.resets.get(policy.name)
        annotations = {names.BREAKER_RESET: reset} if reset else None
        meta = ObjectMeta(name=policy.name, uid=policy.uid, annotations=annotations)
        status = api.ExpiryPolicyStatus()
        if policy.name in self.written:
            status = api.ExpiryPolicyStatus(breaker=self.written[policy.name])
        return Entry(meta, policy, "", status)


def known(policy: Policy, **since: datetime) -> Policy:
    """Return the policy as one whose steps became known then."""
    return replace(policy, known={step.replace("_at_", "@"): at for step, at in since.items()})

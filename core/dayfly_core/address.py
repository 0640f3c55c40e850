"""Which host an object has: given once, with its end, by the policy that gives that; then kept."""

from typing import Final, NamedTuple

from dayfly_core import names
from dayfly_core.claimants import environment_name
from dayfly_core.hosts import Facts, Skipped, render
from dayfly_core.objects import NAMESPACES, ObjectMeta
from dayfly_core.policies import GroupResource, Policy
from dayfly_core.receipts import line

_NAMESPACES: Final = NAMESPACES.pair


class Place(NamedTuple):
    """Where an object is: its kind, its namespace's name, and that namespace if it is known."""

    group_resource: GroupResource
    namespace: str = ""
    around: ObjectMeta | None = None


def given(policy: Policy, meta: ObjectMeta, place: Place) -> str | Skipped | None:
    """Return the host that the policy gives to an object; None if it gives none to anything."""
    if policy.host is None:
        return None
    return render(policy.host.template, policy.host.domain, facts(meta, place))


def facts(meta: ObjectMeta, place: Place) -> Facts:
    """Collect what a template may use. A Namespace counts as its own namespace."""
    group, plural = place.group_resource
    own = place.group_resource == _NAMESPACES
    around = meta if own else place.around
    return Facts(
        # A generated name is not known to the mutating call, hence not to anybody: the judgement
        # of what was stamped, and what the operator catches up with, must come to the same.
        name="" if meta.generate_name else meta.name,
        namespace=meta.name if own else place.namespace,
        environment=environment_name(around) if around else "",
        kind=f"{plural}.{group}".rstrip("."),
    )


class Address(NamedTuple):
    """The host to write, and what its author has to hear of it."""

    host: str | None = None
    skipped: str = ""
    overruled: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """One fact a line."""
        skipped = f"no host given: {self.skipped}" if self.skipped else ""
        return tuple(line(text) for text in (skipped, self.overruled) if text)


def cautions(policy: Policy) -> tuple[str, ...]:
    """Warn the author of a policy whose objects will contend for hosts, one fact a line."""
    if policy.host is None or "{hash}" in policy.host.template.text:
        return ()
    if "{name}" not in policy.host.template.text:
        if policy.resources == frozenset((_NAMESPACES,)):
            return ()
        return (line("spec.host.template has no {name}: only one object can have each host"),)
    if len(policy.resources) == 1:
        return ()
    return (
        line("objects of one name but different kinds get one host: the second is refused"),
        line("add {hash} to spec.host.template, or give hosts by a policy of one kind"),
    )


def first(policy: Policy | None, meta: ObjectMeta, place: Place) -> Address:
    """Address an object that gets its end from this policy; None if it gets none."""
    host = given(policy, meta, place) if policy else None
    if isinstance(host, Skipped):
        return Address(None, host.reason, _overruled(meta, None))
    return Address(host, overruled=_overruled(meta, host))


def kept(meta: ObjectMeta, stored: ObjectMeta) -> Address:
    """Leave an object what it has: discovery, and whoever was told, know it by that."""
    host = stored.annotation_map.get(names.HOST)
    return Address(host, overruled=_overruled(meta, host))


def _overruled(meta: ObjectMeta, host: str | None) -> str:
    """Say that a host which the author wrote does not count."""
    written = meta.annotation_map.get(names.HOST)
    if written is None or written == host:
        return ""
    instead = f"the host is {host}" if host else "it was dropped"
    return f"{names.HOST} is for Dayfly to write: {instead}"

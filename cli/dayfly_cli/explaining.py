"""``dayfly explain``: what is going to happen to one object, and by which rule."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from dayfly_cli import hindrances, managed, snapshot
from dayfly_cli.cluster import Cluster, connected
from dayfly_cli.ends import at, remaining, title
from dayfly_cli.formats import DATA, written
from dayfly_cli.kinds import Target
from dayfly_cli.questions import About, add_about
from dayfly_cli.standing import Said, standing
from dayfly_cli.terminal import OK, Terminal
from dayfly_core import ending, instant, names
from dayfly_core.api import Unit
from dayfly_core.forecast import Foreseen, forecast
from dayfly_core.helm import marks as helm
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.objects import EPHEMERATORS, NAMESPACE_MANAGERS, NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import Policies
from dayfly_core.reasons import Reason
from dayfly_core.simulation import World
from dayfly_core.subject import Plan, Subject
from dayfly_kube.flags import Flags

EXAMPLES = """examples:
  {prog} explain deploy/web
  {prog} explain ns/shop-pr-17 -o json

What is shown follows from the cluster as it is now: whoever extends, wakes or relabels the object
changes it. Nothing is written.
"""


class Explanation(msgspec.Struct, frozen=True):
    """One object, what is decided about it now, and what is to come."""

    key: Key
    plan: Plan
    future: tuple[Foreseen, ...]
    covered: bool
    """Whether any policy has a say in it."""
    release: ReleaseRef | None = None
    """The Helm release that ends with it."""
    said: tuple[Said, ...] = ()
    """What Ephemerators and NamespaceManagers wait for, or why they do nothing."""


def parse(prog: str, argv: Sequence[str]) -> About:
    """Read the command line; raises Misused."""
    return About.of(command_line(prog).parse_args(argv))


def command_line(prog: str) -> Flags:
    """Return the arguments there are; also the source of their reference page."""
    flags = Flags(
        f"{prog} explain",
        "Show what will happen to one object, when, and which rule each step comes from.",
        EXAMPLES.format(prog=prog),
    )
    add_about(flags)
    return flags


async def run(terminal: Terminal, argv: Sequence[str]) -> int:
    """Print it."""
    options = parse(terminal.prog, argv)
    async with connected(options.connection, terminal.environ) as cluster:
        explained = await _explained(cluster, options.target, terminal)
    if options.output in DATA:
        terminal.say(written(as_data(explained), options.output))
        return OK
    for line in lines(explained, terminal.now()):
        terminal.say(line)
    return OK


async def _explained(cluster: Cluster, target: Target, terminal: Terminal) -> Explanation:
    resource = await cluster.find(target)
    meta = await cluster.read(resource, target.name)
    namespace = await cluster.namespace_meta() if meta.namespace else None
    policies = await snapshot.policies(cluster, terminal)
    guard = await hindrances.guard(cluster)
    subject = Subject(Key(resource, meta.namespace, meta.name), meta, namespace)
    plan = ending.plan(subject, policies, guard, terminal.now())
    covered = names.POLICY in meta.label_map or bool(
        policies.deciding(subject.group_resource, meta, subject.namespace_labels)
    )
    found = await managed.managers(cluster, guard, everywhere=False)
    players = found.about(subject.key)
    objects = {**await managed.targets(cluster, players), **_around(subject)}
    world = World(terminal.now(), objects, policies, guard, players)
    said = tuple(standing(found, subject.key, world))
    foreseen = forecast(subject.key, world)
    return Explanation(subject.key, plan, foreseen, covered, _release(meta, policies), said)


def _release(meta: ObjectMeta, policies: Policies) -> ReleaseRef | None:
    policy = policies.get(meta.label_map.get(names.POLICY, ""))
    return helm.release_of(meta) if policy and policy.unit is Unit.RELEASE else None


def _around(subject: Subject) -> dict[Key, ObjectMeta]:
    """Return what the future of one object depends on: itself, and its namespace."""
    ours = subject.key.resource in (EPHEMERATORS, NAMESPACE_MANAGERS)
    found = {} if ours else {subject.key: subject.meta}
    if subject.namespace:
        found[Key(NAMESPACES, "", subject.namespace.name)] = subject.namespace
    return found


def lines(explained: Explanation, now: datetime) -> Iterator[str]:
    """Write it for a person."""
    key = explained.key
    yield title(key.resource, key.name) + (f" in {key.namespace}" if key.namespace else "")
    yield from (f"  {each.by}: {each.sentence}" for each in explained.said)
    if not explained.future:
        if not explained.said:
            yield f"  nothing will happen to it: {_why_nothing(explained)}"
        return
    rows = [(at(step.at), _when(step.at, now), step.what, _rule(step)) for step in explained.future]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield ("  " + "   ".join(cells)).rstrip()
    if explained.release:
        yield f"  with the last of its objects ends the whole Helm release {explained.release}"


def _when(when: datetime, now: datetime) -> str:
    return f"in {remaining(when, now)}" if when > now else "now"


def _rule(step: Foreseen) -> str:
    return f"{step.rule} of {step.by}"


def _why_nothing(explained: Explanation) -> str:
    plan = explained.plan
    if not explained.covered and plan.reason in (Reason.NO_POLICY, Reason.INERT):
        return (
            "no ExpiryPolicy covers it, so its annotations have no effect; "
            "`kubectl get expirypolicies` lists all"
        )
    return f"{plan.note} ({plan.reason})" if plan.note else plan.reason


def as_data(explained: Explanation) -> dict[str, Any]:
    """Return what ``-o json`` prints."""
    key, plan = explained.key, explained.plan
    return {
        "apiVersion": key.resource.api_version,
        "kind": key.resource.kind,
        "namespace": key.namespace or None,
        "name": key.name,
        "reason": plan.reason,
        "note": plan.note or None,
        "release": str(explained.release) if explained.release else None,
        "steps": [
            {
                "at": instant.render(step.at),
                "what": step.what,
                "rule": step.rule,
                "by": step.by,
            }
            for step in explained.future
        ],
        "waits": [{"by": each.by, "sentence": each.sentence} for each in explained.said],
    }

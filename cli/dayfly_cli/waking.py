"""``dayfly wake``: brings back what was scaled down at its end, as the person who asks for it."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from dayfly_cli import staying
from dayfly_cli.cluster import Cluster, connected
from dayfly_cli.ends import Entry, as_data, at, countdown
from dayfly_cli.formats import DATA, written
from dayfly_cli.questions import About, add_about
from dayfly_cli.terminal import OK, Failed, Terminal
from dayfly_core import instant, names, waking
from dayfly_core.objects import NAMESPACES, ObjectMeta, Resource
from dayfly_kube.errors import ApiError
from dayfly_kube.flags import Flags

LOOKS: Final = 60
LOOK_EVERY: Final = 0.5
"""Seconds between looks whether the operator has done it: half a minute in all."""

REVIEWS: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

EXAMPLES = """examples:
  {prog} wake ns/shop-pr-17         all that was scaled down in the namespace comes back
  {prog} wake deploy/web -n shop
  {prog} wake ns/shop-pr-17 --no-wait

What is awake keeps its end; to move that, there is {prog} extend.
Whoever may not change the Namespace itself asks by a Stay in it, which this command creates then.
The same by kubectl:
  kubectl annotate ns shop-pr-17 --overwrite dayfly.dev/wake-requested="$(date -u +%FT%TZ) jane"
"""


class Options(msgspec.Struct, frozen=True):
    """The command line, read."""

    about: About
    wait: bool
    dry_run: bool


def parse(prog: str, argv: Sequence[str]) -> Options:
    """Read the command line; raises Misused."""
    parsed = command_line(prog).parse_args(argv)
    return Options(About.of(parsed), not parsed.no_wait, parsed.dry_run)


def command_line(prog: str) -> Flags:
    """Return the arguments there are; also the source of their reference page."""
    flags = Flags(
        f"{prog} wake",
        "Bring back what a policy has scaled down, with as many replicas as it had.",
        EXAMPLES.format(prog=prog),
    )
    flags.add_argument("--no-wait", action="store_true", help="ask, and do not wait for it")
    flags.add_argument("--dry-run", action="store_true", help="ask the server, change nothing")
    add_about(flags)
    return flags


async def run(terminal: Terminal, argv: Sequence[str]) -> int:
    """Ask for it, wait until it is done, and say when it ends now."""
    options = parse(terminal.prog, argv)
    async with connected(options.about.connection, terminal.environ) as cluster:
        resource = await cluster.find(options.about.target)
        before = await cluster.read(resource, options.about.target.name)
        if resource != NAMESPACES and names.SCALED_BY not in before.annotation_map:
            terminal.warn(f"{Entry(resource, before).title} is awake: nothing was scaled down")
            return OK
        if names.POLICY not in before.label_map:
            title = Entry(resource, before).title
            raise Failed(f"no policy covers {title}, so none has scaled it down or can wake it")
        after = await _wake(cluster, resource, before, options, terminal)
    if options.about.output in DATA:
        data = as_data(Entry(resource, after), terminal.now())
        terminal.say(written(data, options.about.output))
    else:
        terminal.say(_told(Entry(resource, after), Entry(resource, before), options, terminal))
    return OK


async def _wake(
    cluster: Cluster, resource: Resource, meta: ObjectMeta, options: Options, terminal: Terminal
) -> ObjectMeta:
    request = f"{instant.render(terminal.now())} {await _user(cluster)}".rstrip()
    try:
        await _annotate(cluster, resource, meta, request, dry_run=options.dry_run)
    except ApiError as error:
        if not staying.may_stand_in(resource, error):
            raise
        stay = await staying.ask(
            cluster, meta.name, {"wake": True}, dry_run=options.dry_run, wait=options.wait
        )
        terminal.warn(f"you may not change {meta.name} itself: asked by stay/{stay} in it")
    if options.dry_run or not options.wait:
        return await cluster.read(resource, meta.name)
    return await _woken(cluster, resource, meta.name)


async def _user(cluster: Cluster) -> str:
    """Ask who one is; a server that does not say leaves it open."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        answer = await cluster.client.create(REVIEWS, review)
    except ApiError:
        return ""
    return str(msgspec.json.decode(answer)["status"].get("userInfo", {}).get("username", ""))


async def _annotate(
    cluster: Cluster, resource: Resource, meta: ObjectMeta, request: str, *, dry_run: bool
) -> None:
    # No version: two who ask at once want the same, and the operator may be writing its steps.
    body = {"metadata": {"uid": meta.uid, "annotations": {names.WAKE_REQUESTED: request}}}
    params = {"dryRun": "All"} if dry_run else {}
    await cluster.client.merge_patch(resource.path(meta.namespace, meta.name), body, params=params)


async def _woken(cluster: Cluster, resource: Resource, name: str) -> ObjectMeta:
    for _ in range(LOOKS):
        meta = await cluster.read(resource, name)
        if not waking.request(meta):
            return meta
        await asyncio.sleep(LOOK_EVERY)
    raise Failed(
        f"{name} has not woken up in {LOOKS * LOOK_EVERY:.0f} s; it is asked for and not lost: "
        "does an operator lead? `kubectl -n dayfly-system get lease dayfly-operator` says who"
    )


def _told(entry: Entry, before: Entry, options: Options, terminal: Terminal) -> str:
    if options.dry_run:
        return f"{entry.title} would wake up (dry run)"
    end = entry.end
    # What was awake keeps its end, and so does what its policy does not let live anew.
    verb = "still ends" if options.wait and end == before.end else "ends"
    ends = f"; it {verb} {at(end)} ({countdown(end, terminal.now())})" if end else ""
    return f"{entry.title} {'is awake' if options.wait else 'is asked to wake up'}{ends}"

"""Whether a series of kills left everything done, and done once."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from dayfly_core import history, names
from dayfly_core.objects import CONFIG_MAPS
from dayfly_operator.chores import REST
from dayfly_operator.tempo import HISTORY_LONGEST_GAP
from playground.audit import AuditEvent
from playground.spans import Span, covered
from playground.tenure import Tenure, by_nobody, tenures
from support.deeds import POST, Deed
from support.fates import Deal
from support.kills import Kill, Series

LOSS: Final = timedelta(seconds=0.4)
"""What a killed process may not have written yet of its history, beside the time of requests."""
HISTORY: Final = f"{names.HISTORY_CONFIG_MAP}-"


EARLY: Final = 0.1
"""Of all calls."""

UNDER_WAY: Final = timedelta(seconds=0.6)
"""From a leader's own deadline to the end of its Lease: nobody else can act before that."""


def wrong(series: Series) -> Iterator[str]:
    """Describe what was not done once, or done by a replica that did not lead."""
    deeds, fate = series.tail.deeds, series.fate
    yield from unequal("deleted", fate.deleted, deeds, "delete ")
    yield from unequal("scaled down", fate.rested, deeds, "rest ")
    yield from unequal("woken", fate.woken, deeds, "wake ")
    yield from unequal("warned", fate.warned, deeds, "warn ")
    yield from torn(deeds)
    yield from _calls(series)
    still = series.stalls.spans
    yield from called_by_nobody(deeds, tenures(series.tail.events), still)
    yield from by_nobody(series.tail.events, UNDER_WAY, still)


def unequal(
    what: str, expected: Mapping[str, str], deeds: list[Deed], prefix: str
) -> Iterator[str]:
    """Describe what was done another number of times than once.

    Whoever is killed leaves requests of which nobody knows whether they were carried out. All that
    were not refused name the same version of their object: so one was, and no other can have been.
    """
    done: dict[str, list[Deed]] = {uid: [] for uid in expected}
    for deed in deeds:
        if deed.what.startswith(prefix):
            done.setdefault(deed.uid, []).append(deed)
    for uid, found in done.items():
        if uid not in expected or not _once(found):
            yield f"{expected.get(uid)} (uid {uid}) was not {what} once: {found}"


SHARED: Final = ("deployments", "services")
"""What Kubernetes' own controllers write too, so that a second attempt may name another version. It
is told by what it says itself: that there still was something to delete, to scale down, to wake."""


def _once(found: list[Deed]) -> bool:
    if not found or sum(not deed.doubtful for deed in found) > 1:
        return False
    return found[0].what.endswith(SHARED) or len({deed.version for deed in found}) == 1


def torn(deeds: list[Deed]) -> Iterator[str]:
    """Describe workloads of one namespace that were not scaled down by one occurrence."""
    ids: dict[str, set[str]] = {}
    for deed in deeds:
        if deed.what.startswith("rest "):
            ids.setdefault(deed.actor, set()).add(deed.id)
    for actor, found in ids.items():
        if len(found) != 1 or "" in found:
            yield f"{actor} was scaled down by {sorted(found)}"


def _calls(series: Series) -> Iterator[str]:
    """Describe calls that never came, came with another key or body, or came unrecorded."""
    posts = [deed for deed in series.tail.deeds if deed.what == POST]
    heard = {(h.headers["Idempotency-Key"], h.body) for h in series.inbox.heard}
    for actor in sorted(series.fate.called | {deed.actor for deed in posts}):
        keys = {deed.id for deed in posts if deed.actor == actor}
        bodies = {body for key, body in heard if key in keys}
        if (len(keys), len(bodies)) != (1, 1) or actor not in series.fate.called:
            yield f"{actor} was called with the keys {sorted(keys)} and {len(bodies)} bodies"
    yield from hasty(series.tail.deeds)


PENDING: Final = ("pending configmaps", "warn configmaps", "status Pending namespacemanagers")


def hasty(deeds: Sequence[Deed]) -> Iterator[str]:
    """Describe calls that came before it was recorded that they are about to be made.

    The API server answers, and takes the time of it after that: a few may come in between.
    """
    called, recorded = first(deeds, POST), first(deeds, *PENDING)
    early = list[str]()
    for actor, call in called.items():
        record = recorded.get(actor)
        if record is None or call.at < record.since:
            yield f"{actor} was called before anything was recorded: {call}, {record}"
        elif call.at < record.at:
            early.append(actor)
    if len(early) > len(called) * EARLY:
        yield f"of {len(called)}, these were called while that was being recorded: {early}"


def first(deeds: Sequence[Deed], *what: str) -> dict[str, Deed]:
    """Return the first of these deeds, by actor."""
    mine = sorted((deed for deed in deeds if deed.what in what), key=lambda deed: deed.at)
    return {deed.actor: deed for deed in reversed(mine)}


def called_by_nobody(
    deeds: list[Deed], history: Sequence[Tenure], still: Sequence[Span] = ()
) -> Iterator[str]:
    """Describe calls that came when no replica led: a request does not say whose it is."""
    for deed in deeds:
        place = bisect_right(history, deed.at, key=lambda tenure: tenure.since) - 1
        if deed.what != POST or place < 0:
            continue
        closed = history[place].valid_until
        if deed.at > closed + UNDER_WAY + covered(still, closed, deed.at):
            yield f"{deed.actor} was called at {deed.at}, when nobody led"


def reached(series: Series) -> Counter[tuple[str, str]]:
    """Count how far each object of its run had come when a leader was killed."""
    found = Counter[tuple[str, str]]()
    for kill in series.kills:
        for actor in _at_stake(series, kill.run):
            mine = [deed for deed in series.tail.deeds if deed.actor == actor]
            found[actor.partition("-")[0], _state(mine, kill.at)] += 1
    return found


def _at_stake(series: Series, run: int) -> Iterator[str]:
    """Yield what was sown for a run, and what was woken in it."""
    woken = set(series.fate.woken.values())
    for actor in {deed.actor for deed in series.tail.deeds}:
        if f"-{run:04}" in actor or (f"-{run - 2:04}" in actor and actor in woken):
            yield actor


def _state(deeds: list[Deed], at: datetime) -> str:
    """Say what was done last, and what was asked but not answered."""
    last = max((d for d in deeds if d.at <= at), key=lambda d: d.at, default=None)
    asked = next((f", during {d.what}" for d in deeds if d.since <= at < d.at), "")
    return f"after {last.what}{asked}" if last else f"before anything{asked}"


async def missing(series: Series) -> dict[tuple[str, str], Deed]:
    """Return what the history does not tell, with the deed that it should tell of."""
    entries = await told(series)
    mine = Counter((entry.uid, entry.action) for entry in entries)
    twice = {key for key in series.fate.told if mine[key] > 1}
    assert not twice, f"told more than once: {twice}"
    absent = {key: deal for key, deal in series.fate.told.items() if not mine[key]}
    return {key: _last(series, deal) for key, deal in absent.items()}


def _last(series: Series, deal: Deal) -> Deed:
    done = (deed for deed in series.tail.deeds if Deal(deed.actor, deed.what) == deal)
    return max(done, key=lambda deed: deed.at)


async def told(series: Series) -> list[history.Entry]:
    """Read the history."""
    pages = list[history.Page]()
    for slot in range(history.SLOTS):
        path = CONFIG_MAPS.path(names.SYSTEM_NAMESPACE, history.slot_name(slot))
        stored = msgspec.json.decode(await series.client.get(path))
        pages.append(history.page(slot, stored.get("data")))
    return list(history.read(pages).entries)


def idle(series: Series, replica: str) -> list[Span]:
    """Return when a replica could do nothing."""
    return [*series.stalls.spans, *series.pauses.get(replica, ())]


def is_excused(
    deed: Deed, kills: list[Kill], events: Sequence[AuditEvent], idle: Sequence[Span] = ()
) -> bool:
    """Whether its replica was killed before it had to have written the entry.

    It writes again soon after the request that is under way, and that may take its time; after one
    that took long it rests the longer. Nor does it write while it stands still.
    """
    ends = [kill.at for kill in kills if kill.replica == deed.replica]
    pages = [e for e in events if e.sender == deed.replica and HISTORY in e.object_ref.name]
    return any(
        deed.since - LOSS - covered(idle, at, deed.since) < at
        and at - deed.at - covered([*idle, *map(_span, pages)], deed.at, at)
        < LOSS + _rest(pages, idle, at)
        for at in ends
    )


def _span(event: AuditEvent) -> Span:
    return Span(event.request_received_timestamp, event.stage_timestamp)


def _rest(writes: Sequence[AuditEvent], idle: Sequence[Span], before: datetime) -> timedelta:
    """Return how long the pause may be after those of the last seconds that took longest."""
    since = before - timedelta(seconds=3)
    times = (
        each.stage_timestamp - each.request_received_timestamp
        for each in writes
        if since < each.stage_timestamp <= before
    )
    stood = (span.until - span.since for span in idle if since < span.until and span.since < before)
    took = max(times, default=timedelta()) + max(stood, default=timedelta())
    return min(timedelta(seconds=HISTORY_LONGEST_GAP), REST * took)

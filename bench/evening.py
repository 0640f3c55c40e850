"""2,000 announced ends at one instant, of every sort, and what comes due while they are served."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Final

from bench.crowd import Crowd, Sort, mix, sown
from bench.deeds import Deeds, at_once, ends
from bench.meadow import POLICY, Meadow, administrator, head_start
from bench.table import Figure, at_most
from dayfly_kube.client import Client
from playground import ControlPlane
from playground.audit import AuditEvent
from playground.lags import OPERATOR

RATE: Final = 50
"""DELETEs a second, and as many at once: the default of ``--max-deletes-per-second``."""

WARNED: Final = timedelta(seconds=30)
TIMELINE = f"""
  timeline:
    - {{at: -{WARNED.seconds}s, action: {{type: NOTIFY}}}}
    - {{at: 0s, action: {{type: DELETE}}}}
"""
FRESH: Final = dict.fromkeys(Sort, 5)
"""So many are made in the middle; and as many before, for comparison."""

FRESH_ONES: Final = sum(FRESH.values())
PATIENCE: Final = 3
"""Times as long as the pace would take, the ends have."""

SOON: Final = timedelta(seconds=4)
QUIET: Final = timedelta(seconds=10)


def measured(field: Meadow, *, quick: bool) -> Iterator[Figure]:
    """Let a tenth, or all, of the crowd end."""
    field.plane.apply(POLICY + TIMELINE.strip("\n"))
    evening = asyncio.run(_evening(field.plane, 200 if quick else 2_000))
    yield from evening.figures()


async def _evening(plane: ControlPlane, count: int) -> "Evening":
    async with administrator(plane) as client:
        since = plane.audit_log.position()
        idle = await _fresh(client, "idle")
        await _until(idle.due + QUIET)
        head = await head_start(client, count)
        crowd = await sown(client, "evening", mix(count), head, WARNED)
        await _until(crowd.due + timedelta(seconds=count / RATE / 3))
        fresh = await _fresh(client, "fresh")
        await _until(fresh.due)
        await _executed(plane, since, count + 2 * FRESH_ONES, PATIENCE * count / RATE)
        return Evening(list(plane.audit(since)), crowd, idle, fresh)


async def _fresh(client: Client, name: str) -> Crowd:
    """Create a few of each sort that end soon."""
    return await sown(client, name, FRESH, SOON, timedelta())


async def _executed(plane: ControlPlane, since: int, count: int, seconds: float) -> None:
    """Wait until so many were deleted, by the audit log: to ask would cost the API server time."""
    end = datetime.now(UTC) + timedelta(seconds=seconds)
    while sum(map(ends, plane.audit(since))) < count and datetime.now(UTC) < end:  # noqa: ASYNC110
        await asyncio.sleep(5)


async def _until(moment: datetime) -> None:
    await asyncio.sleep((moment - datetime.now(UTC)).total_seconds())


@dataclass(frozen=True, slots=True)
class Evening:
    """What everybody did, by the audit log."""

    events: Sequence[AuditEvent]
    crowd: Crowd
    idle: Crowd
    fresh: Crowd

    def figures(self) -> Iterator[Figure]:
        """Compare with the pace, the order, and the idle system."""
        deeds = Deeds.of(e for e in self.events if e.user.username == OPERATOR)
        lags = deeds.lags(self.crowd)
        yield self._executed(lags)
        yield self._paced(deeds)
        yield self._refused()
        yield self._ordered(deeds)
        yield from (self._served(sort, deeds, max(lags, default=inf)) for sort in Sort)

    def _executed(self, lags: Sequence[float]) -> Figure:
        count, last = len(self.crowd.endings), max(lags, default=inf)
        target, met = at_most(last, 1.2 * count / RATE, " s")
        return Figure(
            "evening",
            f"announced ends at one instant ({self.crowd}): executed, the last after",
            f"{RATE} a second: {count / RATE:.0f} s",
            f"{len(lags):,} of {count:,}, {last:.1f} s",
            f"all, {target}",
            met and len(lags) == count,
        )

    def _paced(self, deeds: Deeds) -> Figure:
        """Of ends: that an Ephemerator goes after its Namespace takes nothing away."""
        found = (deeds.deleted(each) for crowd in self._crowds() for each in crowd.endings)
        worst = at_once((at for at in found if at), RATE)
        target, met = at_most(worst, 1.2 * RATE)
        what = f"DELETEs beyond {RATE} a second, at the worst moment"
        return Figure("evening", what, f"burst {RATE}", f"{worst:.0f}", target, met)

    def _crowds(self) -> tuple[Crowd, ...]:
        return self.idle, self.crowd, self.fresh

    def _refused(self) -> Figure:
        asked = [e for e in self.events if e.user.username == OPERATOR]
        refused = sum(e.code == 429 for e in self.events)
        what, told = (
            "answers 429 of the API server, to anybody",
            f"{refused} ({len(asked):,} asked)",
        )
        return Figure("evening", what, "the operator's requests", told, "0", not refused)

    def _ordered(self, deeds: Deeds) -> Figure:
        wrong = [each for each in self.crowd.endings if not deeds.in_order(each)]
        named = ", ".join(f"{each.target} {deeds.order(each)}" for each in wrong[:3])
        return Figure(
            "evening",
            "objects whose acts were done twice, or in another order",
            "warning or record, DELETE, record",
            f"{len(wrong)} of {len(self.crowd.endings):,}" + (f": {named}" if named else ""),
            "0",
            not wrong,
        )

    def _served(self, sort: Sort, deeds: Deeds, last: float) -> Figure:
        fresh, idle = (_worst(deeds, crowd, sort) for crowd in (self.fresh, self.idle))
        busy = max(0.0, last - (self.fresh.due - self.crowd.due).total_seconds())
        target, met = at_most(fresh, round(busy + idle + 1, 1), " s")
        return Figure(
            "evening",
            f"{sort} made and due in the middle: DELETE after the end, the worst of 5",
            f"idle {idle:.2f} s; ends due before are served for {busy:.1f} s more",
            f"{fresh:.2f} s",
            f"{target}: after those that were due before",
            met,
        )


def _worst(deeds: Deeds, crowd: Crowd, sort: Sort) -> float:
    lags = deeds.lags(crowd, sort)
    return max(lags) if len(lags) == FRESH[sort] else inf

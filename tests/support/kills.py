"""A series of runs in which the leader is killed while an object for every action is due."""

import asyncio
import random
import signal
from asyncio import StreamReader, StreamWriter
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from dayfly_core import names
from dayfly_core.objects import NAMESPACES
from dayfly_core.outgoing.outbox import KEY_HEADER
from dayfly_kube.client import Client
from dayfly_kube.errors import ApiError
from playground import System
from playground.process import Process
from playground.spans import Span
from support.deeds import POST, Deed, Tail
from support.doomed import AHEAD, COSTLY, Sower
from support.fates import Deal, Fate, Hope
from support.kill_places import PLACES, Json, is_governed
from support.plots import administrator, at_once, delete, now, until, until_time
from support.receivers import OK, Heard, Receiver, receiver
from support.stalls import Stalls

SIGHT: Final = 15.0
"""Seconds within which the moment of a kill comes."""


class Moment(NamedTuple):
    """The deed after which the leader is killed."""

    role: str
    what: str


BY_CHANCE: Final = Moment("", "by chance")

STEPS: Final = {
    "plain": ("delete configmaps",),
    "over": ("delete namespaces",),
    "rest": ("rest deployments", "wake deployments"),
    "asleep": ("rest deployments", "rest cronjobs", "outcome namespaces"),
    "asleep ": ("wake deployments", "woken namespaces"),
    "warn": ("warn configmaps",),
    "tell": ("warn configmaps", POST, "outcome configmaps"),
    "call": ("pending configmaps", POST, "outcome configmaps", "delete configmaps"),
    "release": ("mark secrets", "mark deployments", "delete deployments", "delete secrets"),
    "eph": ("status Pending ephemerators", "mark namespaces", "delete namespaces"),
    "eph ": ("delete ephemerators",),
    "mover": ("status Pending namespacemanagers", "mark namespaces", "delete namespaces"),
    "mover ": ("status Done namespacemanagers", "deactivate namespacemanagers"),
    "mrest": ("status Pending namespacemanagers", "rest deployments"),
    "mrest ": ("status Done namespacemanagers", "deactivate namespacemanagers"),
    "mcall": ("status Pending namespacemanagers", POST, "status Done namespacemanagers"),
    "mwarn": ("warn namespaces", "status Done namespacemanagers"),
}
MOMENTS: Final = (
    *(Moment(role.strip(), what) for role, deeds in STEPS.items() for what in deeds),
    *[BY_CHANCE] * 8,
)
"""By chance it is before, between or during the deeds of all others that are due."""

SLICE: Final = 0.002
PAUSE: Final = 0.006
"""In slow motion a leader works for so many seconds, and stands still for so many."""


def before(moment: Moment) -> Moment | None:
    """Return the deed that comes before one, of the same object."""
    for role, deeds in STEPS.items():
        if role.strip() == moment.role and moment.what in deeds[1:]:
            return Moment(moment.role, deeds[deeds.index(moment.what) - 1])
    return None


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: in which run, after which deed, when, and of which replica."""

    run: int
    moment: Moment
    at: datetime
    replica: str


def killed(process: Process) -> None:
    """Kill it, and start it again."""
    process.kill()
    process.start()


@dataclass(slots=True)
class Series:
    """Runs one after the other; each sows while the next leader is awaited."""

    system: System
    client: Client
    tail: Tail
    chance: random.Random
    stalls: Stalls
    inbox: Receiver = field(init=False)
    fate: Fate = field(default_factory=Fate)
    kills: list[Kill] = field(default_factory=list[Kill])
    begun: int = 0
    """How many deeds there were when the run began."""
    awaited: tuple[int, str] = 0, ""
    """In which run a request for which role kills the leader before it is answered."""
    struck: asyncio.Event = field(default_factory=asyncio.Event)
    pauses: dict[str, list[Span]] = field(
        default_factory=lambda: defaultdict[str, list[Span]](list)
    )
    """By replica: when it stood still, and did not know."""
    blow: Callable[[Process], None] = killed
    """What is done to the leader, who may stand still."""

    async def governed(self) -> None:
        """Wait until the policies are in force."""
        for role in PLACES:
            await until(partial(is_governed, self.client, role))

    async def tidy(self) -> None:
        """Delete the namespaces that were not to end."""
        left = (name for uid, name in self.fate.spaces.items() if uid not in self.fate.deleted)
        await at_once(partial(delete, self.client, NAMESPACES.path(name=n)) for n in left)

    async def run(self, number: int, moment: Moment) -> None:
        """Sow, wake what an earlier run has put to rest, and kill the leader at its moment."""
        due = now() + AHEAD
        self.tail.follow()
        self.begun = len(self.tail.deeds)
        self.struck.clear()
        self.awaited = number, moment.role if moment.what == POST else ""
        kept = {moment.role, self.chance.choice(COSTLY)}
        omitted = frozenset(COSTLY) - kept
        await Sower(self.client, number, due, self.fate, omitted).sow()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._wake(f"-{number - 2:04}", due))
            await self._kill(number, moment, due)

    async def _kill(self, number: int, moment: Moment, due: datetime) -> None:
        if moment != BY_CHANCE:
            # Kubernetes' own part may take long: then the leader is killed all the same.
            with suppress(TimeoutError):
                async with asyncio.timeout(SIGHT):
                    return await self._kill_at(number, moment)
        self.awaited = 0, ""
        await until_time(due + timedelta(seconds=self.chance.uniform(-0.05, 0.4)))
        self.tail.follow()
        return self._strike(number, BY_CHANCE, self.tail.holder)

    async def _kill_at(self, number: int, moment: Moment) -> None:
        if moment.what == POST:
            await self.struck.wait()
            return
        last = before(moment)
        if last and last.what != POST and self.chance.random() < 0.5:
            return await self._kill_slowly(number, moment, await self._seen(last))
        seen = await self._seen(moment)
        if self.chance.random() < 0.5:
            await asyncio.sleep(self.chance.uniform(0, 0.01))
        self._strike(number, moment, seen.replica)

    async def _kill_slowly(self, number: int, moment: Moment, last: Deed) -> None:
        """Kill it when the deed is done and it does not know: it stands still meanwhile."""
        process = self._process(last.replica)
        while True:
            if seen := await self._glimpsed(process, moment):
                return self._strike(number, moment, seen.replica)
            await asyncio.sleep(SLICE)

    async def _glimpsed(self, process: Process, moment: Moment) -> Deed | None:
        """Look for the deed while the leader stands still; it goes on if there is none."""
        begun, seen = now(), None
        process.kill(signal.SIGSTOP)
        try:
            await asyncio.sleep(PAUSE)
            seen = self._look_for(moment)
        finally:
            if seen is None:
                process.kill(signal.SIGCONT)
            self.pauses[process.name].append(Span(begun, now()))
        return seen

    async def _seen(self, moment: Moment) -> Deed:
        while True:
            if found := self._look_for(moment):
                return found
            await asyncio.sleep(0.002)

    def _look_for(self, moment: Moment) -> Deed | None:
        self.tail.follow()
        mine = (deed for deed in self.tail.deeds[self.begun :] if not deed.doubtful)
        return next((deed for deed in mine if Moment(deed.role, deed.what) == moment), None)

    def _process(self, replica: str) -> Process:
        return next(each for each in self.system.operators if each.name == replica)

    def _strike(self, number: int, moment: Moment, replica: str) -> None:
        at = now()
        self.blow(self._process(replica))
        self.kills.append(Kill(number, moment, at, replica))

    async def answer(self, _: StreamReader, writer: StreamWriter) -> None:
        """Take what the receiver gets; kill who sent it first, if this is the moment."""
        heard = self.inbox.heard[-1]
        actor = called(heard)
        came = now()
        self.tail.deeds.append(Deed(actor, POST, "", came, came, id=heard.headers[KEY_HEADER]))
        run, role = self.awaited
        if role == actor.partition("-")[0]:
            self.tail.follow()
            self._strike(run, Moment(role, POST), self.tail.holder)
            self.awaited = 0, ""
            self.struck.set()
        await asyncio.sleep(self.chance.uniform(0, 0.05))
        writer.write(OK)

    async def _wake(self, run: str, due: datetime) -> None:
        """Ask for what a run has put to rest, but for one of it, as soon as it rests."""
        actors = sorted(actor for actor in self.fate.sleepers if run in actor)
        await until_time(due)
        await at_once(partial(self._ask, actor) for actor in actors[:-1])

    async def _ask(self, actor: str) -> None:
        sleeper = self.fate.sleepers[actor]

        async def rests() -> bool:
            return sleeper.rests(await self.read(sleeper.path))

        await until(rests)
        note = {"metadata": {"annotations": {names.WAKE_REQUESTED: actor}}}
        await self.client.merge_patch(sleeper.path, note)
        self.fate.woken |= dict.fromkeys(sleeper.workloads, actor)
        self.fate.told[sleeper.uid, "WAKE"] = Deal(actor, sleeper.woken)
        self.fate.hopes.pop(sleeper.path)
        self.fate.hopes |= {hope.path: hope for hope in sleeper.workloads.values()}

    async def read(self, path: str) -> Json | None:
        """Read an object; None if there is none."""
        try:
            found: Json = msgspec.json.decode(await self.client.get(path))
        except ApiError as error:
            if error.not_found:
                return None
            raise
        return found

    async def settle(self, limit: float) -> list[str]:
        """Wait until everything is as it should be; returns what is not in time."""
        open_hopes = list(self.fate.hopes.values())

        async def settled() -> bool:
            answers = await at_once(partial(self._open, hope) for hope in open_hopes)
            open_hopes[:] = [hope for hope in answers if hope]
            return not open_hopes

        try:
            await until(settled, limit)
        except TimeoutError:
            return [hope.path for hope in open_hopes]
        return []

    async def _open(self, hope: Hope) -> Hope | None:
        return None if hope.holds(await self.read(hope.path)) else hope


def called(heard: Heard) -> str:
    """Read about which object a request is."""
    body: dict[str, Any] = msgspec.json.decode(heard.body)
    name: str = (body.get("namespaceManager") or body["object"])["name"]
    return name


@asynccontextmanager
async def series(system: System, port: int, seed: int, stalls: Stalls) -> AsyncGenerator[Series]:
    """Begin a series, with a receiver on that port."""
    plane = system.plane
    tail = Tail(plane.paths.audit_log, plane.audit_log.position())
    tail.holder = (await asyncio.to_thread(system.leader)).name
    async with administrator(plane) as client:
        begun = Series(system, client, tail, random.Random(seed), stalls)
        async with receiver(begun.answer, port=port) as begun.inbox:
            yield begun

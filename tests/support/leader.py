"""A leader over a cluster in memory, in virtual time: the real engine, pace and breakers."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from dayfly_core import api, names
from dayfly_core.actions import Action
from dayfly_core.objects import Key, ObjectMeta
from dayfly_core.pace import Pace
from dayfly_core.policies import Policy
from dayfly_operator.brakes.breaker import Breakers
from dayfly_operator.brakes.surprises import Surprises
from dayfly_operator.crew import Crew
from dayfly_operator.engine import Engine
from dayfly_operator.pace import Pacer
from dayfly_operator.policies import Entry
from dayfly_operator.stamped import Stamped
from dayfly_operator.tempo import BREAKERS_EVERY
from support.nobody import NoReleases
from support.stage import Bystanders, Cluster, Hands, Knowledge

PACE = Pace(50, 50)
"""As the operator has it by default."""


@dataclass
class Written:
    """What leaders write on policies, and people."""

    resets: dict[str, str] = field(default_factory=dict[str, str])
    breakers: dict[str, api.Breaker] = field(default_factory=dict[str, api.Breaker])


class Others(Bystanders):
    """Remembers what was held back."""

    def __init__(self) -> None:
        self.held = dict[Key, str]()

    def held_back(self, action: Action, why: str) -> None:
        """Take note."""
        self.held[action.key] = why


class Leader:
    """One that leads from the beginning to the end of its context."""

    def __init__(self, cluster: Cluster, written: Written) -> None:
        self.cluster = cluster
        self.written = written
        self.others = Others()
        self.told: list[str] = []
        self.surprises = Surprises(self, cluster.now)
        self.breakers = Breakers(self.surprises, self.entries, self, cluster.now)
        hands = Hands(cluster)
        hands.engine = self
        pacer = Pacer(PACE, asyncio.get_running_loop().time)
        crew = Crew(
            Knowledge(cluster), hands, pacer, self.others, self.others, self.breakers, NoReleases()
        )
        self.engine = Engine(crew, self.others, cluster.now)

    @asynccontextmanager
    async def leading(self) -> AsyncGenerator[None, None]:
        """Work meanwhile."""
        tasks = [asyncio.create_task(self.engine.queue.run()), asyncio.create_task(self._look())]
        await self.look_at_all()
        yield
        self.engine.deadlines.close()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    async def look_at_all(self) -> None:
        """Look at everything, as after a change of policies."""
        await self.surprises.follow()
        stamped = self.cluster.stamped()
        unstamped = [key for key in self.cluster.objects if key not in stamped]
        await self.engine.look_at_all(stamped.items(), unstamped)

    def put(self, key: Key, meta: ObjectMeta) -> None:
        """Let somebody create or change an object."""
        self.cluster.objects[key] = meta
        if names.POLICY in meta.label_map:
            self.stamped(key, self.cluster.seen(key))
        else:
            self.engine.unstamped(key)

    async def _look(self) -> None:
        while True:
            self.breakers.look()
            for name in self.entries():
                if report := self.breakers.report(name):
                    self.written.breakers[name] = report
                else:
                    self.written.breakers.pop(name, None)
            await asyncio.sleep(BREAKERS_EVERY)

    # What the watches tell.

    def stamped(self, key: Key, found: Stamped | None) -> None:
        """Pass it on, as the parts of a replica do."""
        self.surprises.seen(key, found)
        self.engine.stamped(key, found)

    # What the breakers ask.

    def entries(self) -> Mapping[str, Entry]:
        """Return the policies."""
        return {policy.name: self._entry(policy) for policy in self.cluster.policies}

    def _entry(self, policy: Policy) -> Entry:
        reset = self.written.resets.get(policy.name)
        annotations = {names.BREAKER_RESET: reset} if reset else None
        meta = ObjectMeta(name=policy.name, uid=policy.uid, annotations=annotations)
        breaker = self.written.breakers.get(policy.name)
        status = api.ExpiryPolicyStatus(breaker=breaker) if breaker else api.ExpiryPolicyStatus()
        return Entry(meta, policy, "", status)

    def policy(self, name: str) -> Policy | None:
        """Return a policy."""
        return self.cluster.policies.get(name)

    def acts(self, key: Key, found: Stamped) -> bool:
        """Spare nothing."""
        return True

    def everything(self) -> Iterable[tuple[Key, Stamped]]:
        """Return all stamped objects."""
        return self.cluster.stamped().items()

    def incomplete(self) -> str | None:
        """Say that all is known."""
        return None

    def breaker_opened(self, policy: str, note: str) -> None:
        """Take note."""
        self.told.append(f"opened {policy}")

    def breaker_closed(self, policy: str, note: str) -> None:
        """Take note, and look at what it held."""
        self.told.append(f"closed {policy}")
        self._looking = asyncio.create_task(self.look_at_all())

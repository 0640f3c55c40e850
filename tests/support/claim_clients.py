"""Clients that create, rename, delete and re-create things under four names; two reconcilers.

An API server's part in each request is played here: admission, then perhaps a refusal by somebody
else, then the write, at times much later. Everything a second long in a cluster takes less here:
``REQUEST`` stands for the API server's ``--request-timeout``.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from dayfly_admission.claiming import Ask, Claiming
from dayfly_core.api import Holder, KeyKind
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claim_steps import Act, Attempt, Granted, Outcome, Seen, Step
from dayfly_core.claimants import Demand
from dayfly_core.claims import decide
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_operator.naming.claim_repair import ClaimRepair
from support.claim_cluster import mend_all
from support.claim_world import ROUTE, Crash, Desk, Lagging, Store, Thing, World, keys, latency
from support.schedule import Schedule

DEADLINE: Final = 0.4
SLOWEST: Final = 0.5
REQUEST: Final = DEADLINE + SLOWEST
GRACE: Final = 1.25 * REQUEST

CLIENTS: Final = 24
ENVIRONMENTS: Final = keys(KeyKind.ENVIRONMENT, "shop", "cart", "blog", "wiki")
WILDCARDS: Final = keys(
    KeyKind.HOST, "*.a.example", "x.a.example", "*.y.a.example", "z.y.a.example"
)
HOSTS: Final = keys(KeyKind.HOST, "shop", "cart", "blog")
NAMES: Final = tuple("abcdefgh")
SHARED_NAMES: Final = tuple(f"{space}/{ROUTE}{n}" for space in "abc" for n in (1, 2, 3))
FAMILIES: Final = tuple(f"{space}/{leaf}" for space in "abc" for leaf in ("d1", "d2", "i1", "i2"))

Rule = Callable[[Attempt, Seen], Step | Outcome]
Admit = Callable[["Run", Ask], Awaitable[bool]]


@dataclass(frozen=True)
class Setting:
    """What is simulated; the broken ones replace a part."""

    keys: tuple[ClaimKey, ...] = ENVIRONMENTS
    names: tuple[str, ...] = NAMES
    seconds: float = 60.0
    clients: int = CLIENTS
    rests: float = 0.08
    """Seconds after which the operator looks at everything again, at most."""
    rejected: float = 0.25
    """Share of the admitted requests that something else refuses."""
    crashed: float = 0.05
    """Share of the requests in which the webhook is killed."""
    lost: float = 0.02
    """Share of its writes whose answers do not arrive."""
    rule: Rule = decide
    naive: bool = False
    """Look whether the name is free, and store: no claims."""
    store: type[Store] = Store
    desk: Callable[[World, Lagging], Desk] = lambda world, _: Desk(world)


@dataclass
class Result:
    """How it went."""

    duplicates: int
    orphans: list[str]
    unclaimed: list[str]
    stored: int
    admitted: int
    refused: int
    steps: int


@dataclass
class Run:
    """One seeded run."""

    setting: Setting
    schedule: Schedule
    world: World = field(init=False)
    made: int = 0
    admitted: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self.world = World(self.schedule)

    def chance(self, share: float) -> bool:
        return self.schedule.dice.random() < share

    @property
    def over(self) -> bool:
        return self.schedule.time >= self.setting.seconds

    # A client.

    async def client(self) -> None:
        dice = self.schedule.dice
        while not self.over:
            await self.schedule.pause(dice.uniform(0.0, 0.4))
            name = dice.choice(self.setting.names)
            if name not in self.world.things:
                await self.create(name)
            elif self.chance(0.4):
                await self.update(name)
            elif self.chance(0.5):
                await self.delete(name)
            else:
                await self.delete(name)
                await self.create(name)

    def some_keys(self) -> frozenset[ClaimKey]:
        dice = self.schedule.dice
        return frozenset(dice.sample(self.setting.keys, dice.choice((1, 1, 1, 2))))

    async def create(self, name: str) -> None:
        self.made += 1
        wanted, uid = self.some_keys(), f"uid-{self.made}"
        holder = self.world.holder(name, uid)
        if not await self.passes(wanted, holder, self.act(name, Act.CREATE)):
            return
        if name not in self.world.things:
            thing = Thing(name, uid, self.world.stamp(), wanted, self.world.second())
            self.world.put(thing)

    async def update(self, name: str) -> None:
        """Rename, or set one key more or less; as ``GuaranteedUpdate``: over what was admitted."""
        wanted = self.some_keys()
        for _ in range(3):
            old = self.world.things.get(name)
            if old is None:
                return
            holder = self.world.holder(name, old.uid)
            if not await self.passes(wanted - old.keys, holder, self.act(name, Act.UPDATE)):
                return
            if self.world.things.get(name) is old:
                new = Thing(name, old.uid, self.world.stamp(), wanted, old.created)
                self.world.put(new)
                return

    def act(self, name: str, act: Act) -> Act:
        return Act.INSIDE if name.rpartition("/")[2].startswith(ROUTE) else act

    async def delete(self, name: str) -> None:
        await self.schedule.pause(latency(self.schedule))
        if self.chance(0.1):
            # A finalizer: it goes on existing, and holding its names.
            await self.schedule.pause(self.schedule.dice.uniform(0.0, 0.3))
        self.world.things.pop(name, None)

    # A request on its way through admission, to the moment of its write.

    async def passes(self, wanted: frozenset[ClaimKey], holder: Holder, act: Act) -> bool:
        demands = tuple(Demand(key, key.value, "") for key in sorted(wanted))
        ask = Ask(demands, holder, act, self.schedule.time + DEADLINE)
        admitted = await self.admit(ask) if demands else True
        self.admitted += admitted
        self.refused += not admitted
        if not admitted or self.chance(self.setting.rejected):
            return False
        slow = SLOWEST if self.chance(0.1) else 0.03
        await self.schedule.pause(self.schedule.dice.uniform(0.0, slow))
        return True

    async def admit(self, ask: Ask) -> bool:
        if self.setting.naive:
            return await self.looks_free(ask)
        killed = self.chance(self.setting.crashed)
        after = self.schedule.dice.randint(1, 6) if killed else -1
        store = self.setting.store(self.world, lost=self.setting.lost, crash_after=after)
        claiming = Claiming(store, self.schedule, self.setting.rule)
        try:
            outcomes = await claiming.claim(ask)
        except Crash:
            return False
        # A process may also die when all is written, before it answers.
        return not killed and all(isinstance(outcome, Granted) for outcome in outcomes)

    async def looks_free(self, ask: Ask) -> bool:
        """List all objects by quorum; nothing else."""
        await self.schedule.pause(latency(self.schedule))
        taken = {key for holder, key in self.world.held() if holder != ask.holder}
        await self.schedule.pause(latency(self.schedule))
        return not any(d.key in taken for d in ask.demands)

    # The operator.

    async def reconcile(self, view: Lagging) -> None:
        """Mend everything again and again; at times as a new leader, who has observed nothing."""
        repair = self.new_leader(view)
        while True:
            await self.schedule.pause(self.schedule.dice.uniform(0.01, self.setting.rests))
            if self.chance(0.005):
                repair = self.new_leader(view)
            try:
                await mend_all(repair)
            except (ApiError, Unreachable):
                continue

    def new_leader(self, view: Lagging) -> ClaimRepair:
        desk = self.setting.desk(self.world, view)
        return ClaimRepair(desk, view, self.schedule.now, self.schedule.wall, GRACE)


def simulate(seed: int, setting: Setting = Setting()) -> Result:
    """Run it, and then on until no request can be under way and every leftover has gone."""
    schedule = Schedule(seed)
    run = Run(setting, schedule)
    for _ in range(setting.clients):
        schedule.spawn(run.client())
    for _ in range(2):
        view = Lagging(run.world)
        for task in (view.follow_claims(), view.follow_things(), run.reconcile(view)):
            schedule.spawn(task)
    schedule.run(setting.seconds + 4 * REQUEST + 4 * GRACE)
    schedule.close()
    world = run.world
    return Result(
        world.duplicates,
        world.orphans(),
        world.unclaimed(),
        world.stored,
        run.admitted,
        run.refused,
        schedule.steps,
    )

"""Claims the names that a request wants: carries out the steps of ``dayfly_core.claims``.

Bounded by the request's deadline; awaits nothing but the store and the clock, so that it runs under
any event loop, and under the scheduler of the simulation.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

import msgspec

from dayfly_core.api import Holder, NameClaim
from dayfly_core.claim_key import ClaimKey, key_of
from dayfly_core.claim_steps import (
    Act,
    Attempt,
    Begun,
    Create,
    Find,
    Found,
    Granted,
    Inspect,
    Inspected,
    Look,
    Looked,
    Outcome,
    Presence,
    Refused,
    Replace,
    Reserved,
    Seen,
    Step,
    Stored,
    Survey,
    Surveyed,
    Unsure,
    Unverified,
)
from dayfly_core.claims import decide
from dayfly_kube.errors import ApiError, Unreachable

log = logging.getLogger(__name__)

BREATH: Final = 0.05
"""Seconds after a write without an answer: a server in trouble is not asked in a tight loop."""

SHORTEST: Final = 0.5
"""Seconds that one request may take at least, if there are as many left."""


class Garbled(Exception):
    """What is stored cannot be read; says what that is, and what to do."""


class ClaimStore(Protocol):
    """NameClaims and their holders, by quorum; every call takes at most ``seconds``.

    Raises ``ApiError`` for what the API server refused, ``Unreachable`` where no answer came,
    ``Garbled`` where it makes no sense.
    """

    async def create(self, claim: NameClaim, seconds: float) -> NameClaim:
        """POST; the claim as it was stored. 409 if there is one."""
        ...

    async def read(self, name: str, seconds: float) -> NameClaim | None:
        """GET one claim, from etcd; None: there is none."""
        ...

    async def replace(self, claim: NameClaim, seconds: float) -> NameClaim:
        """Write ``spec`` and our label over exactly the version in ``metadata``; 409 otherwise.

        With uid and resourceVersion in the body, PUT or merge patch; what else is on the object
        should stay, so a patch is better.
        """
        ...

    async def delete(self, claim: NameClaim, seconds: float) -> None:
        """DELETE with uid and resourceVersion as preconditions."""
        ...

    async def overlapping(self, key: ClaimKey, seconds: float) -> Sequence[NameClaim]:
        """Read, from etcd, every claim whose key overlaps; more of them do no harm.

        Those that cover it by name, one GET for each of ``key.covering``, at once, or from a list
        of wildcards if they are too many; for a wildcard the list of all claims of hosts. Lists
        are read without a resourceVersion.
        """
        ...

    async def find(self, holder: Holder, key: ClaimKey, seconds: float) -> Presence | None:
        """Read the object of that name, whatever its uid, and whether it lists the key now.

        GETs without a resourceVersion. Of a namespace that holds a host of Ingresses or
        HTTPRoutes, their lists in it count too. ``kin``: whether the namespace of an object that
        does not have it does. None: no such object, and its namespace does not have it either.
        """
        ...


class Clock(Protocol):
    """Time, as the event loop has it."""

    def now(self) -> float:
        """Return monotonic seconds."""
        ...

    def wall(self) -> datetime:
        """Return UTC, for people."""
        ...

    async def pause(self, seconds: float) -> None:
        """Sleep."""
        ...


class Demanded(Protocol):
    """A name, and where the object wants it."""

    @property
    def key(self) -> ClaimKey:
        """The name as it is compared."""
        ...

    @property
    def written(self) -> str:
        """The name as it is written."""
        ...


class Ask(msgspec.Struct, frozen=True):
    """What one request wants: only names that the stored object does not have yet."""

    demands: Sequence[Demanded]
    holder: Holder
    act: Act
    deadline: float
    """Monotonic."""
    read_only: bool = False


class Claiming(msgspec.Struct, frozen=True):
    """Claims names in a store."""

    store: ClaimStore
    clock: Clock
    rule: Callable[[Attempt, Seen], Step | Outcome] = decide
    """What comes after what was seen; another one only to show that this one is needed."""

    async def claim(self, *asks: Ask) -> tuple[Outcome, ...]:
        """Claim all demands of one request, or none; an outcome for each, in their order.

        In sorted order, so that two requests for the same names meet at the first. After a
        refusal what this call created is withdrawn, and the rest is only read: the answer lists
        everything that is taken.
        """
        outcomes, created = list[Outcome](), list[NameClaim]()
        for ask in asks:
            refused = not all(isinstance(outcome, Granted) for outcome in outcomes)
            found = await self._claim(ask, created, read_only=ask.read_only or refused)
            outcomes += (found[demand.key] for demand in ask.demands)
        return tuple(outcomes)

    async def _claim(
        self, ask: Ask, created: list[NameClaim], *, read_only: bool
    ) -> dict[ClaimKey, Outcome]:
        outcomes: dict[ClaimKey, Outcome] = {}
        written = {demand.key: demand.written for demand in ask.demands}
        for key in sorted(written):
            attempt = Attempt(
                key, written[key], ask.holder, ask.act, self.clock.wall(), read_only=read_only
            )
            outcome = await _Errand(self, attempt, ask.deadline, created).run()
            outcomes[key] = outcome
            if not isinstance(outcome, Granted):
                read_only = True
                await self._withdraw(created, ask.deadline)
        return outcomes

    async def _withdraw(self, created: list[NameClaim], deadline: float) -> None:
        """Delete what this call created: nobody else's request goes by that version."""
        while created and self.clock.now() < deadline:
            claim = created.pop()
            try:
                await self.store.delete(claim, deadline - self.clock.now())
            except (ApiError, Unreachable) as error:
                # The operator deletes it later; until then the name is reserved.
                log.warning("claim is left name=%s error=%s", claim.metadata.name, error)


class _Errand(msgspec.Struct):
    """One key of one request."""

    claiming: Claiming
    attempt: Attempt
    deadline: float
    created: list[NameClaim]
    """Grows by the claim, if it is this call that makes it."""
    last_error: str = ""
    met: NameClaim | None = None
    """What was to be created where there was a claim: whose, was perhaps not found out."""

    async def run(self) -> Outcome:
        following = self.claiming.rule(self.attempt, Begun())
        while not isinstance(following, Outcome):
            if self.left <= 0:
                return self.undecided(self.last_error or "there was no time left")
            try:
                seen = await self.carry_out(following)
            except (ApiError, Unreachable, Garbled) as error:
                return self.undecided(_why(error)) if _may_pass(error) else Unverified(_why(error))
            following = self.claiming.rule(self.attempt, seen)
        return following

    def undecided(self, why: str) -> Outcome:
        """Answer without having found out: in a crowd that is too much for the API server.

        Nobody gets a name that is known to be claimed, not even from a webhook that fails open.
        """
        return Reserved(self.met) if self.met else Unverified(why)

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.deadline - self.claiming.clock.now()

    @property
    def patience(self) -> float:
        """Seconds for one request: half of what is left, so that a hung one can be looked after."""
        return max(self.left / 2, min(self.left, SHORTEST))

    async def carry_out(self, step: Step) -> Seen:
        store, key = self.claiming.store, self.attempt.key
        match step:
            case Create() | Replace():
                return await self.write(step)
            case Look():
                return Looked(await store.read(key.claim_name, self.patience))
            case Find(claim):
                return Found(claim, await self.find(claim))
            case Survey():
                await self.claiming.clock.pause(step.pause)
                return Surveyed(step, await store.overlapping(key, self.patience))
            case Inspect(_, others):
                return Inspected(step, await self.find(others[0]))

    async def find(self, claim: NameClaim) -> Presence | None:
        holder = claim.spec.holder
        return await self.claiming.store.find(holder, key_of(claim), self.patience)

    async def write(self, step: Create | Replace) -> Seen:
        store = self.claiming.store
        try:
            if isinstance(step, Replace):
                return Stored(await store.replace(step.claim, self.patience))
            claim = await store.create(step.claim, self.patience)
        except (ApiError, Unreachable) as error:
            return await self.unwritten(step, error)
        self.created.append(claim)
        return Stored(claim)

    async def unwritten(self, step: Create | Replace, error: ApiError | Unreachable) -> Seen:
        """Tell a lost race and an unknown outcome from what will never work, which is raised."""
        if isinstance(error, ApiError):
            # 404 on a POST: the kind itself is not there.
            if error.code == 409 or (error.not_found and isinstance(step, Replace)):
                self.met = step.claim
                return Refused()
            if not _may_pass(error):
                raise error
        self.last_error = _why(error)
        await self.claiming.clock.pause(BREATH)
        return Unsure()


def _may_pass(error: Exception) -> bool:
    """Whether it is trouble of the moment, not a missing right or an unreadable claim."""
    if isinstance(error, ApiError):
        return error.code >= 500 or error.too_many
    return isinstance(error, Unreachable)


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__

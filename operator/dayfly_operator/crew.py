"""Everything that the engine calls, as far as it knows it: knowledge, hands, and who may say no."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import Enum
from typing import Protocol

import msgspec

from dayfly_core.actions import Action, Delete
from dayfly_core.objects import Key, ObjectMeta
from dayfly_core.stamps import Changes
from dayfly_core.subject import Plan, Subject
from dayfly_kube.errors import ApiError
from dayfly_operator.members import Keeper
from dayfly_operator.pace import Appointments, at_any_time
from dayfly_operator.stamped import Stamped
from dayfly_operator.unrecorded import Unrecorded


class Turn(Enum):
    """When an object's turn comes, if it is at no instant."""

    NOW = "now"
    """Something has to be done, or decided."""
    NEVER = "never"
    """All is done for its present end."""


class World(Protocol):
    """What a decision reads, and the decision."""

    def known(self, key: Key) -> Subject | None:
        """Return the subject as the watches know it."""
        ...

    async def read(self, key: Key) -> Subject | None:
        """Return the subject by a quorum read; None if it is gone."""
        ...

    def up_to_date(self, key: Key) -> bool:
        """Whether what an act on this object depends on is known well enough."""
        ...

    async def catch_up(self, key: Key) -> None:
        """Return when it is."""
        ...

    def due(self, key: Key, found: Stamped) -> datetime | Turn:
        """Return until when all there is to do is to wait."""
        ...

    def plan(self, subject: Subject) -> Plan:
        """Judge."""
        ...


class Around(msgspec.Struct, frozen=True):
    """What an act that takes its time asks of the engine."""

    still: Callable[[], bool]
    """Whether the act is still wanted, as far as is known at this moment."""
    wanted: Callable[[], Awaitable[bool]]
    """The same, of the object as the API server has it."""
    arrived: Callable[[], None]
    """To be called when there is news that no watch tells: the object is looked at again."""
    remember: Callable[[Changes, ApiError], ObjectMeta]
    """To be called with annotations that the object does not take: steps go on as if it had."""


class Hands(Protocol):
    """The writes."""

    async def carry_out(self, action: Action, around: Around) -> ObjectMeta | None:
        """Do it; returns the object as it is afterwards, None if nothing of it is known.

        Raises Outdated if it is not the one that was judged any more.
        """
        ...


class Turns(Protocol):
    """The pace of DELETEs."""

    async def turn(self) -> float:
        """Return when it is the caller's turn, with the seconds that it waited."""
        ...


class Units(Protocol):
    """Namespaces: what ends with them, and what keeps them from going."""

    async def keeper(self, namespace: str) -> Keeper | None:
        """Say what in the namespace keeps it from its end."""
        ...

    async def going(self, meta: ObjectMeta) -> datetime | None:
        """Look at one that is being deleted; returns when to look again."""
        ...

    def gone(self, namespace: str) -> None:
        """Hear that it is gone."""
        ...


class Complaints(Protocol):
    """Who tells people why something did not happen."""

    def refused(self, action: Action, error: ApiError) -> None:
        """Say that the API server forbids it."""
        ...

    def unrecorded(self, action: Action, error: ApiError) -> None:
        """Say that an object does not take what is to be noted on it."""
        ...

    def blocked(self, order: Delete, keeper: Keeper) -> None:
        """Say that a namespace does not end because of what is in it."""
        ...

    def failing(self, subject: Subject, error: str) -> None:
        """Say that for a while nothing could be done about an object."""
        ...

    def ignored(self, subject: Subject, plan: Plan) -> None:
        """Say that an object's wish cannot be read."""
        ...

    def held_back(self, action: Action, why: str) -> None:
        """Say that an act waits for a person."""
        ...

    def release_stays(self, order: Delete, why: str) -> None:
        """Say that a Helm release does not end."""
        ...


class Brakes(Protocol):
    """What may hold an act back although its time has come: the breaker for surprising ends."""

    def holds_back(self, action: Action) -> str | None:
        """Say in a sentence why the act does not happen now; None if it may.

        Asked before everything that the act waits for, and again when it has waited: it answers
        from memory, and must not block. What is held back is looked at again when a policy changes,
        and after a minute.
        """
        ...


class ReleaseOutcome(msgspec.Struct, frozen=True):
    """How far the end of a release has come; ``again`` is None once there is nothing left of it."""

    again: datetime | None = None
    """When to look at the object again: another member ends later, or an operation is under way."""
    blocked: str = ""
    """Why nothing of it ends, in a sentence that names the object in the way."""


class Releases(Protocol):
    """Who ends Helm releases as one."""

    async def end(self, action: Delete) -> ReleaseOutcome:
        """Do what the end of one member (``action.release``) means for its release.

        Called when it is the member's turn, instead of its DELETE. Raises Outdated, NotLeading,
        ApiError, Unreachable; called again, it goes on where it was.
        """
        ...


class Crew(msgspec.Struct, frozen=True):
    """Everything that the engine may call."""

    world: World
    hands: Hands
    turns: Turns
    units: Units
    complaints: Complaints
    brakes: Brakes
    releases: Releases
    unrecorded: Unrecorded = msgspec.field(default_factory=Unrecorded)
    notes: Appointments = msgspec.field(default_factory=at_any_time)
    """The pace of what is noted on objects."""

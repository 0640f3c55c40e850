"""What the operator is to do for one Ephemerator or NamespaceManager, as values.

Decided in ``ephemerator`` and ``namespace_manager``; the operator carries it out in this order:
it writes ``status``, then ``metadata`` and ``deactivate``, each only over the version that was
judged, then does ``act``, and asks what its outcome means. What cannot be written is not done.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol, TypeVar, cast

import msgspec

from dayfly_core.api import StatusCondition
from dayfly_core.conditions import Said, with_condition
from dayfly_core.objects import OwnMeta
from dayfly_core.pace import Backoff

RECHECK: Final = timedelta(minutes=5)
"""For what no watch tells of: what is protected in a namespace, an act whose outcome was lost.

That a namespace comes or goes, or loses a label, the watch of namespaces tells; that the guard is
another one, the guard's: what waits for these rests, and costs nothing.
"""

LONGEST_MESSAGE: Final = 4096
"""Characters of a condition's message: an API server's own words may be longer than it takes."""

RETRIES: Final = Backoff(first=1.0, cap=300.0)
"""Of what the API server refuses: it is never given up, for the server comes back."""


class Stored(Protocol):
    """An object as the API server answered: its spec and status may be anything."""

    @property
    def metadata(self) -> OwnMeta:
        """``metadata``."""
        ...

    @property
    def spec(self) -> Any:
        """``spec``."""
        ...

    @property
    def status(self) -> Any:
        """``status``."""
        ...


class EndNamespace(msgspec.Struct, frozen=True):
    """Delete a namespace, if it is still the one with that uid."""

    name: str
    uid: str
    by: str
    due: datetime
    id: str


class DeleteItself(msgspec.Struct, frozen=True):
    """Delete the object that was judged, in exactly that version."""

    uid: str
    resource_version: str


class Workloads(msgspec.Struct, frozen=True):
    """Workloads of a kind, as it was written: perhaps one that is not known."""

    kind: str
    labels: Mapping[str, str] = {}


class ScaleNamespace(msgspec.Struct, frozen=True):
    """Scale workloads to 0; no ``workloads`` means all Deployments and StatefulSets."""

    namespace: str
    uid: str
    by: str
    due: datetime
    id: str
    workloads: tuple[Workloads, ...] = ()


class Send(msgspec.Struct, frozen=True):
    """POST to a URL; ``id`` is the Idempotency-Key of this and every further attempt."""

    url: str
    body: bytes
    id: str
    attempt: int
    secret: str = ""
    """Name of the Secret beside the object that signs it; empty: unsigned."""


class Announce(msgspec.Struct, frozen=True):
    """Tell of it in an Event on the namespace."""

    namespace: str
    uid: str
    sentence: str
    id: str


Act = EndNamespace | DeleteItself | ScaleNamespace | Send | Announce


class Came(StrEnum):
    """How an act went."""

    DONE = "Done"
    WITHHELD = "Withheld"
    """It must not be done now; nothing was tried in vain."""
    FAILED = "Failed"
    """It may go well the next time."""
    REFUSED = "Refused"
    """It would fail the same way every time."""


class Outcome(msgspec.Struct, frozen=True):
    """What came of an act."""

    result: Came
    reason: str = ""
    note: str = ""
    retry_after: timedelta | None = None
    """What a server asked for that has no time now."""
    chance: float = 0.5
    """From 0 to 1, drawn by the caller: retries of many must not fall together."""


class Plan(msgspec.Struct, frozen=True):
    """What to write, what to do then, and when to look again if nothing changes before."""

    act: Act | None
    again: datetime | None
    reason: str
    note: str = ""
    status: Mapping[str, Any] = {}
    """A merge patch of ``status``; empty if it is right as it is."""
    metadata: Mapping[str, Any] = {}
    """A merge patch of ``metadata``, without the version; empty if there is nothing to change."""
    deactivate: bool = False
    """Whether ``spec.deactivated`` becomes true."""
    concluded: Mapping[str, Any] = {}
    """A merge patch of ``status`` that says that ``metadata`` is written; none before it is."""


def patch_of_status(stored: Stored, status: msgspec.Struct) -> dict[str, Any]:
    """Return the merge patch that makes the stored status this one; what is unset goes."""
    wanted: dict[str, Any] = msgspec.to_builtins(status)
    present = as_map(stored.status)
    return {
        name: wanted.get(name)
        for name in status.__struct_encode_fields__
        if wanted.get(name) != present.get(name) and (wanted.get(name) or present.get(name))
    }


def judged(
    stored: Stored, existing: Sequence[StatusCondition], type: str, said: Said, now: datetime
) -> list[StatusCondition]:
    """Return the conditions with this one set, for the generation that was looked at."""
    status, reason, message = said
    short = status, reason, message[:LONGEST_MESSAGE]
    generation = stored.metadata.generation
    return with_condition(existing, type, short, generation=generation, now=now)


StatusType = TypeVar("StatusType", bound=msgspec.Struct)


def as_map(written: object) -> Mapping[str, Any]:
    """Return what is written under the names of an object; of what is no object, nothing."""
    return cast("Mapping[str, Any]", written) if isinstance(written, Mapping) else {}


LONGEST_VALUE: Final = 60
"""Characters of what cannot be read that are shown."""


def written_spec(stored: Stored) -> dict[str, Any]:
    """Return the spec; raises msgspec.ValidationError if it is no object.

    That takes a definition of the kind other than ours; one such object must not hide the others.
    """
    spec = stored.spec
    written = as_map(spec)
    if written is spec or spec is None:
        return dict(written)
    shown = msgspec.json.encode(spec).decode()[:LONGEST_VALUE]
    raise msgspec.ValidationError(f"spec: {shown} is no object; write for example spec: {{}}")


def read_status(stored: Stored, type_: type[StatusType]) -> StatusType:
    """Read a status; one that cannot be read is as good as none: the original wrote it."""
    try:
        return msgspec.convert(dict(as_map(stored.status)), type_)
    except msgspec.ValidationError:
        return type_()

"""Reads the API server's audit log: who did what, when, and how it was answered."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec


class _Entry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Read tolerantly: what the log says beyond this is skipped."""


class User(_Entry, frozen=True, kw_only=True):
    """Who asked."""

    username: str = ""
    groups: tuple[str, ...] = ()


class ObjectReference(_Entry, frozen=True, kw_only=True):
    """What it was about; ``name`` is empty on lists, and on creates with generateName."""

    resource: str = ""
    namespace: str = ""
    name: str = ""
    api_group: str = ""
    subresource: str = ""


class Answer(_Entry, frozen=True, kw_only=True):
    """How it was answered."""

    code: int = 0
    reason: str = ""
    message: str = ""


class AuditEvent(_Entry, frozen=True, kw_only=True):
    """One request, as the API server saw it."""

    stage: str
    """``ResponseComplete`` for all but watches, which also have ``ResponseStarted``."""
    verb: str
    user: User
    request_uri: str = msgspec.field(name="requestURI", default="")
    user_agent: str = ""
    object_ref: ObjectReference = ObjectReference()
    response_status: Answer = Answer()
    request_received_timestamp: datetime
    stage_timestamp: datetime
    annotations: dict[str, str] = {}
    request_object: msgspec.Raw = msgspec.Raw()
    """What was sent, for writes of Dayfly's own accounts alone."""

    @property
    def code(self) -> int:
        """The HTTP status."""
        return self.response_status.code

    @property
    def accepted(self) -> bool:
        """Whether it was carried out."""
        return self.stage == "ResponseComplete" and 200 <= self.code < 300

    @property
    def sender(self) -> str:
        """``dayfly-operator-1`` of ``dayfly-operator/0.1.0 (dayfly-operator-1)``."""
        return self.user_agent.rpartition("(")[2].rstrip(")")

    @property
    def target(self) -> str:
        """``configmaps/team-a/settings``; ``namespaces/team-a`` for what has no namespace."""
        ref = self.object_ref
        space = "" if ref.resource == "namespaces" else ref.namespace
        return "/".join(part for part in (ref.resource, space, ref.name) if part)


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The log of one control plane."""

    path: Path

    def position(self) -> int:
        """Where the log ends now: read on from here with ``events(since=…)``."""
        return self.path.stat().st_size if self.path.exists() else 0

    def events(self, since: int = 0) -> Iterator[AuditEvent]:
        """Read what has been written from this position on, oldest first."""
        if not self.path.exists():
            return
        decoder = msgspec.json.Decoder(AuditEvent)
        with self.path.open("rb") as lines:
            lines.seek(since)
            for line in lines:
                # The last line may be half written.
                if line.endswith(b"\n"):
                    yield decoder.decode(line)

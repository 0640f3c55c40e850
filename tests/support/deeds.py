"""What the operators did to the objects of a kill series, read from the audit log as it grows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from dayfly_core import names
from playground.audit import AuditEvent
from playground.lags import OPERATOR
from playground.tenure import WRITES

POST: Final = "POST"
"""What the receiver tells, beside what the audit log does."""

Json = dict[str, Any]

_ACTOR: Final = re.compile(r"[a-z]+-\d{4}(-\d)?")


@dataclass(frozen=True, slots=True)
class Deed:
    """One accepted write, or one request to the receiver."""

    actor: str
    """``rest-0003-1``: a role, the number of the run, and which of several."""
    what: str
    """What it does to what: ``delete configmaps``, ``status Pending ephemerators``."""
    uid: str
    since: datetime
    """When the request was received."""
    at: datetime
    """When it was answered."""
    replica: str = ""
    version: str = ""
    """Of the object, which it names."""
    id: str = ""
    """The occurrence, as far as it is in there."""
    doubtful: bool = False
    """Whether its sender was gone before the answer: it may have been carried out or not."""

    @property
    def role(self) -> str:
        """What its actor is there for."""
        return self.actor.partition("-")[0]


def deed(event: AuditEvent) -> Deed | None:
    """Read a write of an operator to an object of the series, if it was not refused."""
    named = _ACTOR.search(event.target)
    if not named or event.object_ref.resource == "events" or 300 <= event.code < 500:
        return None
    sent: Json = msgspec.json.decode(event.request_object)
    meta: Json = sent.get("metadata") or sent.get("preconditions", {})
    annotations: Json = meta.get("annotations", {})
    what = "delete" if event.verb == "delete" else _what(sent, annotations)
    return Deed(
        named.group(),
        f"{what} {event.object_ref.resource}",
        meta.get("uid", ""),
        event.request_received_timestamp,
        event.stage_timestamp,
        event.sender,
        meta.get("resourceVersion", ""),
        (annotations.get(names.SCALED_BY) or "").partition(" ")[0],
        doubtful=not event.accepted,
    )


def _what(sent: Json, annotations: Json) -> str:
    spec: Json = sent.get("spec", {})
    steps: str | None = annotations.get(names.STEPS)
    signs: dict[str, object] = {
        "rest": spec.get("replicas") == 0 or spec.get("suspend"),
        "wake": {"replicas", "suspend"} & spec.keys(),
        "deactivate": "deactivated" in spec,
        f"status {_results(sent.get('status', {}))}".strip(): "status" in sent,
        "mark": annotations.get(names.ENDED_BY),
        "warn": annotations.get(names.WARNING),
        _recorded(steps or ""): steps,
    }
    return next((what for what, sign in signs.items() if sign), "note")


def _recorded(steps: str) -> str:
    if '"Pending"' in steps:
        return "pending"
    return "outcome" if '"done"' in steps else "woken"


def _results(status: Json) -> str:
    """Say how far the policies of a NamespaceManager, or the end of an Ephemerator, have come."""
    results: list[str] = [each["result"] for each in status.get("policies", ())]
    return "".join(results) or ("Pending" if status.get("ending") else "")


@dataclass(slots=True)
class Tail:
    """The audit log from a position on; asked again and again for what is new."""

    path: Path
    position: int
    events: list[AuditEvent] = field(default_factory=list[AuditEvent])
    """Writes of the operators, those of their Lease among them."""
    deeds: list[Deed] = field(default_factory=list[Deed])
    holder: str = ""
    """Which replica wrote the Lease last."""

    def follow(self) -> list[Deed]:
        """Read on; returns the deeds that are new."""
        new = list[Deed]()
        for event in self._read():
            if event.user.username != OPERATOR or event.verb not in WRITES:
                continue
            self.events.append(event)
            if event.object_ref.name == names.LEASE and event.accepted:
                self.holder = event.sender
            if found := deed(event):
                new.append(found)
        self.deeds += new
        return new

    def _read(self) -> Iterator[AuditEvent]:
        decoder = msgspec.json.Decoder(AuditEvent)
        with self.path.open("rb") as log:
            log.seek(self.position)
            for line in log:
                if not line.endswith(b"\n"):
                    break  # half written
                self.position += len(line)
                yield decoder.decode(line)

"""What people are told of Ephemerators and NamespaceManagers: log, metrics, Events, history."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

from dayfly_core import instant
from dayfly_core.errand import (
    Act,
    Announce,
    Came,
    EndNamespace,
    Outcome,
    ScaleNamespace,
    Send,
)
from dayfly_core.history import Entry
from dayfly_core.objects import NAMESPACES, Key
from dayfly_core.reasons import Reason
from dayfly_operator.metrics import Metrics
from dayfly_operator.telling import Teller

log = logging.getLogger(__name__)


class Notes(Protocol):
    """The durable history."""

    def note(self, entry: Entry) -> None:
        """Take an entry; never waits."""
        ...


class Author(msgspec.Struct, frozen=True):
    """The object of ours that acts."""

    key: Key
    uid: str

    @property
    def text(self) -> str:
        """``NamespaceManager/team/ci``: as it is written on what it ends."""
        kind, namespace, name = self.key.resource.kind, self.key.namespace, self.key.name
        return "/".join(part for part in (kind, namespace, name) if part)


class OwnReports(msgspec.Struct, frozen=True):
    """Tells what was done and what was not, and why. Never waits."""

    teller: Teller
    metrics: Metrics
    notes: Notes
    now: Callable[[], datetime]
    dry_run: bool = False

    def ended(self, author: Author, act: EndNamespace, sent_at: datetime) -> None:
        """Say that a namespace was deleted."""
        lag = (sent_at - act.due).total_seconds()
        end = instant.render(act.due.replace(microsecond=0))
        log.info(
            "%s object=%s uid=%s by=%s due=%s lag-ms=%.0f",
            "would delete" if self.dry_run else "deleted",
            f"namespaces/{act.name}",
            act.uid,
            author.text,
            end,
            lag * 1000,
        )
        self.metrics.lag.observe(lag)
        self.metrics.ended.labels(author.key.resource.kind, NAMESPACES.group_resource).inc()
        target = Key(NAMESPACES, "", act.name)
        self.teller.tell(target, act.uid, Reason.DELETED, f"deleted by {author.text}, due at {end}")
        self.teller.tell(author.key, author.uid, Reason.DELETED, f"deleted namespace {act.name}")
        self._note(author, "DELETE", target, act)

    def scaled(self, key: Key, uid: str, note: str) -> None:
        """Say on a workload what has become of it."""
        self.teller.tell(key, uid, Reason.SCALED, note)

    def scaled_down(self, author: Author, act: ScaleNamespace, note: str) -> None:
        """Say that workloads of a namespace were scaled down."""
        verb = "would scale down" if self.dry_run else "scaled down"
        log.info("%s namespace=%s by=%s note=%s", verb, act.namespace, author.text, note)
        target = Key(NAMESPACES, "", act.namespace)
        self.teller.tell(target, act.uid, Reason.SCALED_DOWN, f"by {author.text}: {note}")
        self.teller.tell(author.key, author.uid, Reason.SCALED_DOWN, note)
        self._note(author, "SCALE_DOWN", target, act)

    def called(self, author: Author, act: Send, note: str) -> None:
        """Say that a receiver has taken a call."""
        log.info("called by=%s id=%s attempt=%d", author.text, act.id, act.attempt)
        self.teller.tell(author.key, author.uid, Reason.CALL_DELIVERED, note)

    def given_up(self, author: Author, act: Act, note: str) -> None:
        """Say that an act failed too often; what was to be sent is a dead letter now."""
        log.warning("given up by=%s note=%s", author.text, note)
        if isinstance(act, Send):
            self.metrics.dead_letters.labels(author.key.resource.kind).inc()
            self.teller.warn(author.key, author.uid, Reason.CALL_GIVEN_UP, note)

    def announced(self, author: Author, act: Announce) -> None:
        """Say on a namespace what will become of it."""
        target = Key(NAMESPACES, "", act.namespace)
        self.teller.warn(target, act.uid, Reason.WARNED, act.sentence)

    def came(self, author: Author, outcome: Outcome, note: str) -> None:
        """Hear what came of an act: what was done is told already, what was not is told here."""
        if outcome.result is Came.DONE:
            self.teller.settled(author.key)
        else:
            self.withheld(author, outcome.reason, note or outcome.note)

    def withheld(self, author: Author, reason: str, note: str) -> None:
        """Say why something is not done although its time has come; once while it is the same."""
        if not self.teller.news(author.key, f"{author.uid} {reason} {note}"):
            return
        log.warning("withheld by=%s reason=%s note=%s", author.text, reason, note)
        self.metrics.withheld.labels(author.key.resource.kind, reason).inc()
        self.teller.warn(author.key, author.uid, reason, note)

    def removed(self, author: Author) -> None:
        """Say that an object that has done its work is gone."""
        verb = "would delete" if self.dry_run else "deleted"
        log.info("%s object=%s uid=%s: its namespace is gone", verb, author.key, author.uid)

    def _note(
        self, author: Author, action: str, target: Key, act: EndNamespace | ScaleNamespace
    ) -> None:
        entry = Entry(
            at=self.now(),
            action=action,
            kind=target.resource.group_resource,
            name=target.name,
            uid=act.uid,
            by=author.text,
            due=act.due,
            id=act.id,
        )
        self.notes.note(entry)

"""The parts that act on objects of other people, made and given to each other."""

from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Protocol

import msgspec

from dayfly_core.guard import Guard
from dayfly_core.outgoing.outbox import Retries
from dayfly_kube.client import Client
from dayfly_operator.effects import Effects, Kit, Reports
from dayfly_operator.outgoing.courier import Calls
from dayfly_operator.scaling import Means, Scaler, Turns, Witness
from dayfly_operator.workloads import Finder, Workloads
from dayfly_operator.writing import Writer


class ActMeans(msgspec.Struct, frozen=True):
    """What acts need."""

    client: Client
    writer: Writer
    finder: Finder
    guard: Callable[[], Guard]
    turns: Turns
    calls: Calls
    now: Callable[[], datetime]
    secrets: str
    """The namespace of the Secrets that sign webhooks: our own."""
    retries: Retries


class Telling(Reports, Witness, Protocol):
    """Who tells people of acts, and of each workload."""


def scaler(means: ActMeans, witness: Witness) -> Scaler:
    """Make what scales workloads down and wakes them."""
    workloads = Workloads(means.client, means.finder)
    return Scaler(Means(workloads, means.writer, means.guard, means.turns, witness))


def effects(means: ActMeans, reports: Telling) -> Effects:
    """Make the hands of the engine."""
    return Effects(
        Kit(
            writer=means.writer,
            scaler=scaler(means, reports),
            calls=means.calls,
            reports=reports,
            now=means.now,
            chance=Random().random,
            secrets=means.secrets,
            retries=means.retries,
        )
    )

"""The history, and who watches for it what others do, made and given to each other."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from dayfly_kube.client import Client
from dayfly_operator.history import History
from dayfly_operator.memory import Memory
from dayfly_operator.metrics import Metrics
from dayfly_operator.news import News
from dayfly_operator.onlooker import AHEAD, Onlooker
from dayfly_operator.policies import PolicyBook
from dayfly_operator.settings import Settings
from dayfly_operator.watching import Watching
from dayfly_operator.world import Guards, World
from dayfly_operator.writing import Gate


class Sources(msgspec.Struct, frozen=True):
    """What is known, to judge what is seen by."""

    book: PolicyBook
    memory: Memory
    guard: Guards
    watching: Watching


class Means(msgspec.Struct, frozen=True):
    """What it takes to write, and to know when."""

    client: Client
    settings: Settings
    gate: Gate
    now: Callable[[], datetime]


def history(means: Means, metrics: Metrics, news: News) -> History:
    """Make the writer."""
    settings = means.settings
    made = History(
        means.client, settings.namespace, settings.identity, keeping=not settings.dry_run
    )
    made.noted, made.dropping = news.history_noted, metrics.history_dropped.inc
    return made


def onlooker(means: Means, sources: Sources, told: History) -> Onlooker:
    """Make who sees what others do, and have it asked what that was."""

    def later() -> datetime:
        return means.now() + AHEAD

    world = World(sources.book, sources.memory, sources.guard, means.client, later)
    made = Onlooker(world.plan, sources.watching, means.gate, means.now)
    sources.watching.replaced, told.seen = made.replaced, made.testify
    return made

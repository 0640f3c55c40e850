"""The parts of one replica, made and given to each other. Nothing runs yet, and nothing waits."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from dayfly_core.objects import NAMESPACES, Key, ObjectMeta
from dayfly_core.policies import GroupResource
from dayfly_kube.client import Client
from dayfly_kube.discovery import Discovery
from dayfly_kube.events import EventRecorder
from dayfly_kube.guarding import GuardBook
from dayfly_operator import act_parts, history_parts
from dayfly_operator.act_parts import ActMeans
from dayfly_operator.brakes import parts as breaker_parts
from dayfly_operator.brakes.parts import BreakerParts
from dayfly_operator.complaints import Complaints
from dayfly_operator.crew import Crew
from dayfly_operator.engine import Engine
from dayfly_operator.helm import parts as release_parts
from dayfly_operator.helm.parts import Colleagues, ReleaseParts
from dayfly_operator.helm.reports import Ears
from dayfly_operator.leadership import Leadership
from dayfly_operator.members import Members
from dayfly_operator.memory import Memory
from dayfly_operator.metrics import Metrics, Readings
from dayfly_operator.namespaces import Namespaces
from dayfly_operator.naming.parts import Means, NameParts
from dayfly_operator.news import News
from dayfly_operator.outgoing import parts as outgoing_parts
from dayfly_operator.outgoing.caller import Desk, NoCalls
from dayfly_operator.outgoing.courier import Courier, Sender
from dayfly_operator.outgoing.signing import Keys
from dayfly_operator.own.parts import OwnKindParts, OwnMeans
from dayfly_operator.own.reports import OwnReports
from dayfly_operator.own.stays import StayDesk
from dayfly_operator.pace import Appointments, Pacer, of_notes
from dayfly_operator.policies import PolicyBook
from dayfly_operator.reports import Reports
from dayfly_operator.rights import Obstacle, Rights
from dayfly_operator.settings import Settings
from dayfly_operator.stamped import Stamped
from dayfly_operator.status import StatusKeeper
from dayfly_operator.stuck import Examiner
from dayfly_operator.telling import Teller
from dayfly_operator.unrecorded import Unrecorded
from dayfly_operator.watching import Watching
from dayfly_operator.webhooks import parts as webhook_parts
from dayfly_operator.webhooks.parts import WebhookParts
from dayfly_operator.world import World
from dayfly_operator.writing import Gated, Polite, Rehearsal, permit


class Clocks(msgspec.Struct, frozen=True):
    """What time it is, for people and for intervals."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    """``CLOCK_BOOTTIME``: knowledge does not stay fresh while the machine sleeps."""


class Tools(msgspec.Struct, frozen=True):
    """What every part needs."""

    client: Client
    """For everything but acts."""
    writer: Client
    """For acts alone: it asks ``writing.permit`` before each request."""
    settings: Settings
    clocks: Clocks
    leadership: Leadership


class Parts:
    """Knowledge, hands and keepers of one replica."""

    def __init__(self, tools: Tools, news: News) -> None:
        self._tools = tools
        self.metrics = Metrics()
        self._discovery = Discovery(tools.client)
        writer = Rehearsal() if tools.settings.dry_run else tools.writer
        self._writer = Gated(writer, tools.leadership)
        self._make_knowledge(news)
        self._make_calls()
        self._make_history(news)
        self._make_engine(news)
        self.names = NameParts(self._means(), self.complaints, news)
        self.own = self._own_kinds()
        self._make_keepers(news)
        self.metrics.read(self._readings())
        self.metrics.read_claims(self.names.census)

    def _make_knowledge(self, news: News) -> None:
        client, clocks = self._tools.client, self._tools.clocks
        namespace = self._tools.settings.namespace
        self.book = PolicyBook(client, clocks.monotonic, news.policies_changed, clocks.now)
        self.guard = GuardBook(client, namespace, clocks.monotonic, news.guard_changed)
        self.watching = Watching(client, self._discovery, self, clocks.monotonic)
        self.watching.relabelled = news.namespace_relabelled
        self._memory = Memory(self.watching, client, clocks.monotonic)
        self._world = World(self.book, self._memory, self.guard, client, clocks.now)
        self._world.ageing = news.policies_ageing
        self._unrecorded = Unrecorded()

    def _make_calls(self) -> None:
        tools, settings = self._tools, self._tools.settings
        ask = permit(tools.leadership)
        desk = Desk(tools.clocks.now, ask, self.metrics.called, settings.webhooks.ca)
        real = outgoing_parts.caller(settings.webhooks, tools.client.config.server, desk)
        self.caller: Sender = NoCalls() if settings.dry_run else real
        self.courier = Courier(self.caller, Keys(tools.client))

    def _make_history(self, news: News) -> None:
        tools, now = self._tools, self._tools.clocks.now
        means = history_parts.Means(tools.client, tools.settings, tools.leadership, now)
        self.history = history_parts.history(means, self.metrics, news)
        sources = history_parts.Sources(self.book, self._memory, self.guard, self.watching)
        self._onlooker = history_parts.onlooker(means, sources, self.history)

    def _make_engine(self, news: News) -> None:
        settings, now = self._tools.settings, self._tools.clocks.now
        polite = Polite(self._writer, self._busy)
        self.recorder = EventRecorder(polite, "dayfly-operator", settings.identity, now)
        self.recorder.dropping = lambda why: self.metrics.events_dropped.labels(why).inc()
        teller = self._teller = Teller(self.recorder, self._policy_uid)
        self.reports = Reports(teller, self.metrics, self.history, now, dry_run=settings.dry_run)
        self.complaints = Complaints(teller, self.metrics)
        self._pacer = Pacer(settings.pace, self._tools.clocks.monotonic)
        self._members = Members(self._tools.client, self._discovery, lambda: self.watching.served)
        self._namespaces = Namespaces(
            self._members,
            Examiner(self._tools.client, self._discovery),
            now,
            timedelta(seconds=settings.stuck_after),
            news.stuck_changed,
        )
        self.braking = self._braking(news, teller)
        brakes = self.braking.breakers
        self._onlooker.breaker_is_open = lambda policy: policy in brakes.open()
        unrecorded = self._unrecorded
        colleagues = Colleagues(self._world, self._pacer, self._namespaces, brakes, unrecorded)
        ears = Ears(
            teller,
            self.metrics,
            self.history,
            news.stamped_changed,
            dry_run=settings.dry_run,
        )
        self.releases = self._release_parts(colleagues, ears, news)
        hands, releases = act_parts.effects(self._act_means(), self.reports), self.releases.releases
        knowledge = self._world, hands, self._pacer, self._namespaces, self.complaints
        notes = Appointments(of_notes(settings.pace), self._tools.clocks.monotonic)
        crew = Crew(*knowledge, brakes, releases, unrecorded, notes)
        self.engine = Engine(
            crew,
            self._tools.leadership,
            now,
            workers=settings.workers,
            changed=news.stamped_changed,
        )

    def _braking(self, news: News, teller: Teller) -> BreakerParts:
        return BreakerParts(
            breaker_parts.Means(
                book=self.book,
                objects=self.watching,
                held=self._world.held,
                guard=self.guard,
                teller=teller,
                metrics=self.metrics,
                news=news,
                now=self._tools.clocks.now,
            )
        )

    def _act_means(self) -> ActMeans:
        tools = self._tools
        return ActMeans(
            client=tools.client,
            writer=self._writer,
            finder=self._discovery,
            guard=self.guard.certain,
            turns=self._pacer,
            calls=self.courier,
            now=tools.clocks.now,
            secrets=tools.settings.namespace,
            retries=tools.settings.webhooks.retries,
        )

    def _release_parts(self, colleagues: Colleagues, ears: Ears, news: News) -> ReleaseParts:
        tools = release_parts.Tools(
            self._tools.client,
            self._writer,
            self._discovery,
            lambda: self.book.known.policies,
            self.guard.certain,
            self._tools.clocks.now,
        )
        return ReleaseParts(tools, colleagues, ears, news.releases_begun)

    def _means(self) -> Means:
        tools = self._tools
        return Means(
            client=tools.client,
            writer=self._writer,
            busy=self._busy,
            finder=self._discovery,
            watches=self.watching,
            gate=tools.leadership,
            settings=tools.settings,
            now=tools.clocks.now,
            monotonic=tools.clocks.monotonic,
        )

    def _own_kinds(self) -> OwnKindParts:
        tools, now = self._tools, self._tools.clocks.now
        means = OwnMeans(
            acting=self._act_means(),
            watches=self.watching,
            listed=self.watching.namespaces.synced.is_set,
            gate=tools.leadership,
            settings=tools.settings,
            guard=self.guard,
            members=self._members,
            reports=OwnReports(
                self._teller, self.metrics, self.history, now, dry_run=tools.settings.dry_run
            ),
        )
        stay_desk = StayDesk(tools.client, self._writer, self.book, self._teller, now)
        return OwnKindParts(means, stay_desk)

    def _busy(self) -> bool:
        return self.engine.queue.load.urgent > 0

    def _make_keepers(self, news: News) -> None:
        tools = self._tools
        self.webhooks = WebhookParts(
            webhook_parts.Means(
                client=tools.client,
                writer=self._writer,
                gate=tools.leadership,
                namespace=tools.settings.namespace,
                serving_names=tools.settings.serving_names,
                monotonic=tools.clocks.monotonic,
            ),
            news,
        )
        self.rights = Rights(tools.client, self._discovery)
        self.status = StatusKeeper(self._writer, self.book, self, self.braking, tools.clocks.now)

    # What the parts ask of each other.

    def stamped(self, key: Key, found: Stamped | None) -> None:
        """Pass a watch's news on."""
        self.releases.members.stamped(key, found)
        self.braking.surprises.seen(key, found)
        self.engine.stamped(key, found)
        if key.resource != NAMESPACES:
            self.names.register.stamped(key, found.meta if found else None)

    def unstamped(self, key: Key) -> None:
        """Pass a watch's news on to the engine."""
        self.engine.unstamped(key)

    def namespace(self, name: str, found: ObjectMeta | None) -> None:
        """Pass a watch's news on to the register of names, and to whoever manages the namespace."""
        self.names.register.namespace(name, found)
        self.own.namespace(name)

    def wants(self, key: Key, meta: ObjectMeta) -> bool:
        """Whether a policy wants to stamp the object."""
        return self._world.wants(key, meta)

    def all_stamped(self) -> Iterator[tuple[Key, Stamped]]:
        """Yield every stamped object that its policy still fits, with what it did not take."""
        held = (pair for pair in self.watching.all_stamped() if self._world.held(*pair))
        return ((key, self._unrecorded.stamped(key, found)) for key, found in held)

    def obstacles(self) -> Mapping[GroupResource, Obstacle]:
        """Return what stands in the way of ending things, by kind."""
        return self.rights.obstacles

    def stuck(self) -> Iterable[tuple[str, str]]:
        """Yield policy and diagnosis of each namespace that does not go."""
        return [(found.policy, found.diagnosis.text) for found in self._namespaces.stuck()]

    def release_obstacle(self) -> Obstacle | None:
        """Return what stands in the way of ending Helm releases at all."""
        return self.rights.of_releases

    def scaling_obstacles(self) -> Sequence[Obstacle]:
        """Return what keeps workloads from being scaled down with the namespace around them."""
        return self.rights.of_scaling

    def scales_namespaces(self) -> bool:
        """Whether a policy scales down all that a namespace holds."""
        return any(policy.scales_namespaces for policy in self.book.known.policies)

    def stopped_releases(self) -> Iterable[tuple[str, str]]:
        """Yield policy and reason of each release that has come to its end and stays."""
        return self.releases.releases.stopped()

    def switched_off(self) -> Iterable[str]:
        """Yield the webhook configurations that do not exist."""
        return self.webhooks.rules.missing

    def asked_about(self) -> frozenset[GroupResource]:
        """Return the kinds that are sent to the webhooks."""
        return self.webhooks.rules.asked_about()

    def _policy_uid(self, name: str) -> str:
        entry = self.book.known.entries.get(name)
        return entry.meta.uid if entry else ""

    def _count_stopped(self) -> float:
        # Who does not lead asks nobody, and would tell of what it knew when it did.
        return float(len(tuple(self.stopped_releases()))) if self._tools.leadership.holds() else 0.0

    def _readings(self) -> Readings:
        leadership = self._tools.leadership
        return Readings(
            leading=lambda: float(leadership.holds()),
            term=lambda: float(leadership.term),
            stamped=lambda: float(sum(1 for _ in self.watching.all_stamped())),
            waiting=lambda: float(
                self.engine.queue.load.waiting + self.own.queue.queue.load.waiting
            ),
            deadlines=lambda: float(len(self.engine.deadlines) + len(self.own.queue.deadlines)),
            stuck=lambda: float(len(tuple(self._namespaces.stuck()))),
            switched_off=lambda: float(len(self.webhooks.rules.missing)),
            clock_skew=lambda: self._tools.client.clock_skew or 0.0,
            stopped_releases=self._count_stopped,
            name_conflicts=lambda: float(self.names.in_conflict()),
        )

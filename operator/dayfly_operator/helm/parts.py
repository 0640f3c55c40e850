"""The parts that end Helm releases, made and given to each other."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from dayfly_core import selectors
from dayfly_core.api import Enforcement, Unit
from dayfly_core.guard import Guard
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policies
from dayfly_kube.client import Client
from dayfly_kube.discovery import Discovery
from dayfly_kube.releases import ReleaseReader
from dayfly_operator.crew import Brakes, Turns, Units, World
from dayfly_operator.helm.acts import ReleaseActs
from dayfly_operator.helm.members import ReleaseMembers
from dayfly_operator.helm.releases import HelmReleases, Means
from dayfly_operator.helm.reports import Ears, ReleaseReports
from dayfly_operator.helm.survey import ReleaseSurvey, Sources
from dayfly_operator.rights import OwnRights
from dayfly_operator.unrecorded import Unrecorded
from dayfly_operator.writing import Writer


class Tools(msgspec.Struct, frozen=True):
    """What these parts need of the others."""

    client: Client
    writer: Writer
    discovery: Discovery
    policies: Callable[[], Policies]
    guard: Callable[[], Guard]
    now: Callable[[], datetime]


class Colleagues(msgspec.Struct, frozen=True):
    """Who does for releases what is done for single objects."""

    world: World
    turns: Turns
    units: Units
    brakes: Brakes
    unrecorded: Unrecorded


class ReleaseParts:
    """Knowledge and hands of one replica, as far as they are about Helm releases."""

    def __init__(
        self, tools: Tools, colleagues: Colleagues, ears: Ears, begun: Callable[[], None]
    ) -> None:
        self.members = ReleaseMembers()
        self.reports = ReleaseReports(ears)
        self._policies = tools.policies
        reader = ReleaseReader(tools.client, tools.discovery)
        means = Means(
            survey=self._survey(tools, colleagues, reader),
            acts=ReleaseActs(tools.writer, reader, tools.now),
            reader=reader,
            reports=self.reports,
            world=colleagues.world,
            turns=colleagues.turns,
            ends_releases=self._ends_releases,
            now=tools.now,
        )
        self.releases = HelmReleases(means, begun)

    def _survey(self, tools: Tools, colleagues: Colleagues, reader: ReleaseReader) -> ReleaseSurvey:
        sources = Sources(
            reader=reader,
            world=colleagues.world,
            brakes=colleagues.brakes,
            units=colleagues.units,
            permissions=OwnRights(tools.client),
            guard=tools.guard,
            members=self.members.of,
            noted=colleagues.unrecorded.noted,
            reaches=self._reaches,
            now=tools.now,
        )
        return ReleaseSurvey(sources)

    @property
    def wanted(self) -> bool:
        """Whether a policy ends releases as one: then it takes rights of its own."""
        return any(policy.unit is Unit.RELEASE for policy in self._policies())

    def _reaches(self, name: str, namespace: ObjectMeta) -> bool:
        policy = self._policies().get(name)
        # One that is gone ends nothing, and calls off what it has begun.
        return policy is None or selectors.matches(policy.namespace_selector, namespace.label_map)

    def _ends_releases(self, name: str) -> bool:
        policy = self._policies().get(name)
        if policy is None or policy.suspended or policy.enforcement is Enforcement.AUDIT:
            return False
        return policy.unit is Unit.RELEASE

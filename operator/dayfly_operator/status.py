"""The ``status`` of each ExpiryPolicy: how many objects, which end is next, and is all well."""

import logging
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from dayfly_core import api, instant
from dayfly_core.api import ConditionStatus, Enforcement, Unit
from dayfly_core.conditions import Said, with_condition
from dayfly_core.objects import EXPIRY_POLICIES, Key
from dayfly_core.policies import GroupResource
from dayfly_core.reasons import Condition, Reason
from dayfly_kube.errors import ApiError
from dayfly_operator import census
from dayfly_operator.census import Acting, Tally
from dayfly_operator.policies import Entry, PolicyBook
from dayfly_operator.rights import Obstacle
from dayfly_operator.stamped import Stamped
from dayfly_operator.writing import Writer

log = logging.getLogger(__name__)

MOST_NAMED: Final = 10
"""Releases that one condition names."""

FRESH: Final = 1.0
"""Seconds: a status is written over the version of the policy that it was computed for."""


class Facts(msgspec.Struct, frozen=True):
    """What a policy's status is made of."""

    tally: Tally = msgspec.field(default_factory=Tally)
    breaker: api.Breaker | None = None
    """Set while it is open."""
    obstacles: Sequence[Obstacle] = ()
    stuck: Sequence[str] = ()
    stopped_releases: Sequence[str] = ()
    """Helm releases that have come to their end and stay, and why."""
    switched_off: Sequence[str] = ()
    """Webhook configurations that do not exist."""
    unasked: Sequence[str] = ()
    """Kinds of the policy that the API server does not send to the webhooks (yet)."""


def status_of(entry: Entry, facts: Facts, now: datetime) -> api.ExpiryPolicyStatus:
    """Return the status as it should be; equal to the present one if there is nothing to say."""
    conditions, generation = entry.status.conditions, entry.meta.generation
    for kind, said in _said(entry, facts):
        conditions = with_condition(conditions, kind, said, generation=generation, now=now)
    tally = facts.tally
    return api.ExpiryPolicyStatus(
        observed_generation=generation,
        matched=tally.matched,
        next_end=instant.render(tally.next_end) if tally.next_end else UNSET,
        next_ends=[coming.told for coming in tally.coming],
        steps=_steps(entry),
        reach=_reach(entry),
        breaker=facts.breaker or UNSET,
        conditions=list(conditions),
    )


def _said(entry: Entry, facts: Facts) -> Iterator[tuple[str, Said]]:
    """Yield the conditions: all but two are only there once there was something to say."""
    known = {condition.type for condition in entry.status.conditions}
    yield Condition.READY, _ready(entry, facts)
    yield Condition.ENFORCEABLE, _enforceable(facts.obstacles)
    if facts.stuck or Condition.STUCK in known:
        yield Condition.STUCK, _stuck(facts.stuck)
    if facts.stopped_releases or Condition.RELEASE_BLOCKED in known:
        yield Condition.RELEASE_BLOCKED, _stopped(facts.stopped_releases)
    if facts.breaker or Condition.BREAKER_OPEN in known:
        yield Condition.BREAKER_OPEN, _breaker(facts.breaker)
    if facts.tally.given_up or Condition.STEPS_GIVEN_UP in known:
        yield Condition.STEPS_GIVEN_UP, _given_up(facts.tally)


def _steps(entry: Entry) -> list[api.KnownStep] | UnsetType:
    """Return since when each step is known; while the policy cannot be read, as it was."""
    if entry.policy is None:
        return entry.status.steps
    known = entry.policy.known
    return [
        api.KnownStep(step=step.name, since=instant.render(known[step.name]))
        for step in entry.policy.steps
        if step.name in known
    ]


def _reach(entry: Entry) -> api.Reach | UnsetType:
    if entry.reach is None:
        return entry.status.reach
    return api.Reach(digest=entry.reach.digest, since=instant.render(entry.reach.since))


def _ready(entry: Entry, facts: Facts) -> Said:
    if entry.policy is None:
        return ConditionStatus.FALSE, Reason.INVALID_POLICY, entry.fault
    if entry.policy.suspended:
        return ConditionStatus.FALSE, Reason.SUSPENDED, "spec.suspend is true: nothing is ended"
    if entry.policy.enforcement is Enforcement.AUDIT:
        return ConditionStatus.TRUE, Reason.AUDIT_ONLY, "reports, and changes and ends nothing"
    return _admitting(facts)


def _admitting(facts: Facts) -> Said:
    if facts.switched_off:
        return ConditionStatus.FALSE, Reason.ADMISSION_OFF, _switched_off(facts.switched_off)
    if facts.unasked:
        says = f"the API server does not ask Dayfly about {', '.join(facts.unasked)} yet"
        return ConditionStatus.FALSE, Reason.ADMISSION_PENDING, says
    return ConditionStatus.TRUE, Reason.ACTIVE, "in force"


def _switched_off(gone: Sequence[str]) -> str:
    *most, last = gone
    named = f"s {', '.join(most)} and {last} are" if most else f" {last} is"
    return (
        f"webhook configuration{named} missing: nothing is stamped or refused when it is deployed;"
        " the operator stamps it later, and goes on ending; to switch admission on again,"
        " kubectl apply -k manifests/base"
    )


def _enforceable(obstacles: Sequence[Obstacle]) -> Said:
    if not obstacles:
        return ConditionStatus.TRUE, Reason.ALL_RIGHTS, "every kind exists and may be ended"
    sentences = "; ".join(sorted(obstacle.message for obstacle in obstacles))
    return ConditionStatus.FALSE, obstacles[0].reason, sentences


def _given_up(tally: Tally) -> Said:
    if not tally.given_up:
        return ConditionStatus.FALSE, Reason.NO_STEP_GIVEN_UP, "no step was given up"
    objects = f"{tally.given_up} object{'' if tally.given_up == 1 else 's'}"
    message = f"steps of {objects} were given up: {'; '.join(tally.first_given_up)}"
    return ConditionStatus.TRUE, Reason.STEPS_GIVEN_UP, message


def _stuck(diagnoses: Sequence[str]) -> Said:
    if not diagnoses:
        return ConditionStatus.FALSE, Reason.DELETED, "everything that was ended is gone"
    return ConditionStatus.TRUE, Reason.NAMESPACE_STUCK, "; ".join(diagnoses)


def _stopped(sentences: Sequence[str]) -> Said:
    if not sentences:
        return ConditionStatus.FALSE, Reason.RELEASE_ENDED, "no Helm release is kept from its end"
    more = len(sentences) - MOST_NAMED
    told = [*sentences[:MOST_NAMED], *([f"and {more} more"] if more > 0 else [])]
    return ConditionStatus.TRUE, Reason.RELEASE_BLOCKED, "; ".join(told)


def _breaker(breaker: api.Breaker | None) -> Said:
    if breaker is None:
        return ConditionStatus.FALSE, Reason.BREAKER_CLOSED, "nothing is held back"
    return ConditionStatus.TRUE, Reason.BREAKER_OPEN, breaker.message


class Braking(Acting, Protocol):
    """What policies do, and what keeps them from it."""

    def report(self, policy: str) -> api.Breaker | None:
        """Return what to say of a policy's breaker; None while it is closed."""
        ...


class Surroundings(Protocol):
    """What a status reports on."""

    def all_stamped(self) -> Iterator[tuple[Key, Stamped]]:
        """Yield every stamped object that its policy still fits."""
        ...

    def obstacles(self) -> Mapping[GroupResource, Obstacle]:
        """Return what stands in the way, by kind."""
        ...

    def stuck(self) -> Iterable[tuple[str, str]]:
        """Yield policy and diagnosis of what does not go."""
        ...

    def scaling_obstacles(self) -> Sequence[Obstacle]:
        """Return what keeps workloads from being scaled down with the namespace around them."""
        ...

    def release_obstacle(self) -> Obstacle | None:
        """Return what stands in the way of ending Helm releases at all."""
        ...

    def stopped_releases(self) -> Iterable[tuple[str, str]]:
        """Yield policy and reason of each release that has come to its end and stays."""
        ...

    def switched_off(self) -> Iterable[str]:
        """Yield the webhook configurations that do not exist."""
        ...

    def asked_about(self) -> Container[GroupResource]:
        """Return the kinds that are sent to the webhooks."""
        ...


class StatusKeeper:
    """Writes what has changed; the caller sees to it that this is not too often."""

    def __init__(
        self,
        writer: Writer,
        book: PolicyBook,
        surroundings: Surroundings,
        braking: Braking,
        now: Callable[[], datetime],
    ) -> None:
        self._writer = writer
        self._book = book
        self._surroundings = surroundings
        self._braking = braking
        self._now = now

    async def tend(self) -> bool:
        """Compare each policy's status with the facts, write those that differ; if any did."""
        tallies = await census.count(self._surroundings.all_stamped(), self._braking)
        if any(self._differing(tallies)):
            await self._book.fresh(FRESH)
        differing = list(self._differing(tallies))
        for entry, status in differing:
            await self._write(entry, status)
        return bool(differing)

    def _differing(
        self, tallies: Mapping[str, Tally]
    ) -> Iterator[tuple[Entry, api.ExpiryPolicyStatus]]:
        around = self._surroundings
        obstacles, stuck = around.obstacles(), tuple(around.stuck())
        asked = around.asked_about()
        switched_off = sorted(around.switched_off())
        stopped = tuple(around.stopped_releases())
        for name, entry in self._book.known.entries.items():
            kinds = entry.policy.resources if entry.policy else ()
            facts = Facts(
                tally=tallies.get(name, Tally()),
                breaker=self._braking.report(name),
                obstacles=[
                    *(obstacles[kind] for kind in sorted(kinds) if kind in obstacles),
                    *self._of_releases(entry),
                    *self._of_scaling(entry),
                ],
                stopped_releases=[text for policy, text in stopped if policy == name],
                stuck=[diagnosis for policy, diagnosis in stuck if policy == name],
                switched_off=switched_off,
                unasked=[
                    group_resource(kind)
                    for kind in sorted(kinds)
                    if kind not in asked and kind not in obstacles
                ],
            )
            status = status_of(entry, facts, self._now())
            if status != entry.status:
                yield entry, status

    def _of_releases(self, entry: Entry) -> Iterator[Obstacle]:
        obstacle = self._surroundings.release_obstacle()
        if obstacle and entry.policy and entry.policy.unit is Unit.RELEASE:
            yield obstacle

    def _of_scaling(self, entry: Entry) -> Sequence[Obstacle]:
        scales = entry.policy is not None and entry.policy.scales_namespaces
        return self._surroundings.scaling_obstacles() if scales else ()

    async def _write(self, entry: Entry, status: api.ExpiryPolicyStatus) -> None:
        meta = entry.meta
        head = {"uid": meta.uid, "resourceVersion": meta.resource_version}
        body = {"metadata": head, "status": _patch(status)}
        try:
            await self._writer.merge_patch(f"{EXPIRY_POLICIES.path(name=meta.name)}/status", body)
        except ApiError as error:
            if not (error.conflict or error.not_found):
                raise
            # Changed or deleted meanwhile: that change is news, and wakes whoever calls this.
            log.debug("status is for another version policy=%s", meta.name)


def group_resource(kind: GroupResource) -> str:
    """Write a kind as kubectl does: ``deployments.apps``."""
    return ".".join(part for part in reversed(kind) if part)


def _patch(status: api.ExpiryPolicyStatus) -> dict[str, object]:
    """Spell what is unset as null: in a merge patch, absence means unchanged."""
    fields: dict[str, object] = msgspec.to_builtins(status)
    return {"nextEnd": None, "breaker": None, **fields}

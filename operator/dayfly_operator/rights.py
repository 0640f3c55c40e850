"""What the operator may do to the kinds that policies name, asked of the API server itself."""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

import msgspec

from dayfly_core import names
from dayfly_core.objects import SECRETS, Resource
from dayfly_core.policies import GroupResource
from dayfly_core.reasons import Reason
from dayfly_core.scaling import WAYS
from dayfly_kube.errors import ApiError

REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
NEEDED: Final = ("get", "list", "watch", "patch", "delete")
"""To see an object, to stamp what slipped past the webhook, and to end it."""

FOR_RELEASES: Final = ("get", "list", "patch", "delete")
"""On Secrets, where Helm stores releases: to find one, to record its end, to end it."""

FOR_SCALING: Final = ("get", "list", "patch")
"""On what is scaled down with the namespace around it: to find it, and to write its replicas."""

RECHECK: Final = 30.0
"""Seconds until a missing right or kind is looked for again."""


class Reviewer(Protocol):
    """The client, for questions: a review is created, but nothing is stored."""

    async def create(self, path: str, body: object) -> bytes:
        """POST."""
        ...


class Verbs(Protocol):
    """What the API server can do with a kind at all."""

    async def find(self, group: str, plural: str) -> Resource | None:
        """Return the kind, None if it is not served."""
        ...

    async def verbs(self, group: str, plural: str) -> frozenset[str]:
        """Return the verbs."""
        ...


class ReviewStatus(msgspec.Struct, frozen=True):
    """``status`` of a review."""

    allowed: bool = False


class Review(msgspec.Struct, frozen=True):
    """The answer to a ``SelfSubjectAccessReview``."""

    status: ReviewStatus = ReviewStatus()


class Obstacle(msgspec.Struct, frozen=True):
    """Why objects of a kind cannot be ended, and what to do about it."""

    reason: str
    message: str


class OwnRights(msgspec.Struct, frozen=True):
    """Asks before something is begun that a missing right would stop half way."""

    reviewer: Reviewer

    async def lacking(
        self, resource: Resource, namespace: str, verbs: Iterable[str]
    ) -> tuple[str, ...]:
        """Return those of the verbs that are forbidden."""
        asked = [(verb, await may(self.reviewer, resource, verb, namespace)) for verb in verbs]
        return tuple(verb for verb, allowed in asked if not allowed)


class Rights:
    """Knows for each kind what stands in the way."""

    def __init__(self, reviewer: Reviewer, discovery: Verbs) -> None:
        self._reviewer = reviewer
        self._discovery = discovery
        self.obstacles: Mapping[GroupResource, Obstacle] = {}
        self.of_releases: Obstacle | None = None
        """What keeps Helm releases from ending as one, if a policy wants that."""
        self.of_scaling: tuple[Obstacle, ...] = ()
        """What keeps kinds from coming to rest with the namespace around them, likewise."""
        self._served: frozenset[Resource] = frozenset()
        self.reviewed: frozenset[GroupResource] = frozenset()
        """Kinds that the obstacles are about; of the others nothing is known."""

    async def review(
        self, served: Iterable[Resource], missing: Iterable[GroupResource]
    ) -> float | None:
        """Ask about each kind; returns the seconds until it should be asked again, if ever.

        While the kinds stay the same, only those with an obstacle are asked about again.
        """
        found = {pair: await self._unwatched(pair) for pair in missing}
        reviewed = set(found)
        kinds = frozenset(served)
        settled = self._settled if kinds == self._served else frozenset[GroupResource]()
        for resource in sorted(kinds):
            pair = resource.pair
            obstacle = None if pair in settled else await self._obstacle(resource)
            reviewed.add(pair)
            if obstacle:
                found[pair] = obstacle
        self._served = kinds
        self.obstacles, self.reviewed = found, frozenset(reviewed)
        return RECHECK if found else None

    async def review_releases(self, *, wanted: bool) -> float | None:
        """Ask whether Helm's Secrets may be read and ended; returns as :meth:`review`."""
        denied: list[str] = []
        if wanted:
            denied = [v for v in FOR_RELEASES if not await may(self._reviewer, SECRETS, v)]
        self.of_releases = _without_component(denied) if denied else None
        return RECHECK if denied else None

    async def review_scaling(self, *, wanted: bool) -> float | None:
        """Ask whether all that can be scaled down in a namespace may be; returns as `review`."""
        kinds = [kind for kind in WAYS if await self._is_served(kind)] if wanted else []
        found = [(kind, await self._forbidden(kind)) for kind in kinds]
        self.of_scaling = tuple(_unscalable(kind, verbs) for kind, verbs in found if verbs)
        return RECHECK if self.of_scaling else None

    async def _is_served(self, kind: Resource) -> bool:
        return await self._discovery.find(kind.group, kind.plural) is not None

    async def _forbidden(self, kind: Resource) -> list[str]:
        return [verb for verb in FOR_SCALING if not await may(self._reviewer, kind, verb)]

    @property
    def _settled(self) -> frozenset[GroupResource]:
        return self.reviewed - self.obstacles.keys()

    async def _obstacle(self, resource: Resource) -> Obstacle | None:
        pair = resource.pair
        lacking = _lacking(pair, await self._discovery.verbs(*pair))
        if lacking:
            return lacking
        denied = [verb for verb in NEEDED if not await may(self._reviewer, resource, verb)]
        return _denied(resource, denied) if denied else None

    async def _unwatched(self, pair: GroupResource) -> Obstacle:
        try:
            offered = await self._discovery.verbs(*pair)
        except ApiError:
            offered = frozenset[str]()  # its server is away: the other kinds' review goes on
        return (_lacking(pair, offered) if offered else None) or _not_served(pair)


async def may(reviewer: Reviewer, resource: Resource, verb: str, namespace: str = "") -> bool:
    """Ask whether the operator has a right: in one namespace, or without one, in all."""
    attributes = {"group": resource.group, "resource": resource.plural, "verb": verb}
    if namespace:
        attributes["namespace"] = namespace
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = await reviewer.create(REVIEWS, body)
    return msgspec.json.decode(answer, type=Review).status.allowed


def _not_served(pair: GroupResource) -> Obstacle:
    return Obstacle(
        Reason.KIND_NOT_FOUND,
        f"the API server does not serve {_name(pair)}; install the kind, or remove it from the "
        "policy",
    )


def _lacking(pair: GroupResource, offered: frozenset[str]) -> Obstacle | None:
    lacking = [verb for verb in NEEDED if verb not in offered]
    if not lacking:
        return None
    text = f"the API server offers no {' or '.join(lacking)} for {_name(pair)}"
    return Obstacle(Reason.KIND_NOT_FOUND, f"{text}; remove the kind from the policy")


def _name(pair: GroupResource) -> str:
    group, plural = pair
    return f"{plural}.{group}" if group else plural


def _denied(resource: Resource, verbs: list[str]) -> Obstacle:
    return Obstacle(
        Reason.MISSING_RIGHTS,
        f"may not {', '.join(verbs)} {resource.group_resource}: grant it by a ClusterRole with the "
        f'label {names.AGGREGATE_LABEL}: "true" and the verbs {", ".join(NEEDED)}',
    )


def _unscalable(resource: Resource, verbs: list[str]) -> Obstacle:
    return Obstacle(
        Reason.MISSING_RIGHTS,
        f"may not {', '.join(verbs)} {resource.group_resource}, to scale them down with their "
        f'namespace: grant it by a ClusterRole with the label {names.AGGREGATE_LABEL}: "true" and '
        f"the verbs {', '.join(FOR_SCALING)}",
    )


def _without_component(verbs: list[str]) -> Obstacle:
    return Obstacle(
        Reason.MISSING_RIGHTS,
        f"spec.unit is Release, and Dayfly may not {', '.join(verbs)} secrets, where Helm stores "
        "releases: apply manifests/components/helm, which grants it",
    )

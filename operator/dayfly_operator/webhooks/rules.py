"""Which requests the API server asks our webhooks about, and whom it trusts to answer.

The base manifests ship the webhook entries without ``rules`` and ``caBundle``; these two fields
are the leader's. It has no right to create a configuration: a deleted one stays deleted, which is
the off switch.
"""

import asyncio
import base64
import logging
from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Final, Protocol

import msgspec

from dayfly_core import names
from dayfly_core.objects import (
    EPHEMERATORS,
    EXPIRY_POLICIES,
    NAMESPACE_MANAGERS,
    NAMESPACES,
    STAYS,
    ObjectMeta,
    Resource,
)
from dayfly_core.policies import GroupResource
from dayfly_kube.errors import ApiError
from dayfly_operator.writing import Writer

log = logging.getLogger(__name__)

GROUP: Final = "admissionregistration.k8s.io"
MUTATING: Final = Resource(
    GROUP, "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", namespaced=False
)
VALIDATING: Final = Resource(
    GROUP,
    "v1",
    "validatingwebhookconfigurations",
    "ValidatingWebhookConfiguration",
    namespaced=False,
)
CONFIGURATIONS: Final = (
    (MUTATING, names.MUTATING_CONFIGURATION),
    (VALIDATING, names.VALIDATING_CONFIGURATION),
)

OWN_KINDS: Final = (EXPIRY_POLICIES, STAYS, EPHEMERATORS, NAMESPACE_MANAGERS)
"""What is judged of our own, installed or not. A rule for a kind that the API server does not know
costs nothing; one that came only after the kind would leave a moment in which anybody could aim an
Ephemerator at anything."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``webhooks[].rules[]``."""

    api_groups: list[str] = []
    api_versions: list[str] = []
    resources: list[str] = []
    operations: list[str] = []
    scope: str = "*"


class ClientConfig(msgspec.Struct, frozen=True, rename="camel"):
    """``webhooks[].clientConfig``, our part of it."""

    ca_bundle: str = ""


class Webhook(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``webhooks[]``: our two fields, and those that server-side apply wants repeated.

    These stay as base has written them, entry by entry.
    """

    name: str = ""
    side_effects: str = ""
    admission_review_versions: list[str] = []
    client_config: ClientConfig = ClientConfig()
    rules: list[Rule] = []


class Configuration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A mutating or validating webhook configuration."""

    metadata: ObjectMeta = ObjectMeta()
    webhooks: list[Webhook] = []


def rules_for(resources: Iterable[Resource]) -> list[Rule]:
    """Return one rule for each API group, in an order that depends on nothing but the kinds.

    ``apiVersions`` is ``*``: what is created through an older version of a kind ends as well.
    """
    ordered = sorted(set(resources), key=attrgetter("group", "plural"))
    return [
        Rule(
            api_groups=[group],
            api_versions=["*"],
            resources=[resource.plural for resource in kinds],
            operations=["CREATE", "UPDATE"],
        )
        for group, kinds in groupby(ordered, key=attrgetter("group"))
    ]


def entries_for(
    resources: Iterable[Resource], claiming: Iterable[Resource] = ()
) -> dict[str, list[Rule]]:
    """Return the rules of each of our webhook entries.

    ``resources`` are what policies name, ``claiming`` what claims hosts besides. With neither,
    only our own kinds and the names of environments are asked about.
    """
    named = frozenset(resources)
    return {
        names.STAMP_WEBHOOK: rules_for(named),
        names.JUDGE_WEBHOOK: rules_for(named.union(claiming)),
        names.ENVIRONMENTS_WEBHOOK: rules_for([NAMESPACES]),
        names.KINDS_WEBHOOK: rules_for(OWN_KINDS),
    }


def amendment(
    live: Configuration, resource: Resource, entries: Mapping[str, list[Rule]], ca_bundle: str
) -> dict[str, object] | None:
    """Return what to apply so that ``live`` is as it should be; None if it is.

    The uid makes it an update of this very object: server-side apply would create one that is gone.
    The version makes it one of what was read: what has to be repeated may have been changed since.
    """
    ours = [webhook for webhook in live.webhooks if webhook.name in entries]
    if all(_in_step(webhook, entries[webhook.name], ca_bundle) for webhook in ours):
        return None
    meta = live.metadata
    version = {"uid": meta.uid, "resourceVersion": meta.resource_version}
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": meta.name, **version},
        "webhooks": [
            {
                "name": webhook.name,
                "sideEffects": webhook.side_effects,
                "admissionReviewVersions": webhook.admission_review_versions,
                "clientConfig": {"caBundle": ca_bundle},
                "rules": entries[webhook.name],
            }
            for webhook in ours
        ],
    }


def _in_step(webhook: Webhook, rules: list[Rule], ca_bundle: str) -> bool:
    return webhook.rules == rules and webhook.client_config.ca_bundle == ca_bundle


def asked_about(configurations: Iterable[Configuration | None]) -> frozenset[GroupResource]:
    """Return the kinds that the API server sends to our stamping and judging entries alike."""
    kinds = [
        {
            (group, plural)
            for rule in webhook.rules
            for group in rule.api_groups
            for plural in rule.resources
        }
        for configuration in configurations
        for webhook in (configuration.webhooks if configuration else [])
        if webhook.name in (names.STAMP_WEBHOOK, names.JUDGE_WEBHOOK) and _trusted(webhook)
    ]
    return frozenset(kinds[0].intersection(*kinds[1:])) if len(kinds) == 2 else frozenset()


def _trusted(webhook: Webhook) -> bool:
    return webhook.client_config.ca_bundle != ""


class Live(Protocol):
    """A watched configuration, as the API server has it."""

    @property
    def items(self) -> Mapping[tuple[str, str], Configuration]:
        """By namespace (none) and name."""
        ...

    @property
    def synced(self) -> asyncio.Event:
        """Set once what is not among the items does not exist."""
        ...


class Trust(msgspec.Struct):
    """The authorities that sign what our webhooks show, as PEM; empty until there are any.

    Several may stand in it, one after the other: a staged change of the CA puts the next one here
    before anything is signed with it, and takes the old one out when nothing is any more.
    """

    ca_pem: bytes = b""


class RuleKeeper:
    """Keeps the two configurations in step with the policies and the certificate."""

    def __init__(self, writer: Writer, live: Mapping[Resource, Live], trust: Trust) -> None:
        self._writer = writer
        self._live = live
        self._trust = trust
        self._resources: frozenset[Resource] | None = None
        self._claiming: frozenset[Resource] = frozenset()
        self.missing: frozenset[str] = frozenset()
        """Names of the configurations that do not exist: somebody has switched Dayfly off."""

    @property
    def informed(self) -> bool:
        """Whether it was ever told what to want: before that, any rules there are stay."""
        return self._resources is not None

    def asked_about(self) -> frozenset[GroupResource]:
        """Return the kinds that are stamped and judged when they are deployed."""
        live = [self._live[resource].items.get(("", name)) for resource, name in CONFIGURATIONS]
        return asked_about(live)

    @property
    def settled(self) -> bool:
        """Whether the API server sends all that is wanted, or has been told to send nothing."""
        wanted = {kind.pair for kind in self._resources or ()}
        return bool(self.missing) or wanted <= self.asked_about()

    def want(self, resources: frozenset[Resource], claiming: frozenset[Resource]) -> bool:
        """Set the kinds that are served: what policies name, what claims hosts; True if others."""
        before = self._resources, self._claiming
        self._resources, self._claiming = resources, claiming
        return before != (resources, claiming)

    async def tend(self) -> None:
        """Compare both with what they should be, and apply the difference."""
        if self._resources is None:
            return
        entries = entries_for(self._resources, self._claiming)
        ca_bundle = base64.b64encode(self._trust.ca_pem).decode()
        for resource, name in CONFIGURATIONS:
            live = self._live[resource]
            found = live.items.get(("", name))
            self._note(name, missing=found is None and live.synced.is_set())
            # Rules without a bundle would fail each request that they name.
            if found is not None and ca_bundle:
                await self._amend(found, resource, amendment(found, resource, entries, ca_bundle))

    async def _amend(
        self, live: Configuration, resource: Resource, body: dict[str, object] | None
    ) -> None:
        if body is None:
            return
        path = resource.path(name=live.metadata.name)
        try:
            await self._writer.apply(path, body, manager=names.FIELD_MANAGER)
        except ApiError as error:
            if not (error.not_found or error.conflict):
                raise
            return  # changed, deleted or re-created meanwhile; the watch tells
        log.info("webhook rules set configuration=%s", live.metadata.name)

    def _note(self, name: str, *, missing: bool) -> None:
        if missing and name not in self.missing:
            log.warning("webhook configuration is missing, admission is switched off name=%s", name)
            self.missing |= {name}
        if not missing:
            self.missing -= {name}

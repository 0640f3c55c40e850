"""What each program asks of the API server: the roles grant exactly this, and the audit log shows
nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from dayfly_core import history, names

ADMISSION = names.ADMISSION_ACCOUNT
OPERATOR = names.OPERATOR_ACCOUNT
OWN = names.SYSTEM_NAMESPACE


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One verb on one kind; an empty ``namespace`` means all, an empty ``name`` any."""

    account: str
    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def covers(self, asked: "Right") -> bool:
        """Whether this right is enough for a request; lists are named by a field selector."""
        same = (self.account, self.verb, self.group, self.resource)
        return (
            same == (asked.account, asked.verb, asked.group, asked.resource)
            and self.namespace in ("", asked.namespace)
            and self.name in ("", asked.name)
        )


def rights(
    account: str, kind: str, verbs: str, namespace: str = "", name: str = ""
) -> Iterator[Right]:
    """``kind`` as kubectl writes it, ``leases.coordination.k8s.io``; verbs apart by blanks."""
    resource, _, group = kind.partition(".")
    for verb in verbs.split():
        yield Right(account, verb, group, resource, namespace, name)


MUTATING = "mutatingwebhookconfigurations.admissionregistration.k8s.io"
VALIDATING = "validatingwebhookconfigurations.admissionregistration.k8s.io"
LEASES = "leases.coordination.k8s.io"

HOLDERS = (
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "services",
    "daemonsets.apps",
    "deployments.apps",
    "statefulsets.apps",
    "cronjobs.batch",
    "jobs.batch",
    "ingresses.networking.k8s.io",
)
"""Kinds, besides Namespaces, that may have a host because base may end them."""

NEEDED = frozenset(
    [
        # dayfly_admission.program: reflectors, and one GET for a namespace that is not known yet
        *rights(ADMISSION, "expirypolicies.dayfly.dev", "list watch"),
        *rights(ADMISSION, "namespaces", "get list watch"),
        *rights(ADMISSION, "secrets", "list watch", OWN, names.TLS_SECRET),
        # dayfly_admission.register: claims, and whether who has one is still there
        *rights(ADMISSION, "nameclaims.dayfly.dev", "get list create patch delete"),
        *(right for kind in HOLDERS for right in rights(ADMISSION, kind, "get")),
        # dayfly_admission.permission
        *rights(ADMISSION, "subjectaccessreviews.authorization.k8s.io", "create"),
        # dayfly_operator.leases
        *rights(OPERATOR, LEASES, "create", OWN),
        *rights(OPERATOR, LEASES, "get watch update", OWN, names.LEASE),
        # dayfly_operator.policies (kopf looks for kinds that come and go), .status
        *rights(OPERATOR, "expirypolicies.dayfly.dev", "list watch"),
        *rights(OPERATOR, "expirypolicies/status.dayfly.dev", "patch"),
        *rights(OPERATOR, "customresourcedefinitions.apiextensions.k8s.io", "list watch"),
        # dayfly_operator.watching, .world, .stuck, .conflicts
        *rights(OPERATOR, "namespaces", "get list watch patch"),
        # dayfly_operator.kinds, .stays
        *rights(OPERATOR, "stays.dayfly.dev", "get list watch"),
        *rights(OPERATOR, "stays/status.dayfly.dev", "patch"),
        # dayfly_operator.scaling; of what base may end it may scale everything anyway
        *rights(OPERATOR, "scaledobjects.keda.sh", "get list patch"),
        # dayfly_operator.naming.register, .claim_desk
        *rights(OPERATOR, "nameclaims.dayfly.dev", "list watch create patch delete"),
        # dayfly_kube.guarding, in either program
        *rights(ADMISSION, "configmaps", "list watch", OWN, names.GUARD_CONFIG_MAP),
        *rights(OPERATOR, "configmaps", "list watch", OWN, names.GUARD_CONFIG_MAP),
        *(
            right
            for slot in range(history.SLOTS)
            for right in rights(OPERATOR, "configmaps", "get patch", OWN, history.slot_name(slot))
        ),
        # dayfly_certs.store, dayfly_operator.webhooks.certificates
        *rights(OPERATOR, "secrets", "get list watch update", OWN, names.CA_SECRET),
        *rights(OPERATOR, "secrets", "get list watch update", OWN, names.TLS_SECRET),
        # dayfly_operator.webhooks.rules
        *rights(OPERATOR, MUTATING, "list watch"),
        *rights(OPERATOR, MUTATING, "patch", name=names.MUTATING_CONFIGURATION),
        *rights(OPERATOR, VALIDATING, "list watch"),
        *rights(OPERATOR, VALIDATING, "patch", name=names.VALIDATING_CONFIGURATION),
        # dayfly_kube.events
        *rights(OPERATOR, "events.events.k8s.io", "create patch"),
    ]
)

ENDING = frozenset({"get", "list", "watch", "patch", "delete"})
"""What it takes to end a kind: see them, stamp what came by the webhook, delete."""

EVERYBODY = frozenset({("selfsubjectaccessreviews", "create")})
"""Resources and verbs that the API server grants to every account."""


def granted(documents: Sequence[Mapping[str, Any]]) -> frozenset[Right]:
    """Read from manifests what roles grant to our accounts, ClusterRoles for ending left out."""
    roles = {
        (d["kind"], d["metadata"]["name"]): d
        for d in documents
        if d["kind"] in ("Role", "ClusterRole")
    }
    return frozenset(
        right
        for binding in documents
        if binding["kind"] in ("RoleBinding", "ClusterRoleBinding")
        for right in _granted_by(
            binding, roles[binding["roleRef"]["kind"], binding["roleRef"]["name"]]
        )
    )


def _granted_by(binding: Mapping[str, Any], role: Mapping[str, Any]) -> Iterator[Right]:
    namespace = binding["metadata"].get("namespace", "")
    for subject, rule in product(binding["subjects"], role.get("rules", [])):
        kinds = product(rule["resources"], rule["apiGroups"], rule.get("resourceNames", [""]))
        for resource, group, name in kinds:
            verbs = " ".join(rule["verbs"])
            yield from rights(subject["name"], f"{resource}.{group}", verbs, namespace, name)

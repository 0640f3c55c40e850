"""What Dayfly never ends, whatever a policy says."""

from collections.abc import Mapping
from typing import Final

import msgspec

from dayfly_core import names
from dayfly_core.objects import NAMESPACES, Resource

ALWAYS: Final = ("kube-*", "default")
"""Patterns in force even if the ConfigMap ``dayfly-guard`` is empty or missing."""

DATA_KEY: Final = "namespaces"
"""Key in the ConfigMap ``dayfly-guard``: one namespace pattern per line."""

OFF_LIMITS_GROUPS: Final = (
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "dayfly.dev",
    "events.k8s.io",
    "rbac.authorization.k8s.io",
)
"""API groups of which no policy may name a kind: ending one takes rights, rules, locks or whole
APIs away from others, or has Dayfly stamp its own records; or a cluster that starts from cold would
wait for Dayfly before anybody can log in."""

OFF_LIMITS_CORE: Final = ("events", "nodes", "persistentvolumes")
"""The same in the core group."""


FURNITURE: Final = frozenset(
    {
        ("", "configmaps", "kube-root-ca.crt"),
        ("", "configmaps", "openshift-service-ca.crt"),
        ("", "serviceaccounts", "default"),
    }
)
"""Put into every namespace by the control plane, and put back at once when deleted."""

API_SERVICE: Final = ("", "services", "default", "kubernetes")
"""How everything in the cluster finds the API server."""


OFF_LIMITS_IN_RELEASES: Final = frozenset(
    {
        ("", "events"),
        ("", "nodes"),
        ("", "persistentvolumes"),
        ("apiextensions.k8s.io", "customresourcedefinitions"),
    }
)
"""What does not end with a Helm release either: with a definition would go what others made of it
in all namespaces, with a volume its data. Roles, webhooks and locks of its own do end with it."""


def furniture(group: str, plural: str, namespace: str, name: str) -> bool:
    """Whether the control plane itself makes this object, whatever a policy's selector fits."""
    if (group, plural, namespace, name) == API_SERVICE:
        return True
    return (group, plural, name) in FURNITURE


def off_limits(group: str, plural: str) -> bool:
    """Whether no policy may name this kind."""
    return group in OFF_LIMITS_GROUPS or (group == "" and plural in OFF_LIMITS_CORE)


class Guard(msgspec.Struct, frozen=True):
    """Namespaces out of reach. A pattern is a name, or a prefix followed by ``*``."""

    own_namespace: str
    patterns: tuple[str, ...] = ALWAYS

    @classmethod
    def parse(cls, own_namespace: str, config_map_data: Mapping[str, str]) -> "Guard":
        """Read the ConfigMap ``dayfly-guard``; blank lines and ``#`` comments are skipped.

        A pattern with a ``*`` before its end guards all that begins like it: the safe side.
        """
        lines = config_map_data.get(DATA_KEY, "").splitlines()
        written = (line.partition("#")[0].strip() for line in lines)
        cut = (f"{text.partition('*')[0]}*" if "*" in text else text for text in written if text)
        return cls(own_namespace, tuple(dict.fromkeys((*ALWAYS, *cut))))

    def guarded_namespace(self, name: str) -> bool:
        """Whether the namespace itself is never ended."""
        return name == self.own_namespace or any(_fits(pattern, name) for pattern in self.patterns)

    def refuses(self, resource: Resource, namespace: str, name: str) -> str | None:
        """Say, in a sentence, why this object is out of reach; None if it is not."""
        if resource.pair == NAMESPACES.pair:
            return self._refuses_namespace(name)
        if self._untouched(namespace):
            return f"objects in namespace {namespace} are guarded and never ended"
        if off_limits(resource.group, resource.plural):
            return f"{resource.group_resource} are never ended"
        return _refuses_furniture(resource, namespace, name)

    def refuses_in_release(self, resource: Resource, namespace: str, name: str) -> str | None:
        """Say why this object is out of reach even as a part of a Helm release; None if it is not.

        A release may have kinds that no policy may name: those grant rights, or rule over what it
        brings itself.
        """
        if resource.pair == NAMESPACES.pair:
            return self._refuses_namespace(name)
        if self._untouched(namespace):
            return f"objects in namespace {namespace} are guarded and never ended"
        if _off_limits_in_release(resource):
            return f"{resource.group_resource} are never ended, not with a release either"
        return _refuses_furniture(resource, namespace, name)

    def _refuses_namespace(self, name: str) -> str | None:
        if self.guarded_namespace(name):
            return f"namespace {name} is guarded and never ended"
        return None

    def _untouched(self, namespace: str) -> bool:
        # `default` as a pattern guards that namespace, not what people try out in it.
        return namespace == self.own_namespace or any(
            _fits(pattern, namespace) for pattern in self.patterns if pattern != "default"
        )


def _refuses_furniture(resource: Resource, namespace: str, name: str) -> str | None:
    if furniture(resource.group, resource.plural, namespace, name):
        return f"{name} belongs to the control plane, which would make it again"
    return None


def _off_limits_in_release(resource: Resource) -> bool:
    own = resource.group == names.GROUP
    return own or resource.pair in OFF_LIMITS_IN_RELEASES


def _fits(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern

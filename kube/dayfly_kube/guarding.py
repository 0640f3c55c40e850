"""The namespaces out of reach, as the ConfigMap ``dayfly-guard`` lists them."""

from collections.abc import Callable

import msgspec

from dayfly_core import names
from dayfly_core.guard import Guard
from dayfly_core.objects import ObjectMeta, Resource
from dayfly_kube.client import Client
from dayfly_kube.reflector import Reflector

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)


class ConfigMap(msgspec.Struct, frozen=True):
    """A ConfigMap's text."""

    metadata: ObjectMeta = ObjectMeta()
    data: dict[str, str] | None = None


class GuardBook:
    """Follows the ConfigMap; without it, what is always guarded still is."""

    def __init__(
        self,
        client: Client,
        namespace: str,
        monotonic: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._fallback = Guard.parse(namespace, {})
        self._name = (namespace, names.GUARD_CONFIG_MAP)
        self.reflector: Reflector[Guard] = Reflector(
            client,
            CONFIG_MAPS.path(namespace),
            keep=lambda found: Guard.parse(namespace, found.data or {}),
            on_change=lambda _name, _guard: changed(),
            decode=ConfigMap,
            field_selector=f"metadata.name={names.GUARD_CONFIG_MAP}",
            metadata_only=False,
            monotonic=monotonic,
        )

    def __call__(self) -> Guard:
        """Return what is guarded now."""
        return self.reflector.items.get(self._name, self._fallback)

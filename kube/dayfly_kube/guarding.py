"""The namespaces out of reach, as the ConfigMap ``dayfly-guard`` lists them."""

from collections.abc import Callable

import msgspec

from dayfly_core import names
from dayfly_core.guard import Guard
from dayfly_core.objects import ObjectMeta, Resource
from dayfly_kube.client import Client
from dayfly_kube.errors import Unreachable
from dayfly_kube.reflector import Reflector

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)


class ConfigMap(msgspec.Struct, frozen=True):
    """A ConfigMap's text."""

    metadata: ObjectMeta = ObjectMeta()
    data: dict[str, str] | None = None


class GuardBook:
    """Follows the ConfigMap.

    Where there is none, what is always guarded still is. One that is gone stays in force as it was:
    an empty answer must not make things end that were out of reach.
    """

    def __init__(
        self,
        client: Client,
        namespace: str,
        monotonic: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._last = Guard.parse(namespace, {})
        self._namespace = namespace
        self.reflector: Reflector[Guard] = Reflector(
            client,
            CONFIG_MAPS.path(namespace),
            keep=self._keep,
            on_change=lambda _name, _guard: changed(),
            decode=ConfigMap,
            field_selector=f"metadata.name={names.GUARD_CONFIG_MAP}",
            metadata_only=False,
            monotonic=monotonic,
        )

    def __call__(self) -> Guard:
        """Return what is guarded, as far as is known by now; for acts see :meth:`certain`."""
        return self._last

    @property
    def known(self) -> bool:
        """Whether the API server has said what is guarded."""
        return self.reflector.synced.is_set()

    def certain(self) -> Guard:
        """Return what is guarded; raises Unreachable before that is known: nothing may end then."""
        if not self.known:
            raise Unreachable(f"the ConfigMap {names.GUARD_CONFIG_MAP} is not read yet")
        return self._last

    def _keep(self, found: ConfigMap) -> Guard:
        self._last = Guard.parse(self._namespace, found.data or {})
        return self._last

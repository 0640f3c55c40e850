"""kopf in its own thread: it says that something changed, writes nothing, and is started anew."""

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

from dayfly_core.objects import EPHEMERATORS, NAMESPACE_MANAGERS, Key, Resource
from dayfly_kube.config import Config
from dayfly_operator.kinds import Ears, KindWatch, quiet_settings
from dayfly_operator.own.kinds import Heard
from support.fake_api import RESOURCES, FakeApi
from support.operators import POLICIES, policy
from support.waiting import eventually

OWN = (EPHEMERATORS, NAMESPACE_MANAGERS)
AGENT = "dayfly-operator/0.1.0 (test)"
DEFINITIONS = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)


def unheard(heard: Heard) -> None:
    raise AssertionError(f"nobody made {heard}")


class Changes:
    """Counts, from any thread."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self.count += 1


@contextmanager
def watching(
    load: Callable[[], Config], changes: Changes, hear: Callable[[Heard], None] = unheard
) -> Generator[KindWatch]:
    kinds = KindWatch(load, Ears(changes, hear, changes), AGENT)
    kinds.start()
    try:
        yield kinds
    finally:
        kinds.stop(timeout=5)


async def test_it_tells_of_policies_and_writes_nothing() -> None:
    changes = Changes()
    async with FakeApi((*RESOURCES, DEFINITIONS)) as api:
        api.put(f"{POLICIES}/first", policy())
        with watching(api.config, changes):
            await eventually(lambda: api.watches(POLICIES))
            before = changes.count
            api.put(f"{POLICIES}/second", policy())
            await eventually(lambda: changes.count > before)
            before = changes.count
            api.remove(f"{POLICIES}/first")
            await eventually(lambda: changes.count > before)
    assert {request.method for request in api.requests} == {"GET"}
    assert {request.headers["User-Agent"] for request in api.requests} == {AGENT}


async def test_it_passes_on_what_ephemerators_and_namespace_managers_are() -> None:
    told: list[Heard] = []  # appending is safe from another thread
    async with FakeApi((*RESOURCES, DEFINITIONS, *OWN)) as api:
        api.put(f"{EPHEMERATORS.path()}/one", {"spec": {"lifetime": {"duration": {"days": 1}}}})
        with watching(api.config, Changes(), told.append):
            await eventually(lambda: len(told) == 1)
            manager = NAMESPACE_MANAGERS.path("team", "two")
            api.put(manager, {"metadata": {"finalizers": ["x"]}, "status": {"policies": []}})
            await eventually(lambda: len(told) == 2)
            api.put(manager, {"metadata": {"finalizers": []}})
            api.remove(manager)
            await eventually(lambda: len(told) == 4)
    first, second, _, last = told
    assert first.found.key(first.resource) == Key(EPHEMERATORS, "", "one")
    assert first.found.spec == {"lifetime": {"duration": {"days": 1}}}
    assert first.found.metadata.creation_timestamp is not None
    assert second.found.key(second.resource) == Key(NAMESPACE_MANAGERS, "team", "two")
    assert second.found.metadata.finalizers == ("x",)
    assert [heard.gone for heard in told] == [False, False, False, True]
    assert last.found.metadata.uid == second.found.metadata.uid
    assert {request.method for request in api.requests} == {"GET"}


def define(api: FakeApi, kind: Resource) -> None:
    spec = {"group": kind.group, "names": {"plural": kind.plural}}
    api.put(f"{DEFINITIONS.path()}/{kind.plural}.{kind.group}", {"spec": spec})


async def test_a_kind_that_is_installed_later_is_watched_without_a_restart() -> None:
    told: list[Heard] = []
    async with FakeApi((*RESOURCES, DEFINITIONS)) as api:
        with watching(api.config, Changes(), told.append):
            await eventually(lambda: api.watches(POLICIES))
            assert not api.watches(EPHEMERATORS.path())
            api.resources.append(EPHEMERATORS)
            define(api, EPHEMERATORS)
            await eventually(lambda: api.watches(EPHEMERATORS.path()))
            api.put(f"{EPHEMERATORS.path()}/one")
            await eventually(lambda: [heard.found.metadata.name for heard in told] == ["one"])


async def test_a_kind_that_is_served_only_after_its_definition_was_told_of_is_watched() -> None:
    async with FakeApi((*RESOURCES, DEFINITIONS)) as api:
        with watching(api.config, Changes()):
            await eventually(lambda: api.watches(DEFINITIONS.path()))
            looks = len(discoveries(api))
            define(api, EPHEMERATORS)
            await eventually(lambda: len(discoveries(api)) > looks)
            api.resources.append(EPHEMERATORS)
            await eventually(lambda: api.watches(EPHEMERATORS.path()))


def discoveries(api: FakeApi) -> list[str]:
    return [request.path for request in api.requests if request.path == "/apis"]


async def test_where_kinds_are_not_installed_it_looks_for_them_and_goes_on() -> None:
    begun, changes = Changes(), Changes()
    async with FakeApi((*RESOURCES, DEFINITIONS)) as api:
        kinds = KindWatch(api.config, Ears(changes, unheard, begun), AGENT)
        kinds.start()
        try:
            await eventually(lambda: api.watches(POLICIES))
            looks = len(discoveries(api))
            await eventually(lambda: begun.count > 1 or len(discoveries(api)) > looks)
            assert begun.count == 1
        finally:
            kinds.stop(timeout=5)


async def test_it_is_started_again_after_it_failed() -> None:
    changes, attempts = Changes(), Changes()
    async with FakeApi((*RESOURCES, DEFINITIONS)) as api:

        def load() -> Config:
            attempts()
            if attempts.count == 1:
                raise OSError("the token file is not there yet")
            return api.config()

        with watching(load, changes):
            await eventually(lambda: api.watches(POLICIES))
    assert attempts.count == 2
    assert changes.count >= 2


def test_kopf_would_never_kill_the_process_nor_give_up() -> None:
    settings = quiet_settings()
    assert settings.process.ultimate_exiting_timeout is None
    assert not settings.posting.enabled
    assert not settings.scanning.disabled
    delays = settings.networking.error_backoffs
    assert isinstance(delays, Iterable)
    first, second = iter(delays), iter(delays)
    assert [next(first) for _ in range(100)] == [5] * 100
    assert next(second) == 5

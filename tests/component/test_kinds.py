"""kopf in its own thread: it says that something changed, writes nothing, and is started anew."""

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

from dayfly_core.objects import Resource
from dayfly_kube.config import Config
from dayfly_operator.kinds import KindWatch, quiet_settings
from support.fake_api import RESOURCES, FakeApi
from support.operators import POLICIES, policy
from support.waiting import eventually

AGENT = "dayfly-operator/0.1.0 (test)"
DEFINITIONS = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)


class Changes:
    """Counts, from any thread."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self.count += 1


@contextmanager
def watching(load: Callable[[], Config], changes: Changes) -> Generator[KindWatch]:
    kinds = KindWatch(load, changes, AGENT)
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
            await eventually(lambda: api.watches(POLICIES), 10)
            before = changes.count
            api.put(f"{POLICIES}/second", policy())
            await eventually(lambda: changes.count > before)
            before = changes.count
            api.remove(f"{POLICIES}/first")
            await eventually(lambda: changes.count > before)
    assert {request.method for request in api.requests} == {"GET"}
    assert {request.headers["User-Agent"] for request in api.requests} == {AGENT}


async def test_it_is_started_again_after_it_failed() -> None:
    changes, attempts = Changes(), Changes()
    async with FakeApi((*RESOURCES, DEFINITIONS)) as api:

        def load() -> Config:
            attempts()
            if attempts.count == 1:
                raise OSError("the token file is not there yet")
            return api.config()

        with watching(load, changes):
            await eventually(lambda: api.watches(POLICIES), 10)
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

"""An answer that is empty, or much smaller than the last one, is never alone a reason to act.

Each place where something missing could lead to an act, and what it takes besides. Where several
objects are judged together (releases, names) their own tests say more.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core import instant, names
from dayfly_core.actions import Action, Delete, ScaleDown
from dayfly_core.api import KeyKind
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claim_repair import GRACE
from dayfly_core.ending import plan
from dayfly_core.guard import Guard
from dayfly_core.lifecycle import Rule, choose
from dayfly_core.objects import NAMESPACES, Key, Resource
from dayfly_core.policies import Policies, Policy
from dayfly_core.reasons import Reason
from dayfly_core.subject import Subject
from dayfly_core.triggers import Checks, Facts, PodsSucceed
from dayfly_kube.errors import ApiError, Status, StatusDetails, Unproven, Unreachable
from dayfly_kube.guarding import GuardBook
from dayfly_operator import memory
from dayfly_operator.members import Keeper, Members
from dayfly_operator.naming.claim_repair import LOST
from dayfly_operator.own.namespace_end import Gone, NamespaceEnd, Withheld
from support.build import NOW, SECOND, a_policy, an_object
from support.claim_cluster import Cluster as ClaimCluster
from support.subjects import GUARD, about
from support.timelines import on_timeline

UNIT = Key(NAMESPACES, "", "shop")
MAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
ABSENT = ApiError(Status(404, "NotFound", "not found", StatusDetails(name="shop")))
SOMEBODY_ELSES = ApiError(Status(404, "", "<html>404 page not found</html>"))
FORBIDDEN = ApiError(Status(403, "Forbidden"))
AWAY = ApiError(Status(503, "ServiceUnavailable"))


class Server:
    """Answers everything with the same."""

    def __init__(self, answer: Exception | dict[str, Any]) -> None:
        self.answer = answer
        self.written = list[str]()

    async def get(self, path: str, *, metadata_only: bool = False) -> bytes:
        return self._answered()

    async def get_list(self, path: str, **_: object) -> bytes:
        return self._answered()

    async def find(self, group: str, plural: str) -> Resource | None:
        return MAPS if plural == "configmaps" else None

    def forget(self, group: str, plural: str) -> None:
        raise AssertionError(plural)

    async def turn(self) -> float:
        return 0.0

    async def create(self, path: str, body: object) -> bytes:
        raise AssertionError(path)

    async def apply(self, path: str, body: object, *, manager: str, force: bool = True) -> bytes:
        raise AssertionError(path)

    async def merge_patch(self, path: str, body: object) -> bytes:
        self.written.append(path)
        return b"{}"

    async def delete(self, path: str, **_: object) -> bytes:
        self.written.append(path)
        return b"{}"

    def _answered(self) -> bytes:
        if isinstance(self.answer, Exception):
            raise self.answer
        return json.dumps(self.answer).encode()


# The policies.

RULES = (
    a_policy("previews", grace="1h"),
    on_timeline("SCALE_DOWN@0s", "DELETE@1h", name="heir", priority=-1),
    a_policy("last", priority=-2),
)


@given(
    there=st.sets(st.sampled_from(range(len(RULES)))),
    of=st.sampled_from(RULES),
    hours=st.integers(-50, 50),
    caught_up=st.booleans(),
)
def test_a_list_of_policies_that_lost_some_ends_nothing_more(
    there: set[int], of: Policy, hours: int, caught_up: bool
) -> None:
    end = instant.render(NOW + timedelta(hours=hours))
    meta = an_object(at=end, policy=of.name, age=timedelta(days=100))
    if caught_up:
        annotations = {**meta.annotation_map, names.CAUGHT_UP: end}
        meta = msgspec.structs.replace(meta, annotations=annotations)
    subject = about(meta)

    def ended(policies: Sequence[Policy]) -> set[Action]:
        actions = plan(subject, Policies(policies), GUARD, NOW).actions
        return {action for action in actions if isinstance(action, Delete | ScaleDown)}

    assert ended([RULES[place] for place in there]) <= ended(RULES)


# Namespaces.


def test_in_a_namespace_that_is_not_known_nothing_is_done() -> None:
    meta = an_object(at=instant.render(NOW - SECOND), policy="previews", age=timedelta(days=1))
    unknown = Subject(about(meta).key, meta, None)
    assert plan(unknown, Policies([RULES[0]]), GUARD, NOW).actions == ()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(SOMEBODY_ELSES, id="a proxy's 404"),
        pytest.param(AWAY, id="no API server"),
        pytest.param(FORBIDDEN, id="no right to look"),
    ],
)
async def test_a_namespace_is_only_gone_when_the_api_server_says_so(answer: ApiError) -> None:
    with pytest.raises(ApiError):
        await memory.read(Server(answer), UNIT)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({}, id="an object that says nothing"),
        pytest.param({"metadata": {"name": "web", "uid": "u"}}, id="another object"),
    ],
)
async def test_what_is_not_the_namespace_is_not_one_that_was_made_since(
    answer: dict[str, Any],
) -> None:
    with pytest.raises(Unproven):
        await memory.read(Server(answer), UNIT)


async def test_the_api_servers_word_counts() -> None:
    assert await memory.read(Server(ABSENT), UNIT) is None


def ending(server: Server, guard: Callable[[], Guard] = lambda: GUARD) -> NamespaceEnd:
    return NamespaceEnd(server, server, guard, members(server), server, lambda: NOW)


async def test_whose_namespace_seems_to_be_gone_is_not_done_by_a_proxys_word() -> None:
    # An Ephemerator deletes itself once its namespace is gone.
    with pytest.raises(ApiError):
        await ending(Server(SOMEBODY_ELSES)).end("shop", by="Ephemerator/a", due=NOW)
    assert await ending(Server(ABSENT)).end("shop", by="Ephemerator/a", due=NOW) == Gone()


# What is in a namespace.


class Shop(Server):
    """Answers for the ConfigMaps of one namespace, in one version after the other."""

    def __init__(self, *answers: Exception | dict[str, Any], now: Resource | None = MAPS) -> None:
        """``now`` is how the kind is served once somebody asks anew."""
        super().__init__({"metadata": {"name": "shop", "uid": "u", "resourceVersion": "1"}})
        self.answers = list(answers)
        self.kind: Resource | None = MAPS
        self.now = now

    async def find(self, group: str, plural: str) -> Resource | None:
        return self.kind if plural == "configmaps" else None

    def forget(self, group: str, plural: str) -> None:
        self.kind = self.now

    async def get_list(self, path: str, **_: object) -> bytes:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer).encode()


def members(server: Server) -> Members:
    return Members(server, server, lambda: ())


def page(*names: str, rest: str = "") -> dict[str, Any]:
    items = [{"metadata": {"name": name}} for name in names]
    return {"kind": "ConfigMapList", "metadata": {"continue": rest}, "items": items or None}


PRECIOUS = "configmaps/shop/precious"
AGAIN = MAPS._replace(version="v2")


@pytest.mark.parametrize(
    ("shop", "want"),
    [
        pytest.param(Shop(page()), None, id="a list of nothing"),
        pytest.param(Shop(page("precious")), Keeper(PRECIOUS), id="a list of one"),
        pytest.param(
            Shop(page(rest="a"), page("precious")),
            Keeper(PRECIOUS),
            id="a page of nothing, and one more",
        ),
        pytest.param(Shop(FORBIDDEN), None, id="a kind that nobody let the operator list"),
        pytest.param(Shop(SOMEBODY_ELSES, now=None), None, id="a kind that is no longer served"),
        pytest.param(
            Shop(SOMEBODY_ELSES, page("precious"), now=AGAIN),
            Keeper(PRECIOUS),
            id="a version that is no longer served, beside one that is",
        ),
        pytest.param(
            Shop(SOMEBODY_ELSES),
            Keeper(doubt="configmaps: 404 : <html>404 page not found</html>; but it is served"),
            id="a 404 for what is served",
        ),
        pytest.param(
            Shop({}),
            Keeper(doubt="GET /api/v1/namespaces/shop/configmaps: kind is '', which is no List"),
            id="an object that says nothing",
        ),
    ],
)
async def test_only_a_list_of_nothing_says_that_a_namespace_holds_nothing(
    shop: Shop, want: Keeper | None
) -> None:
    assert await members(shop).keeper("shop") == want


async def test_what_cannot_be_listed_does_not_count_as_nothing() -> None:
    with pytest.raises(ApiError):
        await members(Shop(AWAY)).keeper("shop")


async def test_a_namespace_stays_while_its_members_are_in_doubt() -> None:
    shop = Shop(SOMEBODY_ELSES)
    kept = await ending(shop).end("shop", by="Ephemerator/a", due=NOW)
    assert isinstance(kept, Withheld)
    assert (kept.reason, kept.certain) == (Reason.MEMBERS_UNKNOWN, False)
    assert shop.written == []


async def test_a_namespace_stays_while_its_members_cannot_be_listed() -> None:
    shop = Shop(Unreachable("away"))
    with pytest.raises(Unreachable):
        await ending(shop).end("shop", by="Ephemerator/a", due=NOW)
    assert shop.written == []


# Pods.


@pytest.mark.parametrize(
    ("checks", "pods", "acts"),
    [
        pytest.param(Checks(), [], False, id="none seen, once"),
        pytest.param(Checks(NOW, NOW, 1, 1), [], True, id="none seen, a period apart, twice"),
        pytest.param(Checks(NOW, NOW, 5, 0), [], False, id="some before, and now none, once"),
        pytest.param(Checks(), ["Succeeded"], True, id="all have succeeded"),
        pytest.param(Checks(NOW, NOW, 5, 0), ["Running"], False, id="one runs"),
    ],
)
def test_no_pods_are_a_success_only_when_that_was_seen_twice(
    checks: Checks, pods: list[str], acts: bool
) -> None:
    condition = PodsSucceed(timedelta(), 10 * SECOND, name="done")
    rule = Rule("done", condition, "DELETE")
    facts = Facts(NOW - timedelta(hours=1), {"done": pods}, {"done": checks})
    assert (choose([rule], facts, {}, NOW + 10 * SECOND).rule is rule) is acts


# Names.

A = ClaimKey(KeyKind.ENVIRONMENT, "a")


def test_a_claim_whose_holder_the_watches_lost_stays_while_etcd_has_it() -> None:
    cluster = ClaimCluster()
    cluster.admit("m", A)
    cluster.mend()
    cluster.view.seen_things = {}  # a list came back empty
    for _ in range(3):
        cluster.run(cluster.leader.mend(A))
        cluster.schedule.run(cluster.schedule.time + GRACE + 10)
    assert cluster.run(cluster.leader.mend(A)) == LOST
    assert cluster.holder_of(A) == "m Bound"


# The guard.


class Feed:
    """The API server, as the reflector of one ConfigMap asks it."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = items
        self.events: asyncio.Queue[bytes] = asyncio.Queue()
        self.listing = asyncio.Event()

    async def get_list(self, path: str, **_: object) -> bytes:
        await self.listing.wait()
        head = {"resourceVersion": "1"}
        return json.dumps({"metadata": head, "items": list(self.items)}).encode()

    async def stream(
        self, path: str, *, opened: Callable[[], None], **_: object
    ) -> AsyncGenerator[bytes, None]:
        opened()
        while True:
            yield await self.events.get()


def config_map(text: str) -> dict[str, Any]:
    meta = {"name": names.GUARD_CONFIG_MAP, "namespace": "dayfly-system", "resourceVersion": "1"}
    return {"metadata": meta, "data": {"namespaces": text}}


@pytest.mark.looptime(start=0)
async def test_a_guard_that_is_gone_stays_in_force() -> None:
    feed, loop = Feed(config_map("team-*")), asyncio.get_running_loop()
    book = GuardBook(feed, "dayfly-system", loop.time, lambda: None)  # type: ignore[arg-type]
    following = asyncio.create_task(book.reflector.run())
    await asyncio.sleep(1)
    assert not book.known
    with pytest.raises(Unreachable, match="dayfly-guard is not read yet"):
        book.certain()
    feed.listing.set()
    await asyncio.sleep(1)
    assert book.certain().guarded_namespace("team-a")
    gone = {"type": "DELETED", "object": config_map("team-*")}
    feed.events.put_nowait(json.dumps(gone).encode())
    await asyncio.sleep(1)
    assert book.reflector.items == {}
    assert book.certain().guarded_namespace("team-a")
    following.cancel()
    await asyncio.wait({following})


async def test_nothing_ends_before_it_is_known_what_is_guarded() -> None:
    def unknown() -> Guard:
        raise Unreachable("not read yet")

    server = Server({"metadata": {"name": "shop", "uid": "u", "resourceVersion": "1"}})
    with pytest.raises(Unreachable):
        await ending(server, unknown).end("shop", by="Ephemerator/a", due=NOW)
    assert server.written == []

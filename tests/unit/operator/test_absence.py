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
from dayfly_core.objects import Resource
from dayfly_core.policies import Policies, Policy
from dayfly_core.subject import Subject
from dayfly_core.triggers import Checks, Facts, PodsSucceed
from dayfly_kube.errors import ApiError, Status, Unproven, Unreachable
from dayfly_kube.guarding import GuardBook
from dayfly_operator import memory
from dayfly_operator.naming.claim_repair import LOST
from dayfly_operator.own.namespace_end import Gone
from support.build import NOW, SECOND, a_policy, an_object
from support.claim_cluster import Cluster as ClaimCluster
from support.one_answer import ABSENT, AWAY, FORBIDDEN, SHOP, SOMEBODY_ELSES, UNIT, Server, ending
from support.subjects import GUARD, about
from support.timelines import on_timeline

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


class Taken(Server):
    """Takes no write: the namespace is another version by now."""

    async def merge_patch(self, path: str, body: object) -> bytes:
        raise ApiError(Status(409, "Conflict"))

    async def find(self, group: str, plural: str) -> Resource | None:
        return None


async def test_whose_namespace_seems_to_be_gone_is_not_done_by_a_proxys_word() -> None:
    # An Ephemerator deletes itself once its namespace is gone.
    with pytest.raises(ApiError):
        await ending(Taken(SOMEBODY_ELSES)).end(SHOP, by="Ephemerator/a", due=NOW)
    assert await ending(Taken(ABSENT)).end(SHOP, by="Ephemerator/a", due=NOW) == Gone()


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
        return json.dumps({"kind": "List", "metadata": head, "items": list(self.items)}).encode()

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
        await ending(server, unknown).end(SHOP, by="Ephemerator/a", due=NOW)
    assert server.written == []

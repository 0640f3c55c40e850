"""Names given out by replicas over real TLS, kept by an API over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial

import pytest
from msgspec.structs import replace

from dayfly_admission.register import PAGE, WILDCARDS
from dayfly_admission.turnstile import CONNECTIONS, READS
from dayfly_core import names
from dayfly_core.api import ClaimState, LabelSelector
from dayfly_core.claim_key import ClaimKey
from dayfly_core.objects import INGRESSES
from dayfly_core.reasons import Reason
from support.admission import SETTINGS, Replica, a_replica, ask, install, new_environment, ready
from support.fake_api import FakeApi, Fault
from support.handshakes import a_bundle
from support.reviews import (
    Json,
    a_namespace,
    a_review,
    an_object,
    of_namespace,
)
from support.shelf import environment, host
from support.waiting import at_most, eventually

BUNDLE = a_bundle()
CLAIMS = "/apis/dayfly.dev/v1alpha1/nameclaims"
SHOP = environment("shop-1")
HELD: Json = {"metadata": {"labels": {names.ENVIRONMENT: "shop-1", "team": "web"}}}
"""A namespace that is the environment."""
OPTED_IN = replace(SETTINGS, claim_ingress_hosts=LabelSelector(match_labels={"team": "web"}))


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with FakeApi() as api:
        install(api, BUNDLE)
        api.put("/api/v1/namespaces/team-b", {"metadata": {"labels": {"team": "web"}}})
        yield api


@pytest.fixture
async def replicas(api: FakeApi) -> AsyncIterator[list[Replica]]:
    async with AsyncExitStack() as stack:
        started = [
            await stack.enter_async_context(a_replica(api, BUNDLE, OPTED_IN)) for _ in range(2)
        ]
        for replica in started:
            await eventually(partial(ready, replica))
        yield started


@pytest.fixture
def replica(replicas: list[Replica]) -> Replica:
    return replicas[0]


async def judge(replica: Replica, review: Json) -> Json:
    return await ask(replica, review, "/judge?timeout=5s")


def ingress(host: str, namespace: str = "team-a") -> Json:
    new = an_object("Ingress", uid="u1", namespace=namespace) | routing(host)
    return a_review(new, namespace=namespace)


def routing(host: str) -> Json:
    return {"spec": {"rules": [{"host": host}]}}


def give(api: FakeApi, key: ClaimKey, kind: str, name: str, state: ClaimState) -> None:
    """Let somebody have a name."""
    plural = {"Namespace": "namespaces", "Secret": "secrets"}[kind]
    holder = {"version": "v1", "resource": plural, "kind": kind, "name": name, "uid": "u0"}
    if kind == "Secret":
        holder["namespace"] = "team-b"
    spec = {
        "key": {"kind": key.kind.value, "value": key.value, "written": key.value},
        "holder": holder,
        "state": state.value,
        "claimedAt": "2026-11-22T09:00:00Z",
    }
    labels = {names.CLAIM: key.kind.value}
    api.put(f"{CLAIMS}/{key.claim_name}", {"metadata": {"labels": labels}, "spec": spec})


def bound(api: FakeApi, key: ClaimKey, name: str) -> None:
    give(api, key, "Namespace", name, ClaimState.BOUND)


def asked(api: FakeApi, before: int) -> list[str]:
    """Return what was asked of the API server; watches are nobody's request."""
    return [f"{r.method} {r.path}" for r in api.requests[before:] if not r.watch]


def written(api: FakeApi, before: int) -> list[str]:
    """Return what was asked for that changes anything, or might."""
    return [line for line in asked(api, before) if not line.startswith("GET ")]


# Races.


async def test_of_many_requests_at_two_replicas_one_gets_the_name(
    api: FakeApi, replicas: list[Replica]
) -> None:
    asking = [ask(replicas[number % 2], new_environment(f"shop-{number}")) for number in range(60)]
    said = await asyncio.gather(*asking)
    assert sum(response["allowed"] for response in said) == 1
    refused = [response["status"] for response in said if not response["allowed"]]
    assert {(status["code"], status["reason"]) for status in refused} == {(409, "Conflict")}
    assert all("retry in" in status["message"] for status in refused)
    assert len([path for path in api.objects if path.startswith(CLAIMS)]) == 1


async def test_of_a_wildcard_and_a_host_below_it_at_most_one_wins(
    api: FakeApi, replicas: list[Replica]
) -> None:
    admitted = 0
    for number in range(10):
        wide, narrow = f"*.r{number}.example", f"x.r{number}.example"
        said = await asyncio.gather(
            judge(replicas[0], ingress(wide)), judge(replicas[1], ingress(narrow, "team-b"))
        )
        winners = sum(response["allowed"] for response in said)
        assert winners <= 1
        admitted += winners
    assert admitted, "nobody ever won"


async def test_what_a_wildcard_covers_is_looked_for_page_by_page(
    api: FakeApi, replica: Replica
) -> None:
    for number in range(PAGE * 2):
        bound(api, host(f"h{number}.other.example"), "team-b")
    bound(api, host("zzz.a.example"), "team-b")
    api.put(f"{INGRESSES.path('team-b')}/web", routing("zzz.a.example"))
    said = await judge(replica, ingress("*.a.example"))
    assert "overlaps" in said["status"]["message"]
    lists = [r.query for r in api.requests if r.path == CLAIMS and r.method == "GET"]
    assert [query["limit"] for query in lists] == [str(PAGE)] * 3


async def test_an_answer_that_was_lost_is_looked_up(api: FakeApi, replica: Replica) -> None:
    api.fault(Fault("reset", CLAIMS, method="POST"))
    assert (await ask(replica, new_environment()))["allowed"] is True
    assert f"{CLAIMS}/{SHOP.claim_name}" in api.objects


# What it costs.


async def test_a_new_name_is_one_write_and_an_unchanged_object_nothing(
    api: FakeApi, replica: Replica
) -> None:
    before = len(api.requests)
    response = await ask(replica, new_environment())
    assert response["auditAnnotations"] == {"reason": "Claimed", "claims": SHOP.claim_name}
    assert asked(api, before) == [f"POST {CLAIMS}"]
    before = len(api.requests)
    same = a_namespace(environment="shop-1")
    assert (await ask(replica, of_namespace(same, same)))["allowed"] is True
    assert asked(api, before) == []


@pytest.mark.parametrize("taken", [True, False])
async def test_a_dry_run_only_reads(api: FakeApi, replica: Replica, taken: bool) -> None:
    if taken:
        bound(api, SHOP, "team-a")
        api.put("/api/v1/namespaces/team-a", HELD)
    before = len(api.requests)
    response = await ask(replica, new_environment(dryRun=True))
    assert response["allowed"] is not taken
    assert [line for line in written(api, before) if "accessreviews" not in line] == []


DEEP = ".".join(["a"] * 120) + ".example"


async def test_a_host_with_a_hundred_domains_above_it_costs_no_hundred_reads(
    api: FakeApi, replica: Replica
) -> None:
    before = len(api.requests)
    assert (await judge(replica, ingress(DEEP)))["allowed"] is True
    assert asked(api, before) == [f"POST {CLAIMS}", f"GET {CLAIMS}"]
    said = await judge(replica, ingress("*.a.a.a.example", "team-b"))
    assert said["status"]["reason"] == "Conflict", "the host is claimed, though nobody stored it"


async def test_a_wildcard_far_above_is_found_in_one_list(api: FakeApi, replica: Replica) -> None:
    assert (await judge(replica, ingress("*.a.example", "team-b")))["allowed"] is True
    for number in range(9):
        bound(api, host(f"h{number}.other.example"), "team-b")
    assert (await judge(replica, ingress(DEEP)))["status"]["reason"] == "Conflict"
    lists = [r.query for r in api.requests if r.path == CLAIMS and r.method == "GET"]
    assert lists[-1]["labelSelector"] == WILDCARDS


async def test_an_environment_does_not_wait_for_those_who_ask_for_many_hosts(
    api: FakeApi, replica: Replica
) -> None:
    api.fault(Fault("hang", f"{CLAIMS}/host-wildcard", times=999))
    many = [asyncio.create_task(judge(replica, ingress(deep(n)))) for n in range(2 * CONNECTIONS)]
    await eventually(lambda: hanging(api) >= READS)
    async with at_most(2):
        assert (await ask(replica, new_environment()))["allowed"] is True
    assert hanging(api) == READS
    for task in many:
        task.cancel()


def deep(number: int) -> str:
    return f"h{number}.a.b.c.d.e.f.g.example"


def hanging(api: FakeApi) -> int:
    return sum(request.path.startswith(f"{CLAIMS}/host-wildcard") for request in api.requests)


# Who has it.


@pytest.mark.parametrize(
    ("may", "says"),
    [
        pytest.param(True, "already used by Namespace team-a", id="who may see it is told"),
        pytest.param(False, "held by another object", id="who may not is not"),
    ],
)
async def test_the_holder_is_named_to_who_may_see_it(
    api: FakeApi, replica: Replica, may: bool, says: str
) -> None:
    api.put("/api/v1/namespaces/team-a", HELD)
    bound(api, SHOP, "team-a")
    questions = list[Json]()

    def answer(spec: Json) -> bool:
        questions.append(spec)
        return may

    api.may = answer
    response = await ask(replica, new_environment())
    assert says in response["status"]["message"]
    assert ("team-a" in str(response)) is may
    assert questions[0]["user"] == "alice"
    assert questions[0]["groups"] == ["system:authenticated"]
    assert questions[0]["resourceAttributes"]["resource"] == "namespaces"
    assert questions[0]["resourceAttributes"]["name"] == "team-a"


async def test_without_an_answer_who_may_see_it_nobody_is_named(
    api: FakeApi, replica: Replica
) -> None:
    api.put("/api/v1/namespaces/team-a", HELD)
    bound(api, SHOP, "team-a")
    api.fault(Fault("status", "/apis/authorization.k8s.io", code=503))
    response = await ask(replica, new_environment())
    assert response["status"]["code"] == 422
    assert "held by another object" in response["status"]["message"]


async def test_a_holder_that_is_gone_loses_the_name(api: FakeApi, replica: Replica) -> None:
    bound(api, SHOP, "nobody")
    api.objects[f"{CLAIMS}/{SHOP.claim_name}"]["metadata"]["annotations"] = {"note": "of a person"}
    assert (await ask(replica, new_environment()))["allowed"] is True
    claim = api.objects[f"{CLAIMS}/{SHOP.claim_name}"]
    assert claim["spec"]["holder"]["name"] == "shop"
    assert claim["metadata"]["annotations"] == {"note": "of a person"}


async def test_a_holder_that_may_not_be_read_keeps_the_name(api: FakeApi, replica: Replica) -> None:
    key = host("a.example")
    give(api, key, "Secret", "unseen", ClaimState.BOUND)
    api.fault(Fault("status", "/api/v1/namespaces/team-b/secrets", code=403, reason="Forbidden"))
    response = await judge(replica, ingress("a.example"))
    assert response["status"]["code"] == 422
    assert api.objects[f"{CLAIMS}/{key.claim_name}"]["spec"]["holder"]["name"] == "unseen"


@pytest.mark.parametrize(
    ("path", "item"),
    [
        pytest.param(
            "/apis/networking.k8s.io/v1/namespaces/team-b/ingresses/web",
            routing("a.example"),
            id="Ingress",
        ),
        pytest.param(
            "/apis/gateway.networking.k8s.io/v1/namespaces/team-b/httproutes/web",
            {"spec": {"hostnames": ["A.example"]}},
            id="HTTPRoute",
        ),
    ],
)
async def test_a_namespace_has_a_host_as_long_as_something_in_it_does(
    api: FakeApi, replica: Replica, path: str, item: Json
) -> None:
    bound(api, host("a.example"), "team-b")
    api.put(path, item)
    assert (await judge(replica, ingress("a.example")))["status"]["code"] == 422
    api.remove(path)
    assert (await judge(replica, ingress("a.example")))["allowed"] is True


async def test_several_ingresses_of_one_namespace_share_a_host(replica: Replica) -> None:
    for _ in range(2):
        assert (await judge(replica, ingress("a.example")))["allowed"] is True


async def test_a_namespace_that_was_not_opted_in_claims_nothing(
    api: FakeApi, replica: Replica
) -> None:
    api.put("/api/v1/namespaces/team-c", {"metadata": {"labels": {"team": "api"}}})
    before = len(api.requests)
    assert (await judge(replica, ingress("a.example", "team-c")))["allowed"] is True
    assert written(api, before) == []


# When the API server does not answer.


async def test_an_environment_is_refused_in_time_if_nobody_answers(
    api: FakeApi, replica: Replica
) -> None:
    for _ in range(9):
        api.fault(Fault("hang", CLAIMS))
    async with at_most(2):
        response = await ask(replica, new_environment(), "/environments?timeout=2s")
    assert response["auditAnnotations"]["reason"] == Reason.CANNOT_VERIFY
    assert response["status"]["code"] == 500
    assert "retry" in response["status"]["message"]


async def test_an_ingress_passes_in_time_if_nobody_answers(api: FakeApi, replica: Replica) -> None:
    for _ in range(9):
        api.fault(Fault("hang", CLAIMS))
    async with at_most(2):
        response = await ask(replica, ingress("a.example"), "/judge?timeout=2s")
    assert response["allowed"] is True
    assert response["auditAnnotations"]["reason"] == Reason.CANNOT_VERIFY

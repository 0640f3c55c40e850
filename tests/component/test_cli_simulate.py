"""``dayfly simulate``: policies that are not applied yet, breakers, releases, assumptions."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from dayfly_core import names
from dayfly_core.helm.marks import MANAGED_BY, MANAGER, RELEASE_NAME, RELEASE_NAMESPACE
from dayfly_core.objects import EXPIRY_POLICIES, NAMESPACE_MANAGERS
from support.fake_api import Fault
from support.policy_manifests import manifest
from support.shell import SHOP, WEB, Shell, stamped

SPACES: dict[str, Any] = {"resources": [{"apiGroups": [""], "resources": ["namespaces"]}]}
CREATED = "2026-10-01T00:00:00Z"


@pytest.fixture
def mistake(shell: Shell, tmp_path: Path) -> str:
    """A policy that would end everything in an hour, and sixty namespaces."""
    for number in range(60):
        path = f"/api/v1/namespaces/preview-{number}"
        shell.api.put(path, {"metadata": {"creationTimestamp": CREATED}})
    written = manifest("mistake", match=SPACES, ttl={"default": "1m"})
    file = tmp_path / "mistake.yaml"
    head = {"apiVersion": "dayfly.dev/v1alpha1", "kind": "ExpiryPolicy"}
    file.write_text(yaml.safe_dump({**head, **written}))
    return str(file)


async def test_a_mass_mistake_is_seen_before_anybody_applies_it(shell: Shell, mistake: str) -> None:
    answer = await shell.run(f"simulate -A -f {mistake}")
    table, _, conclusion = answer.out.partition("\n\n")
    assert "held back   -           6" in table
    assert "the breaker of ExpiryPolicy mistake is open" in table
    assert "The breaker of mistake would hold 6" in conclusion
    assert "correct the policy, or confirm with: dayfly breaker reset mistake" in conclusion
    assert "ExpiryPolicy mistake is applied now as written in the file" in conclusion
    assert {request.method for request in shell.api.requests} == {"GET"}


async def test_a_mass_mistake_for_programs(shell: Shell, mistake: str) -> None:
    data = json.loads((await shell.run(f"simulate -A -f {mistake} -o json")).out)
    [breaker] = data["breakers"]
    held = [event for event in data["events"] if event["held"]]
    assert breaker["policy"] == "mistake"
    assert 60 <= len(held) == breaker["held"] <= breaker["objects"]
    assert data["assumptions"][0].startswith("every act succeeds at once")


async def test_without_it_nothing_is_held_back(shell: Shell, mistake: str) -> None:
    data = json.loads((await shell.run("simulate -A -o json")).out)
    assert data["breakers"] == []
    assert mistake


async def test_a_policy_can_be_tried_where_dayfly_is_not_installed(
    shell: Shell, mistake: str
) -> None:
    shell.api.resources.remove(EXPIRY_POLICIES)
    answer = await shell.run(f"simulate -A -f {mistake}")
    assert (answer.status, "held back" in answer.out) == (0, True)
    assert "Dayfly is not installed here" in answer.err
    assert (await shell.run("simulate -A")).status == 1


async def test_a_breaker_that_is_open_already_holds_back_even_one(shell: Shell) -> None:
    opened: dict[str, Any] = {"openedAt": "2026-11-22T09:00:00Z", "held": 1, "message": "m"}
    policy = {**manifest(), "status": {"breaker": opened}}
    shell.api.put(EXPIRY_POLICIES.path(name="previews"), policy)
    caught = stamped("2026-11-22T10:05:00Z")
    caught["metadata"]["annotations"][names.CAUGHT_UP] = "2026-11-22T09:00:00Z"
    shell.api.put(WEB, caught)
    answer = await shell.run("simulate --for 1h")
    [line] = [each for each in answer.out.splitlines() if "held back " in each and "web" in each]
    assert line.split()[1:5] == ["held", "back", "shop", "deployment.apps/web"]


async def test_plan_names_the_breaker_that_will_hold_an_act_back(shell: Shell) -> None:
    caught = stamped("2026-11-22T10:05:00Z")
    caught["metadata"]["annotations"][names.CAUGHT_UP] = "2026-11-22T09:00:00Z"
    for number in range(12):
        shell.api.put(f"{WEB}-{number}", caught)
    answer = await shell.run("plan -A --within 1h --limit 1")
    assert "! held back: the breaker of ExpiryPolicy previews is open" in answer.out
    few = await shell.run("plan --within 1h --limit 1")
    assert "! held back" in few.out


async def test_plan_holds_back_nothing_where_a_breaker_lets_few_pass(shell: Shell) -> None:
    caught = stamped("2026-11-22T10:05:00Z")
    caught["metadata"]["annotations"][names.CAUGHT_UP] = "2026-11-22T09:00:00Z"
    shell.api.put(WEB, caught)
    assert "!" not in (await shell.run("plan -A --within 1h")).out
    assert "! nobody asked for this end" in (await shell.run("plan --within 1h")).out


async def test_a_suspended_policy_that_would_be_resumed_surprises(
    shell: Shell, tmp_path: Path
) -> None:
    shell.api.put(EXPIRY_POLICIES.path(name="previews"), manifest(suspend=True))
    for number in range(12):
        shell.api.put(f"{WEB}-{number}", stamped("2026-11-22T09:00:00Z"))
    head = {"apiVersion": "dayfly.dev/v1alpha1", "kind": "ExpiryPolicy"}
    file = tmp_path / "resumed.yaml"
    file.write_text(yaml.safe_dump({**head, **manifest()}))
    answer = await shell.run(f"simulate -A -f {file} --for 1h")
    assert "The breaker of previews would hold 12 ends" in answer.out


@pytest.fixture
def release(shell: Shell) -> None:
    shell.api.put(EXPIRY_POLICIES.path(name="previews"), manifest(unit="Release"))
    member = stamped("2026-11-22T12:00:00Z", **{MANAGED_BY: MANAGER})
    member["metadata"]["annotations"] |= {RELEASE_NAME: "store", RELEASE_NAMESPACE: "shop"}
    shell.api.put(WEB, member)


@pytest.mark.usefixtures("release")
async def test_a_release_that_is_not_stored_stays_and_says_why(shell: Shell) -> None:
    answer = await shell.run("simulate --for 3h")
    assert "no Secret holds the Helm release shop/store" in answer.out
    assert "1 held back" in answer.out


@pytest.mark.usefixtures("release")
async def test_of_a_release_that_may_not_be_read_only_what_is_stamped_ends(shell: Shell) -> None:
    shell.api.fault(Fault("status", f"{SHOP}/secrets", code=403, reason="Forbidden"))
    answer = await shell.run("simulate --for 3h")
    assert answer.out.splitlines()[1].split()[1:4] == ["delete", "shop", "deployment.apps/web"]
    assert "you may not read only what is stamped ends: shop/store" in answer.out


async def test_it_says_that_pods_are_not_foreseen(shell: Shell) -> None:
    pods = {"name": "p", "condition": {"type": "PODS_SUCCEED"}, "action": {"type": "DELETE"}}
    spec = {"namespace": "shop", "policies": [pods]}
    shell.api.put(NAMESPACE_MANAGERS.path("shop", "m"), {"spec": spec})
    answer = await shell.run("simulate")
    last = answer.out.splitlines()[-1]
    assert last == (
        "  no pod succeeds, so these do nothing that waits for one: NamespaceManager/shop/m"
    )


async def test_what_nobody_can_read_is_said_before_the_cluster_is_asked(shell: Shell) -> None:
    answer = await shell.run("simulate -f /no/such.yaml")
    assert (answer.status, answer.out, shell.api.requests) == (2, "", [])
    assert "-f /no/such.yaml: cannot be read" in answer.err


async def test_a_namespace_that_holds_something_protected_stays(shell: Shell) -> None:
    shell.api.put(EXPIRY_POLICIES.path(name="previews"), manifest(match=SPACES))
    shell.api.put(f"{SHOP}/configmaps/keep", {"metadata": {"labels": {names.PROTECTED: "true"}}})
    for flags in ("-A", ""):
        answer = await shell.run(f"simulate {flags} --for 12h")
        [line] = [each for each in answer.out.splitlines() if "namespace/shop" in each]
        assert line.endswith("configmaps/shop/keep, which is protected, keeps it")


async def test_what_may_not_be_listed_keeps_nothing(shell: Shell) -> None:
    shell.api.put(EXPIRY_POLICIES.path(name="previews"), manifest(match=SPACES))
    shell.api.fault(Fault("status", f"{SHOP}/configmaps", code=403, reason="Forbidden"))
    answer = await shell.run("simulate --for 12h")
    assert "delete   -           namespace/shop" in answer.out

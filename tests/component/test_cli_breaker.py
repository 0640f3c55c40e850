"""``dayfly breaker`` as people type it, over real HTTP."""

import json
from typing import Any

import pytest

from dayfly_core import names
from dayfly_core.objects import EXPIRY_POLICIES
from support.fake_api import Fault
from support.policy_manifests import manifest
from support.shell import API, WEB, Shell, stamped

PREVIEWS = EXPIRY_POLICIES.path(name="previews")


def held(count: int, **annotations: str) -> dict[str, Any]:
    first = [f"namespaces/preview-{n}" for n in range(min(count, 10))]
    breaker = {"openedAt": "2026-11-22T09:58:00Z", "held": count, "first": first}
    body = manifest()
    return body | {
        "metadata": {**body["metadata"], "annotations": annotations},
        "status": {"breaker": {**breaker, "message": f"{count} of 80 would end"}},
    }


def resets(shell: Shell) -> list[str | None]:
    found: dict[str, str] = shell.api.objects[PREVIEWS]["metadata"].get("annotations") or {}
    return [found.get(names.BREAKER_RESET)]


async def test_when_nothing_is_held_back(shell: Shell) -> None:
    assert (await shell.run("breaker show")).out == (
        "All breakers are closed: nothing is held back.\n"
    )
    assert (await shell.run("breaker show previews")).out == (
        "The breaker of previews is closed: nothing is held back.\n"
    )


async def test_all_that_are_open_beside_one_whose_status_cannot_be_read(shell: Shell) -> None:
    shell.api.put(PREVIEWS, held(60))
    shell.api.put(EXPIRY_POLICIES.path(name="odd"), manifest("odd") | {"status": {"breaker": "x"}})
    shell.api.put(EXPIRY_POLICIES.path(name="calm"), manifest("calm"))
    answer = await shell.run("breaker show")
    head, row, _, sentence = answer.out.splitlines()
    assert head.split() == ["POLICY", "OPEN", "SINCE", "HELD"]
    assert row.split() == ["previews", "2026-11-22T09:58:00Z", "60"]
    assert sentence == "previews: 60 of 80 would end"


async def test_one_that_is_open(shell: Shell) -> None:
    shell.api.put(PREVIEWS, held(60))
    lines = (await shell.run("breaker show previews")).out.splitlines()
    assert lines[0] == "The breaker of previews is open since 2026-11-22T09:58:00Z."
    assert lines[2] == "  namespaces/preview-0"
    assert lines[-1] == "  and 50 more"


async def test_breakers_for_programs(shell: Shell) -> None:
    shell.api.put(PREVIEWS, held(2, **{names.BREAKER_RESET: "2026-11-22T09:00:00Z"}))
    one = json.loads((await shell.run("breaker show previews -o json")).out)
    assert one == {
        "policy": "previews",
        "open": True,
        "openedAt": "2026-11-22T09:58:00Z",
        "held": 2,
        "first": ["namespaces/preview-0", "namespaces/preview-1"],
        "message": "2 of 80 would end",
        "confirmedUntil": "2026-11-22T09:00:00Z",
    }
    everything = json.loads((await shell.run("breaker show -o json")).out)
    assert everything == {"items": [one]}


async def test_a_few_are_released_at_once(shell: Shell) -> None:
    shell.api.put(PREVIEWS, held(2))
    answer = await shell.run("breaker reset previews")
    assert answer.status == 0
    assert answer.out.splitlines() == [
        "2 objects of previews released: they end now",
        "  namespaces/preview-0",
        "  namespaces/preview-1",
    ]
    # As far as the breaker looks ahead: what it counted is what is confirmed.
    assert resets(shell) == ["2026-11-22T10:01:00Z"]


async def test_many_are_only_released_by_who_says_so(shell: Shell) -> None:
    shell.api.put(PREVIEWS, held(60))
    answer = await shell.run("breaker reset previews")
    assert (answer.status, answer.out, resets(shell)) == (1, "", [None])
    assert "60 objects would end, as fast as the operator's pace allows:" in answer.err
    assert "and 50 more" in answer.err
    assert "dayfly breaker reset previews --yes" in answer.err
    answer = await shell.run("breaker reset previews --yes -o json")
    assert json.loads(answer.out)["released"] == 60
    assert resets(shell) == ["2026-11-22T10:01:00Z"]


async def test_only_what_was_read_is_confirmed(shell: Shell) -> None:
    shell.api.put(PREVIEWS, held(2))
    shell.api.fault(Fault("status", PREVIEWS, method="PATCH", code=409, reason="Conflict"))
    answer = await shell.run("breaker reset previews")
    assert answer.status == 0
    sent = [r.body for r in shell.api.requests if r.method == "PATCH"]
    assert len(sent) == 2
    assert all(body["metadata"]["resourceVersion"] for body in sent)


async def test_who_is_never_first_is_told(shell: Shell) -> None:
    shell.api.put(PREVIEWS, held(2))
    shell.api.fault(Fault("status", PREVIEWS, method="PATCH", times=9, code=409, reason="Conflict"))
    answer = await shell.run("breaker reset previews")
    assert answer.status == 1
    assert "changed by others all the time" in answer.err


async def test_a_rehearsal_asks_the_server_to_change_nothing(shell: Shell) -> None:
    shell.api.put(PREVIEWS, held(1))
    answer = await shell.run("breaker reset previews --dry-run")
    assert answer.out.startswith("1 object of previews would be released (dry run)")
    (sent,) = [request for request in shell.api.requests if request.method == "PATCH"]
    assert sent.query == {"dryRun": "All"}


async def test_a_closed_breaker_needs_no_reset(shell: Shell) -> None:
    answer = await shell.run("breaker reset previews")
    assert (answer.status, resets(shell)) == (0, [None])
    assert "nothing is held back" in answer.out


async def test_who_may_not_change_policies_is_told(shell: Shell) -> None:
    shell.api.put(PREVIEWS, held(2))
    shell.api.fault(Fault("status", PREVIEWS, method="PATCH", code=403, reason="Forbidden"))
    answer = await shell.run("breaker reset previews")
    assert answer.status == 1
    assert "somebody who runs the cluster can grant it" in answer.err


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("breaker reset", 2, "reset needs the name of a policy"),
        ("breaker show nobody", 1, "no ExpiryPolicy nobody"),
    ],
)
async def test_what_cannot_be_done(shell: Shell, command: str, status: int, said: str) -> None:
    answer = await shell.run(command)
    assert answer.status == status
    assert said in answer.err


async def test_a_cluster_without_dayfly(shell: Shell) -> None:
    shell.api.fault(Fault("status", EXPIRY_POLICIES.path(), code=404, reason="NotFound"))
    answer = await shell.run("breaker show")
    assert (answer.status, answer.out) == (1, "")
    assert "Dayfly is not installed here" in answer.err


async def test_a_verb_that_there_is_not(shell: Shell) -> None:
    with pytest.raises(SystemExit) as ended:
        await shell.run("breaker open previews")
    assert ended.value.code == 2


async def test_it_opens_at_a_second_for_a_person(shell: Shell) -> None:
    body = held(60)
    body["status"]["breaker"]["openedAt"] = "2026-11-22T09:58:00.123456Z"
    shell.api.put(PREVIEWS, body)
    assert "is open since 2026-11-22T09:58:00Z." in (await shell.run("breaker show previews")).out


async def test_list_names_the_breaker_where_it_holds_an_end_back(shell: Shell) -> None:
    shell.api.put(PREVIEWS, held(60))
    late = stamped("2026-11-22T09:00:00Z")
    shell.api.put(API, late)
    late["metadata"]["annotations"][names.CAUGHT_UP] = "2026-11-22T08:00:00Z"
    shell.api.put(WEB, late)
    lines = {line.split()[0]: line for line in (await shell.run("list")).out.splitlines()}
    assert lines["deployment.apps/web"].endswith("held by the breaker")
    assert lines["deployment.apps/api"].endswith("overdue   previews   -")


@pytest.mark.parametrize(
    ("since", "note"),
    [
        pytest.param("2026-11-22T09:30:00Z", "held by the breaker", id="resumed after that end"),
        pytest.param("2026-11-22T08:30:00Z", "-", id="resumed before it"),
        pytest.param("?", "-", id="nobody can read since when"),
    ],
)
async def test_list_names_the_breaker_of_a_policy_that_was_resumed(
    shell: Shell, since: str, note: str
) -> None:
    body = held(60)
    body["status"]["reach"] = {"digest": "d", "since": since}
    shell.api.put(PREVIEWS, body)
    shell.api.put(WEB, stamped("2026-11-22T09:00:00Z"))
    lines = {line.split()[0]: line for line in (await shell.run("list")).out.splitlines()}
    assert lines["deployment.apps/web"].endswith(f" {note}")

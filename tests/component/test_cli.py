"""Commands as people type them, over real HTTP."""

import json

import pytest
import yaml

from dayfly_core import __version__, names
from dayfly_core.objects import EXPIRY_POLICIES
from support.fake_api import Fault
from support.policy_manifests import manifest
from support.shell import EVENING, NOON, WEB, Shell, stamped


async def test_list_shows_the_next_end_first(shell: Shell) -> None:
    answer = await shell.run("list")
    assert answer.status == 0
    assert [line.split()[0] for line in answer.out.splitlines()] == [
        "OBJECT",
        "deployment.apps/web",
        "namespace/shop",
        "deployment.apps/api",
    ]
    assert "with its namespace" in answer.out.splitlines()[3]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("list -o name", ["deployment.apps/web", "namespace/shop", "deployment.apps/api"]),
        ("list -l app=web -o name", ["deployment.apps/web"]),
        ("list -n bare -o name", []),
    ],
)
async def test_names(shell: Shell, command: str, expected: list[str]) -> None:
    assert (await shell.run(command)).out.split() == expected


async def test_list_for_programs(shell: Shell) -> None:
    shell.api.put(EXPIRY_POLICIES.path(name="broken"), manifest("broken", ttl={"max": "soon"}))
    answer = await shell.run("list -A -o json")
    items = json.loads(answer.out)["items"]
    assert (items[0]["name"], items[0]["secondsLeft"]) == ("web", 7200.0)
    assert "ExpiryPolicy broken is not in force" in answer.err


@pytest.mark.parametrize(
    "command",
    [
        "list -A",
        "show deployment/web",
        "explain deployment/web",
        "plan -A",
        "simulate -A --for 7d",
        "extend deployment/web 2d --dry-run",
        "breaker show",
        "version",
    ],
)
async def test_yaml_says_what_json_says(shell: Shell, command: str) -> None:
    as_json, as_yaml = [(await shell.run(f"{command} -o {o}")).out for o in ("json", "yaml")]
    assert yaml.safe_load(as_yaml) == json.loads(as_json)
    assert not as_yaml.startswith("{")


async def test_nothing_to_list(shell: Shell) -> None:
    answer = await shell.run("list -n bare")
    assert (answer.status, answer.out) == (0, "")
    assert "Nothing is going to end" in answer.err


async def test_extend_moves_the_end(shell: Shell) -> None:
    answer = await shell.run("extend deployment/web 2d")
    assert answer.status == 0
    assert answer.out == (
        f"deployment.apps/web ends 2026-11-24T12:00:00Z (in 2d2h), before: {NOON}\n"
    )
    assert "its namespace ends first" in answer.err
    metadata = shell.api.objects[WEB]["metadata"]
    assert metadata["annotations"][names.EXPIRES_AT] == "2026-11-24T12:00:00Z"


async def test_extend_writes_only_over_what_it_read(shell: Shell) -> None:
    shell.api.fault(Fault("status", WEB, method="PATCH", code=409, reason="Conflict"))
    assert (await shell.run("extend deployment/web 2h")).status == 0
    sent = [r for r in shell.api.requests if r.method == "PATCH"]
    assert len(sent) == 2
    assert all(r.headers["User-Agent"] == f"dayfly-cli/{__version__}" for r in sent)


async def test_extend_gives_up_where_others_write_all_the_time(shell: Shell) -> None:
    shell.api.fault(Fault("status", WEB, method="PATCH", times=9, code=409, reason="Conflict"))
    answer = await shell.run("extend deployment/web 2h")
    assert (answer.status, answer.out) == (1, "")
    assert "all the time" in answer.err


async def test_extend_a_namespace(shell: Shell) -> None:
    answer = await shell.run("extend namespace/shop 1h -o json")
    data = json.loads(answer.out)
    assert (data["expiresAtBefore"], data["expiresAt"]) == (EVENING, "2026-11-22T19:00:00Z")


async def test_a_dry_run_changes_nothing(shell: Shell) -> None:
    before = shell.api.objects[WEB]
    answer = await shell.run("extend deployment/web 2h --dry-run")
    assert answer.out.endswith("(dry run)\n")
    assert shell.api.objects[WEB] == before


async def test_a_refusal_is_one_readable_line(shell: Shell) -> None:
    said = 'admission webhook "judge.dayfly.dev" denied the request: ends too late; at most 7d'
    shell.api.fault(Fault("status", WEB, method="PATCH", code=422, reason="Invalid", message=said))
    answer = await shell.run("extend deployment/web 20d")
    assert (answer.status, answer.out) == (1, "")
    assert answer.err == "dayfly extend: refused: ends too late; at most 7d\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        pytest.param("extend deploymnt/web 1h", "did you mean deployments", id="unknown kind"),
        pytest.param("extend deployment/wb 1h", "no deployment.apps/wb in", id="unknown object"),
        pytest.param("show deployment/web -n no", "no namespace no", id="unknown namespace"),
        pytest.param("list -n no", "no namespace no", id="list of an unknown namespace"),
        pytest.param("show namespace/no", "no namespace/no in this", id="no such cluster object"),
        pytest.param("extend deployment/plain 1h", "--from now", id="nothing to extend"),
        pytest.param("list --kubeconfig /no/file", "/no/file", id="no kubeconfig"),
    ],
)
async def test_what_is_not_there_is_said_in_one_line(shell: Shell, command: str, said: str) -> None:
    answer = await shell.run(command)
    assert (answer.status, answer.out) == (1, "")
    assert said in answer.err
    assert answer.err.count("\n") == 1


async def test_show(shell: Shell) -> None:
    answer = await shell.run("show deployment/web")
    assert answer.out.splitlines()[0] == "deployment.apps/web in shop"
    assert f"  ends        {NOON} (in 2h)" in answer.out
    assert "  policy      previews" in answer.out


async def test_show_for_programs(shell: Shell) -> None:
    answer = await shell.run("show deployment/web -o json")
    assert json.loads(answer.out)["explained"]["policy"] == "previews"


PAST = "2026-11-22T09:00:00Z"

KEEP = "/api/v1/namespaces/shop/configmaps/keep"


async def test_a_namespace_that_is_kept_says_by_what(shell: Shell) -> None:
    shell.api.put("/api/v1/namespaces/shop", stamped(PAST))
    assert (await shell.run("list")).out.splitlines()[1].split()[-2:] == ["previews", "-"]
    shell.api.put(KEEP, {"metadata": {"labels": {names.PROTECTED: "true"}}})
    assert "  kept by     configmaps/shop/keep" in (await shell.run("show namespace/shop")).out
    listed = (await shell.run("list")).out.splitlines()[1]
    assert listed.split()[-3:] == ["held", "by", "configmaps/shop/keep"]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        pytest.param("configmap/kube-root-ca.crt", "belongs to the control plane", id="furniture"),
        pytest.param("deployment/web -n vault", "namespace vault are guarded", id="a pattern"),
        pytest.param("namespace/default", "default is guarded", id="a namespace always guarded"),
    ],
)
async def test_show_knows_the_guard(shell: Shell, target: str, said: str) -> None:
    guard = {"data": {"namespaces": "vault\n"}}
    shell.api.put("/api/v1/namespaces/dayfly-system/configmaps/dayfly-guard", guard)
    shell.api.put("/api/v1/namespaces/vault")
    shell.api.put("/api/v1/namespaces/default")
    shell.api.put("/apis/apps/v1/namespaces/vault/deployments/web")
    shell.api.put("/api/v1/namespaces/shop/configmaps/kube-root-ca.crt")
    answer = await shell.run(f"show {target}")
    ends = next(line for line in answer.out.splitlines() if line.startswith("  ends "))
    assert "never" in ends
    assert said in ends
    assert "`dayfly extend`" not in answer.out


async def test_who_may_not_read_the_guard_still_knows_what_always_is(shell: Shell) -> None:
    path = "/api/v1/namespaces/dayfly-system/configmaps/dayfly-guard"
    shell.api.fault(Fault("status", path, code=403, reason="Forbidden"))
    shell.api.put("/api/v1/namespaces/kube-system")
    assert "never: namespace kube-system" in (await shell.run("show namespace/kube-system")).out


async def test_no_server(shell: Shell) -> None:
    await shell.api.down()
    answer = await shell.run("list")
    assert answer.status == 1
    assert f"no answer from {shell.api.url}" in answer.err


async def test_a_cluster_without_dayfly(shell: Shell) -> None:
    shell.api.resources.remove(EXPIRY_POLICIES)
    answer = await shell.run("list")
    assert (answer.status, "not installed" in answer.err) == (1, True)


async def test_kinds_that_may_not_be_listed_are_named(shell: Shell) -> None:
    rule = {"apiGroups": [""], "resources": ["configmaps"]}
    both = manifest(
        match={"resources": [rule, {"apiGroups": ["apps"], "resources": ["deployments"]}]}
    )
    shell.api.put(EXPIRY_POLICIES.path(name="previews"), both)
    forbidden = Fault("status", "/api/v1/namespaces/shop/configmaps", code=403, reason="Forbidden")
    shell.api.fault(forbidden)
    answer = await shell.run("list -o name")
    assert answer.out.split()[0] == "deployment.apps/web"
    assert "not shown, since you may not list them: configmaps" in answer.err


async def test_a_kind_that_cannot_be_listed_hides_no_other(shell: Shell) -> None:
    rules = [
        {"apiGroups": [""], "resources": ["configmaps"]},
        {"apiGroups": ["apps"], "resources": ["deployments"]},
    ]
    shell.api.put(EXPIRY_POLICIES.path(name="previews"), manifest(match={"resources": rules}))
    shell.api.fault(Fault("status", "/api/v1/namespaces/shop/configmaps", code=405))
    answer = await shell.run("list -o name")
    assert (answer.out.split()[0], answer.err) == ("deployment.apps/web", "")


async def test_who_may_list_nothing_is_told_so(shell: Shell) -> None:
    shell.api.fault(Fault("status", WEB[:-4], code=403, reason="Forbidden"))
    answer = await shell.run("list")
    assert answer.status == 1
    assert "you may not list" in answer.err


async def test_without_policies_every_kind_is_looked_at(shell: Shell) -> None:
    shell.api.fault(Fault("status", EXPIRY_POLICIES.path(), code=403, reason="Forbidden"))
    answer = await shell.run("list -o name")
    assert answer.out.split() == ["deployment.apps/web", "namespace/shop", "deployment.apps/api"]
    assert answer.err == ""

"""``dayfly explain``, ``plan`` and ``simulate``: what is to come, over real HTTP."""

import json
from typing import Any

import pytest

from dayfly_core import names
from dayfly_core.helm.marks import MANAGED_BY, MANAGER, RELEASE_NAME, RELEASE_NAMESPACE
from dayfly_core.objects import EXPIRY_POLICIES
from support.fake_api import Fault
from support.policy_manifests import manifest
from support.shell import SHOP, WEB, Shell, stamped

PREVIEWS = EXPIRY_POLICIES.path(name="previews")
TIMELINE: list[dict[str, Any]] = [
    {"at": "-1h", "action": {"type": "NOTIFY"}},
    {"at": "0s", "action": {"type": "SCALE_DOWN"}},
    {"at": "24h", "action": {"type": "DELETE"}},
]


MATCH = {
    "resources": [
        {"apiGroups": ["apps"], "resources": ["deployments"]},
        {"apiGroups": [""], "resources": ["namespaces"]},
    ]
}


@pytest.fixture
def timeline(shell: Shell) -> None:
    shell.api.put(PREVIEWS, manifest(timeline=TIMELINE))


@pytest.fixture
def namespaces_end(shell: Shell) -> None:
    shell.api.put(PREVIEWS, manifest(match=MATCH))


@pytest.mark.usefixtures("timeline")
async def test_explain_prints_the_future_steps_with_their_rules(shell: Shell) -> None:
    answer = await shell.run("explain deployment/web")
    head, *steps = answer.out.splitlines()
    assert (answer.status, head) == (0, "deployment.apps/web in shop")
    assert [line.split()[0] for line in steps] == [
        "2026-11-22T11:00:00Z",
        "2026-11-22T12:00:00Z",
        "2026-11-23T12:00:00Z",
    ]
    assert "warn" in steps[0]
    assert steps[0].endswith("NOTIFY@-1h of ExpiryPolicy/previews")


@pytest.mark.usefixtures("timeline")
async def test_explain_for_programs(shell: Shell) -> None:
    data = json.loads((await shell.run("explain deployment/web -o json")).out)
    assert (data["kind"], data["name"]) == ("Deployment", "web")
    assert data["steps"][1]["what"] == "scale down"
    assert data["steps"][1]["at"] == "2026-11-22T12:00:00Z"


async def test_explain_says_that_a_helm_release_ends_as_one(shell: Shell) -> None:
    shell.api.put(PREVIEWS, manifest(unit="Release"))
    member = stamped("2026-11-22T12:00:00Z", **{MANAGED_BY: MANAGER})
    member["metadata"]["annotations"] |= {RELEASE_NAME: "store", RELEASE_NAMESPACE: "shop"}
    shell.api.put(WEB, member)
    told = (await shell.run("explain deployment/web")).out.splitlines()[-1]
    assert told == "  with the last of its objects ends the whole Helm release shop/store"
    data = json.loads((await shell.run("explain deployment/web -o json")).out)
    assert data["release"] == "shop/store"


@pytest.mark.parametrize(
    ("labels", "annotations", "said"),
    [
        pytest.param(
            {}, {names.TTL: "8h"}, "no ExpiryPolicy covers it", id="an annotation without a policy"
        ),
        pytest.param(
            {names.PROTECTED: "true", names.POLICY: "previews"},
            {names.EXPIRES_AT: "2026-11-22T12:00:00Z"},
            "carries the label dayfly.dev/protected (Protected)",
            id="what is protected",
        ),
    ],
)
async def test_explain_says_why_nothing_happens(
    shell: Shell, labels: dict[str, str], annotations: dict[str, str], said: str
) -> None:
    path = "/api/v1/namespaces/bare/services/s"
    shell.api.put(path, {"metadata": {"labels": labels, "annotations": annotations}})
    answer = await shell.run("explain service/s -n bare")
    assert said in answer.out


@pytest.mark.usefixtures("namespaces_end")
async def test_simulate_prints_what_happens_in_order_and_writes_nothing(shell: Shell) -> None:
    answer = await shell.run("simulate --for 2d")
    header, *lines = answer.out.partition("\n\n")[0].splitlines()
    assert header.split() == ["AT", "WHAT", "NAMESPACE", "OBJECT", "RULE"]
    assert [(line.split()[1], line.split()[3]) for line in lines] == [
        ("delete", "deployment.apps/web"),
        ("delete", "namespace/shop"),
    ]
    assert {request.method for request in shell.api.requests} == {"GET"}


async def test_simulate_looks_no_further_than_it_is_told(shell: Shell) -> None:
    answer = await shell.run("simulate --for 3h -o json")
    assert [event["name"] for event in json.loads(answer.out)["events"]] == ["web"]


async def test_a_span_that_cannot_be_read_is_said_with_an_example(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        await shell.run("simulate --for soon")
    assert ended.value.code == 2
    assert "'soon' is not a length of time; write for example 90s" in capsys.readouterr().err


@pytest.mark.usefixtures("timeline")
async def test_plan_shows_each_act_with_the_objects_it_touches(shell: Shell) -> None:
    uid = shell.api.objects[WEB]["metadata"]["uid"]
    answer = await shell.run("plan --within 3h -o json")
    acts = json.loads(answer.out)["acts"]
    assert [(act["what"], act["name"]) for act in acts] == [
        ("warn", "web"),
        ("scale down", "web"),
    ]
    assert acts[1]["objects"] == [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "namespace": "shop",
            "name": "web",
            "uid": uid,
        }
    ]


@pytest.mark.usefixtures("namespaces_end")
async def test_plan_names_what_keeps_a_namespace(shell: Shell) -> None:
    path = f"{SHOP}/configmaps/keep"
    shell.api.put(path, {"metadata": {"labels": {names.PROTECTED: "true"}}})
    answer = await shell.run("plan")
    assert "! it stays: configmaps/shop/keep is protected" in answer.out


@pytest.mark.usefixtures("namespaces_end")
async def test_plan_shows_as_many_acts_as_it_is_told_and_says_that_more_follow(
    shell: Shell,
) -> None:
    answer = await shell.run("plan --within 2d --limit 1")
    assert answer.out.count("[DELETE@0s of ExpiryPolicy/previews]") == 1
    assert "1 more acts follow" in answer.err


async def test_who_may_not_read_policies_is_told_which_role_would_do(shell: Shell) -> None:
    shell.api.fault(Fault("status", EXPIRY_POLICIES.path(), code=403, reason="Forbidden"))
    answer = await shell.run("simulate")
    assert (answer.status, answer.out) == (1, "")
    assert "dayfly-view" in answer.err


@pytest.mark.usefixtures("timeline")
async def test_list_shows_the_next_step_once_the_end_has_passed(shell: Shell) -> None:
    done = {
        "uid": shell.api.objects[WEB]["metadata"]["uid"],
        "end": "2026-11-22T09:00:00Z",
        "done": [
            {"step": step, "id": step, "result": "Done", "at": "2026-11-22T09:00:00Z"}
            for step in ("NOTIFY@-1h", "SCALE_DOWN@0s")
        ],
    }
    asleep = stamped("2026-11-22T09:00:00Z")
    asleep["metadata"]["annotations"][names.STEPS] = json.dumps(done)
    shell.api.put(WEB, asleep)
    items = json.loads((await shell.run("list -o json")).out)["items"]
    following = {"at": "2026-11-23T09:00:00Z", "step": "DELETE@1d"}
    assert next(item["next"] for item in items if item["name"] == "web") == following
    [line] = [each for each in (await shell.run("list")).out.splitlines() if "/web" in each]
    assert line.split()[2:] == ["23h", "previews", "next:", "DELETE@1d"]


@pytest.mark.usefixtures("namespaces_end")
async def test_plan_lists_what_is_scaled_down_with_a_namespace(shell: Shell) -> None:
    down = [{"at": "0s", "action": {"type": "SCALE_DOWN"}}]
    shell.api.put(PREVIEWS, manifest(match=MATCH, timeline=down))
    shell.api.put(WEB, {**shell.api.objects[WEB], "spec": {"replicas": 2}})
    answer = await shell.run("plan --within 10h")
    under = answer.out.partition("scale down namespace/shop")[2]
    assert "deployment.apps/web in shop" in under

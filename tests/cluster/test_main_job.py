"""The main job as its users meet it: real kubectl and Helm, stamps, receipts, refusals, ends."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from dayfly_core import instant, names
from playground import System
from playground.commands import Result
from playground.demo import STORY
from playground.lags import Ending, endings
from playground.process import eventually

pytestmark = pytest.mark.cluster

SLOW = 60.0
"""Seconds until waiting for something that takes a moment is given up."""

CHART = STORY / "chart"


def policy(name: str) -> str:
    """A policy for everything that team ``name`` deploys, and for its namespaces."""
    return f"""
apiVersion: dayfly.dev/v1alpha1
kind: ExpiryPolicy
metadata: {{name: {name}}}
spec:
  match:
    namespaceSelector: {{matchLabels: {{team: {name}}}}}
    resources:
      - {{apiGroups: [""], resources: [configmaps, namespaces, pods]}}
      - {{apiGroups: [apps], resources: [deployments, statefulsets]}}
      - {{apiGroups: [batch], resources: [jobs, cronjobs]}}
  ttl: {{min: 1s, default: 1h, max: 2d}}
  grace: 2s
"""


@dataclass(frozen=True, slots=True)
class Team:
    """A namespace whose team has a policy of its own, both of the same name."""

    system: System
    name: str

    def kubectl(self, *arguments: str, stdin: str = "") -> Result:
        return self.system.plane.try_kubectl(*arguments, "-n", self.name, stdin=stdin)

    def apply(self, manifest: str, *arguments: str) -> Result:
        return self.kubectl("apply", "-f", "-", *arguments, stdin=manifest)

    def meta(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.system.plane.read(kind, name, "-n", self.name)["metadata"]
        return found

    def end(self, kind: str, name: str) -> datetime:
        return instant.parse(self.meta(kind, name)["annotations"][names.EXPIRES_AT])

    def exists(self, kind: str, name: str) -> bool:
        return self.kubectl("get", kind, name).ok

    def gone(self, kind: str, name: str) -> bool:
        return eventually(lambda: not self.exists(kind, name), SLOW)


@pytest.fixture
def team(system: System) -> Iterator[Team]:
    name = f"team-{secrets.token_hex(3)}"
    system.plane.apply(policy(name))
    system.wait_enforced(["configmaps", "deployments", "jobs"])
    system.plane.apply(
        f'{{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"{name}","labels":{{"team":"{name}"}}}}}}'
    )
    found = Team(system, name)
    # Every replica has to know policy and namespace: six stamps in a row come from both.
    assert eventually(lambda: all(_stamped(found, i) for i in range(6)), SLOW)
    yield found
    system.plane.try_kubectl("delete", "expirypolicy", name)
    system.plane.try_kubectl("delete", "namespace", name, "--wait=false")


def _stamped(team: Team, number: int) -> bool:
    answer = team.apply(config_map(f"probe-{number}"), "--dry-run=server", "-o", "json")
    return names.EXPIRES_AT in answer.stdout


def config_map(name: str, **annotations: str) -> str:
    written = "".join(
        f'\n    dayfly.dev/{k.replace("_", "-")}: "{v}"' for k, v in annotations.items()
    )
    notes = f"\n  annotations:{written}" if written else ""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}{notes}\n"


def seconds_from_now(end: datetime) -> float:
    return (end - datetime.now(UTC)).total_seconds()  # noqa: TID251  the cluster's clock is real


def test_a_namespace_made_by_hand_is_stamped_when_the_label_comes_and_caught_up(
    team: Team,
) -> None:
    name = f"{team.name}-late"
    team.system.plane.kubectl("create", "namespace", name)
    team.system.plane.kubectl("label", "namespace", name, f"team={team.name}")

    def caught_up() -> bool:
        read: dict[str, Any] = team.system.plane.read("namespace", name)["metadata"]
        return names.EXPIRES_AT in read.get("annotations", {})

    assert eventually(caught_up, SLOW)
    team.system.plane.kubectl("delete", "namespace", name, "--wait=false")


def test_helm_installs_what_ends_and_prints_when(team: Team) -> None:
    made = team.system.plane.try_helm("install", "shop", str(CHART), "--namespace", team.name)
    assert made.ok
    assert f"deployment {team.name}/shop ends" in made.stderr
    assert f"kubectl dayfly extend deployment/shop -n {team.name} 1h" in made.stderr
    assert 3500 < seconds_from_now(team.end("deployment", "shop")) < 3602
    assert team.meta("deployment", "shop")["labels"][names.POLICY] == team.name
    assert team.meta("job", "shop-migrate")["annotations"][names.CREATED_BY] == "admin"
    upgraded = team.system.plane.try_helm("upgrade", "shop", str(CHART), "--namespace", team.name)
    assert upgraded.ok
    assert "ends" not in upgraded.stderr, "nothing moved, so nothing is told"


def test_a_dry_run_tells_all_and_changes_nothing(team: Team) -> None:
    told = team.apply(config_map("dry", ttl="8h"), "--dry-run=server")
    assert told.ok
    assert f"configmap {team.name}/dry ends" in told.stderr
    assert not team.exists("configmap", "dry")


@pytest.mark.parametrize(
    ("annotations", "words"),
    [
        pytest.param({"ttl": "5"}, ["dayfly.dev/ttl", '"5"', "no unit", "8h"], id="no unit"),
        pytest.param({"ttl": "3d"}, ["dayfly.dev/ttl", "at most 2d"], id="longer than the policy"),
        pytest.param(
            {"expires_at": "2020-01-01T00:00:00Z"},
            ["dayfly.dev/expires-at", "is past", "later instant"],
            id="an end in the past",
        ),
        pytest.param({"ttl": "never"}, ["dayfly.dev/ttl", "never"], id="never, under a bound"),
        pytest.param(
            {"ttl": "1h", "expires_at": "2099-01-01T00:00:00Z"},
            ["dayfly.dev/expires-at"],
            id="two ends that disagree",
        ),
    ],
)
def test_a_mistake_is_refused_with_what_would_be_right(
    team: Team, annotations: dict[str, str], words: list[str]
) -> None:
    refused = team.apply(config_map("mistake", **annotations))
    assert not refused.ok
    assert [word for word in words if word not in refused.stderr] == []
    assert not team.exists("configmap", "mistake")


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(["apply", "-f", "-"], id="kubectl apply"),
        pytest.param(["replace", "-f", "-"], id="kubectl replace"),
        pytest.param(
            ["apply", "--server-side", "--force-conflicts", "-f", "-"], id="server-side apply"
        ),
    ],
)
def test_an_extension_outlives_the_manifest(team: Team, again: list[str]) -> None:
    manifest = config_map("settings", ttl="1h")
    assert team.apply(manifest).ok
    before = team.end("configmap", "settings")
    moved = team.kubectl("dayfly", "extend", "configmap/settings", "30m")
    assert moved.ok
    assert instant.render(before + timedelta(minutes=30)) in moved.stdout
    assert team.kubectl(*again, stdin=manifest).ok
    assert team.end("configmap", "settings") == before + timedelta(minutes=30)
    assert team.kubectl(*again, stdin=manifest).ok
    version = team.meta("configmap", "settings")["resourceVersion"]
    assert team.kubectl(*again, stdin=manifest).ok
    assert team.meta("configmap", "settings")["resourceVersion"] == version


def test_a_job_ends_on_time_with_its_pods_and_is_told_of(team: Team) -> None:
    since = team.system.plane.audit_log.position()
    assert team.kubectl("create", "job", "once", "--image=busybox").ok
    assert eventually(lambda: "once" in team.kubectl("get", "pods").stdout, SLOW)
    # The end from the answer: it may be gone before it is read.
    annotated = team.kubectl("annotate", "job", "once", "dayfly.dev/ttl=2s", "-o", "json").checked()
    notes = msgspec.json.decode(annotated.stdout)["metadata"]["annotations"]
    ends = {f"jobs/{team.name}/once": instant.parse(notes[names.EXPIRES_AT])}
    assert team.gone("job", "once")
    assert eventually(lambda: "once" not in team.kubectl("get", "pods").stdout, SLOW)
    assert eventually(lambda: bool(_endings(team, since, ends)), SLOW)
    [ending] = _endings(team, since, ends)
    assert ending.lag is not None
    assert ending.lag >= timedelta(0)
    assert eventually(lambda: _reasons(team) >= {"Expired", "Deleted"}, SLOW)
    assert eventually(
        lambda: "once" in team.system.plane.kubectl("describe", "expirypolicy", team.name), SLOW
    )


def _endings(team: Team, since: int, ends: dict[str, datetime]) -> list[Ending]:
    return [e for e in endings(team.system.plane.audit(since), ends) if e.target in ends]


def _reasons(team: Team) -> set[str]:
    items = team.system.plane.read("events", "-n", team.name)["items"]
    return {item["reason"] for item in items if item["involvedObject"]["name"] == "once"}


def test_copies_on_what_a_deployment_controls_have_no_effect(team: Team) -> None:
    assert team.kubectl("create", "deployment", "web", "--image=nginx").ok
    assert eventually(lambda: "web-" in team.kubectl("get", "replicasets").stdout, SLOW)
    [replica_set] = team.system.plane.read("replicasets", "-n", team.name, "-l", "app=web")["items"]
    pods = team.system.plane.read("pods", "-n", team.name, "-l", "app=web")["items"]
    assert names.POLICY not in replica_set["metadata"].get("labels", {})
    assert all(names.POLICY not in pod["metadata"].get("labels", {}) for pod in pods)
    told = team.kubectl("dayfly", "list", "-o", "name").stdout
    assert "deployment.apps/web" in told
    assert "replicaset" not in told
    assert "pod/" not in told


def test_a_copy_of_an_object_gets_an_end_of_its_own(team: Team) -> None:
    assert team.apply(config_map("first", ttl="8h")).ok
    assert team.kubectl("dayfly", "extend", "configmap/first", "12h").ok
    copied = team.kubectl("get", "configmap", "first", "-o", "yaml").stdout
    renamed = "\n".join(
        line
        for line in copied.replace("name: first", "name: second").splitlines()
        if not line.lstrip().startswith(("uid:", "resourceVersion:", "creationTimestamp:"))
    )
    made = team.kubectl("create", "-f", "-", stdin=renamed)
    assert made.ok, made.stderr
    assert "stamps of another object were dropped" in made.stderr
    assert 28_700 < seconds_from_now(team.end("configmap", "second")) <= 28_801


def test_what_is_protected_stays_and_keeps_its_namespace(team: Team) -> None:
    assert team.apply(config_map("precious", ttl="8h")).ok
    assert team.kubectl("label", "configmap", "precious", f"{names.PROTECTED}=true").ok
    assert team.kubectl("annotate", "configmap", "precious", "dayfly.dev/ttl=2s", "--overwrite").ok
    team.system.plane.kubectl("annotate", "namespace", team.name, "dayfly.dev/ttl=2s")

    def blocked() -> bool:
        events = team.system.plane.read("events", "-n", "default")["items"]
        return any(
            e["involvedObject"]["name"] == team.name and "precious" in e["message"] for e in events
        )

    assert eventually(blocked, SLOW)
    assert team.exists("configmap", "precious")


def test_the_policy_counts_what_it_stamped_and_names_the_next_end(team: Team) -> None:
    assert team.apply(config_map("one", ttl="20m")).ok
    expected = {
        "matched": 2,  # the namespace and the ConfigMap
        "nextEnd": instant.render(team.end("configmap", "one")),
        "Ready": "True",
        "Enforceable": "True",
    }
    assert eventually(lambda: _told(team) == expected, SLOW), (_told(team), expected)


def _told(team: Team) -> dict[str, Any]:
    """Read what the policy's status says, its conditions among the rest."""
    status = team.system.plane.read("expirypolicy", team.name).get("status", {})
    conditions = {c["type"]: c["status"] for c in status.get("conditions", ())}
    return {"matched": status.get("matched"), "nextEnd": status.get("nextEnd"), **conditions}

"""Timelines on a real control plane: warned, scaled down, woken, extended, deleted; and Stays."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from dayfly_core import instant, names
from dayfly_core.patch import ANNOTATIONS_LIMIT
from dayfly_core.scaling import PAUSED_REPLICAS
from playground import System
from playground.commands import Result
from playground.process import eventually

pytestmark = pytest.mark.cluster

SLOW = 60.0
"""Seconds until waiting for something that takes a moment is given up."""

TENANT = "tenant"

POLICY = """
apiVersion: dayfly.dev/v1alpha1
kind: ExpiryPolicy
metadata: {{name: {name}}}
spec:
  match:
    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}
    resources: [{{apiGroups: [{group}], resources: [{resources}]}}]
  ttl: {{min: 1s, default: 1h, max: 2d}}
  grace: 2s
  timeline:
    - {{at: -10s, action: {{type: NOTIFY}}}}
    - {{at: 0s, action: {{type: SCALE_DOWN}}}}
    - {{at: 15s, action: {{type: DELETE}}}}
"""

KEDA = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: scaledobjects.keda.sh}
spec:
  group: keda.sh
  scope: Namespaced
  names: {kind: ScaledObject, listKind: ScaledObjectList, plural: scaledobjects}
  versions:
    - name: v1alpha1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""

SHOP = """
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template: {spec: {restartPolicy: Never, containers: [{name: a, image: busybox}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: a, image: postgres}]}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: worker}
spec: {scaleTargetRef: {name: worker}}
"""

SCALER = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 5
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}
"""

STAY = """
apiVersion: dayfly.dev/v1alpha1
kind: Stay
metadata: {{name: {name}}}
spec: {spec}
"""


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  the cluster's clock is real


@dataclass(frozen=True, slots=True)
class Preview:
    """A namespace with a policy of its own, both of the same name."""

    system: System
    name: str

    def kubectl(self, *arguments: str, stdin: str = "") -> Result:
        return self.system.plane.try_kubectl(*arguments, "-n", self.name, stdin=stdin)

    def apply(self, manifest: str, *arguments: str) -> Result:
        made = self.kubectl("apply", "-f", "-", *arguments, stdin=manifest)
        assert made.ok, made.stderr
        return made

    def read(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.system.plane.read(kind, name, "-n", self.name)
        return found

    def annotations(self, kind: str, name: str) -> dict[str, str]:
        found: dict[str, str] = self.read(kind, name)["metadata"].get("annotations", {})
        return found

    def replicas(self, kind: str, name: str) -> int:
        found: int = self.read(kind, name)["spec"]["replicas"]
        return found

    def steps(self, kind: str, name: str) -> set[str]:
        written = msgspec.json.decode(self.annotations(kind, name).get(names.STEPS, "{}"))
        return {done["step"] for done in written.get("done", [])}

    def deploy(self, name: str, replicas: int, *annotations: str) -> None:
        """Create a Deployment, with its annotations in the manifest."""
        create = ("create", "deployment", name, "--image=nginx", f"--replicas={replicas}")
        written = self.kubectl(*create, "--dry-run=client", "-o", "json").stdout
        manifest = msgspec.json.decode(written)
        notes = dict(each.split("=", 1) for each in annotations)
        manifest["metadata"]["annotations"] = notes
        self.apply(msgspec.json.encode(manifest).decode())

    def end_in(self, kind: str, name: str, seconds: float) -> None:
        end = instant.render(datetime.fromtimestamp(now().timestamp() + seconds, UTC))
        note = f"{names.EXPIRES_AT}={end}"
        moved = self.kubectl("annotate", "--overwrite", kind, name, note)
        assert moved.ok, moved.stderr

    def governed(self) -> bool:
        """Whether every replica of admission knows policy and namespace: six stamps in a row."""
        probe = ("create", "deployment", "probe", "--image=x", "--dry-run=server", "-o", "json")
        return all(names.POLICY in self.kubectl(*probe).stdout for _ in range(6))

    def stamped(self) -> bool:
        """Whether the namespace has an end."""
        return names.EXPIRES_AT in self.annotations("namespace", self.name)

    def told(self, name: str) -> set[str]:
        """Return the reasons of what was told of an object; it may come after the act."""
        events = self.system.plane.read("events", "-A")["items"]
        ours = (e for e in events if self.name in (e["involvedObject"].get("namespace"), name))
        return {e["reason"] for e in ours if e["involvedObject"]["name"] == name}

    def gone(self, kind: str, name: str) -> bool:
        return eventually(lambda: not self.kubectl("get", kind, name).ok, SLOW)


def previewed(system: System, group: str, resources: str) -> Iterator[Preview]:
    name = f"preview-{secrets.token_hex(3)}"
    system.plane.apply(KEDA)
    system.plane.apply(POLICY.format(name=name, group=group, resources=resources))
    system.wait_enforced([resources])
    system.plane.kubectl("create", "namespace", name)
    found = Preview(system, name)
    yield found
    system.plane.try_kubectl("delete", "expirypolicy", name)
    system.plane.try_kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def deployments(system: System) -> Iterator[Preview]:
    """A namespace whose Deployments follow the timeline, each for itself."""
    for preview in previewed(system, "apps", "deployments"):
        assert eventually(preview.governed, SLOW)
        yield preview


@pytest.fixture
def space(system: System) -> Iterator[Preview]:
    """A namespace that follows the timeline as a whole."""
    for preview in previewed(system, '""', "namespaces"):
        preview.apply(SHOP)
        preview.deploy("web", 3)
        preview.deploy("api", 1)
        assert eventually(preview.stamped, SLOW)
        yield preview


def test_a_preview_is_warned_scaled_down_woken_extended_and_deleted(
    deployments: Preview,
) -> None:
    team = deployments
    team.deploy("web", 3, f"{names.TTL}=12s")
    assert eventually(lambda: names.WARNING in team.annotations("deployment", "web"), SLOW)
    assert team.replicas("deployment", "web") == 3
    assert eventually(lambda: team.replicas("deployment", "web") == 0, SLOW)
    asleep = team.annotations("deployment", "web")
    assert asleep[names.REPLICAS] == "3"
    assert team.steps("deployment", "web") == {"NOTIFY@-10s", "SCALE_DOWN@0s"}

    woken = team.kubectl("annotate", "deployment", "web", f"{names.WAKE_REQUESTED}=Ada")
    assert woken.ok, woken.stderr
    assert eventually(lambda: team.replicas("deployment", "web") == 3, SLOW)
    awake = team.annotations("deployment", "web")
    assert names.REPLICAS not in awake
    assert instant.parse(awake[names.EXPIRES_AT]) > now(), "it lives anew"
    assert names.WARNING not in awake

    team.end_in("deployment", "web", 9)
    assert eventually(lambda: names.WARNING in team.annotations("deployment", "web"), SLOW)
    team.end_in("deployment", "web", 60)
    assert eventually(lambda: names.WARNING not in team.annotations("deployment", "web"), SLOW)
    assert team.replicas("deployment", "web") == 3, "an extension cancels what was to come"

    team.end_in("deployment", "web", 1)
    assert eventually(lambda: team.replicas("deployment", "web") == 0, SLOW), "and it is armed anew"
    assert team.gone("deployment", "web")
    wanted = {"Warned", "WarningWithdrawn", "Scaled", "ScaledDown", "Woken", "Deleted"}
    assert eventually(lambda: team.told("web") >= wanted, SLOW), team.told("web")


def test_what_is_restored_from_a_backup_sleeps_on_and_can_be_woken(deployments: Preview) -> None:
    team = deployments
    team.deploy("web", 3)
    team.end_in("deployment", "web", 1)
    assert eventually(lambda: team.replicas("deployment", "web") == 0, SLOW)
    backup = team.read("deployment", "web")
    team.kubectl("delete", "deployment", "web")

    metadata = {key: backup["metadata"][key] for key in ("name", "labels", "annotations")}
    kept = {key: backup[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": metadata}
    restored = team.kubectl("create", "-f", "-", stdin=msgspec.json.encode(kept).decode())
    assert restored.ok, restored.stderr
    assert "to wake it: kubectl dayfly wake deployment/web" in restored.stderr
    asleep = team.annotations("deployment", "web")
    assert (asleep[names.REPLICAS], names.STEPS in asleep) == ("3", False)
    assert instant.parse(asleep[names.EXPIRES_AT]) > now(), "its end is counted anew"
    assert team.replicas("deployment", "web") == 0

    team.kubectl("annotate", "deployment", "web", f"{names.WAKE_REQUESTED}=Ada")
    assert eventually(lambda: team.replicas("deployment", "web") == 3, SLOW)
    assert names.SCALED_BY not in team.annotations("deployment", "web")


def test_a_horizontal_pod_autoscaler_leaves_what_is_scaled_down(deployments: Preview) -> None:
    team = deployments
    team.deploy("web", 3, f"{names.TTL}=2s")
    team.apply(SCALER)
    # It must not be deleted while the autoscaler, which looks every 15 s, has not seen it.
    timeline = {"spec": {"timeline": [{"at": "0s", "action": {"type": "SCALE_DOWN"}}]}}
    team.kubectl(
        "patch", "expirypolicy", team.name, "--type=merge", "-p", str(timeline).replace("'", '"')
    )
    assert eventually(lambda: team.replicas("deployment", "web") == 0, SLOW)

    def disabled() -> bool:
        status = team.read("horizontalpodautoscaler", "web").get("status", {})
        return any(
            c["type"] == "ScalingActive" and c["reason"] == "ScalingDisabled"
            for c in status.get("conditions", [])
        )

    assert eventually(disabled, SLOW)
    assert team.replicas("deployment", "web") == 0
    team.kubectl("annotate", "deployment", "web", f"{names.WAKE_REQUESTED}=Ada")
    assert eventually(lambda: team.replicas("deployment", "web") == 3, SLOW)


def test_a_namespace_comes_to_rest_and_wakes_as_a_whole(space: Preview) -> None:
    team = space
    team.end_in("namespace", team.name, 1)
    workloads = [("deployment", "web"), ("deployment", "api"), ("statefulset", "db")]
    assert eventually(lambda: "SCALE_DOWN@0s" in team.steps("namespace", team.name), SLOW)
    assert [team.replicas(*each) for each in workloads] == [0, 0, 0]
    assert team.read("cronjob", "nightly")["spec"]["suspend"] is True
    assert team.annotations("scaledobject", "worker")[PAUSED_REPLICAS] == "0"

    woken = team.kubectl("annotate", "namespace", team.name, f"{names.WAKE_REQUESTED}=Ada")
    assert woken.ok, woken.stderr
    assert eventually(lambda: [team.replicas(*each) for each in workloads] == [3, 1, 2], SLOW)
    assert eventually(lambda: team.steps("namespace", team.name) == set(), SLOW)
    assert team.read("cronjob", "nightly")["spec"]["suspend"] is False
    assert PAUSED_REPLICAS not in team.annotations("scaledobject", "worker")
    assert instant.parse(team.annotations("namespace", team.name)[names.EXPIRES_AT]) > now()

    team.end_in("namespace", team.name, 1)
    assert team.gone("namespace", team.name)


def test_a_tenant_without_rights_on_the_namespace_extends_and_wakes_it(space: Preview) -> None:
    team = space
    as_tenant = (f"--as={TENANT}",)
    team.kubectl("create", "rolebinding", "tenant", "--clusterrole=edit", f"--user={TENANT}")
    refused = team.kubectl("annotate", "namespace", team.name, "a=b", *as_tenant)
    assert "forbidden" in refused.stderr
    team.end_in("namespace", team.name, 1)
    assert eventually(lambda: team.replicas("deployment", "web") == 0, SLOW)

    team.apply(STAY.format(name="longer", spec="{for: 8h, wake: true}"), *as_tenant)
    assert eventually(lambda: team.replicas("deployment", "web") == 3, SLOW)

    def granted() -> bool:
        status = team.read("stay", "longer").get("status", {})
        return any(
            c["type"] == "Granted" and c["status"] == "True" for c in status.get("conditions", [])
        )

    assert eventually(granted, SLOW)
    end = instant.parse(team.annotations("namespace", team.name)[names.EXPIRES_AT])
    assert 28_000 < (end - now()).total_seconds() <= 28_801

    too_long = STAY.format(name="for-ever", spec="{for: 30d}")
    denied = team.kubectl("apply", "-f", "-", *as_tenant, stdin=too_long)
    assert not denied.ok
    assert f"ExpiryPolicy {team.name} allows" in denied.stderr


def filled(space: Preview) -> bool:
    """Fill what is stored, with an end that is near; False if somebody has just changed it."""
    found = space.read("namespace", space.name)
    notes: dict[str, str] = found["metadata"]["annotations"]
    notes[names.EXPIRES_AT] = instant.render(now() + timedelta(seconds=8))
    used = sum(len(key) + len(text) for key, text in notes.items()) + len("filler")
    notes["filler"] = "x" * (ANNOTATIONS_LIMIT - used)
    replaced = space.kubectl("replace", "-f", "-", stdin=msgspec.json.encode(found).decode())
    assert replaced.ok or "Conflict" in replaced.stderr, replaced.stderr
    return replaced.ok


def test_full_annotations_keep_a_namespace_from_nothing(space: Preview) -> None:
    assert eventually(lambda: filled(space), SLOW)
    assert eventually(lambda: space.replicas("deployment", "web") == 0, SLOW)
    assert space.gone("namespace", space.name)
    assert eventually(lambda: space.told(space.name) >= {"NotRecorded", "Deleted"}, SLOW)

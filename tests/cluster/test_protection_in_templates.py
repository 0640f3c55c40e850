"""Who may not protect does not do it by way of a template, whose label controllers copy."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from dayfly_core import names
from playground import ControlPlane
from support.places import KUBE_SYSTEM, OWNED, OWNER, PROTECTOR, Place, a_place

pytestmark = pytest.mark.cluster

Json = dict[str, Any]
LABEL = {names.PROTECTED: "true"}
OTHER = {names.PROTECTED: "false"}


@pytest.fixture(scope="module")
def place(bare: ControlPlane) -> Iterator[Place]:
    with a_place(bare, "test-templates") as place:
        yield place


def pod(labels: Json, image: str = "nginx") -> Json:
    containers = [{"name": "web", "image": image}]
    spec = {"containers": containers, "restartPolicy": "Always"}
    return {"metadata": {"labels": {"app": "web", **labels}}, "spec": spec}


def workload(kind: str, spec: Json, **metadata: Any) -> Json:
    selector = {"selector": {"matchLabels": {"app": "web"}}}
    head = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web", **metadata}}
    return {**head, "spec": {**selector, **spec}}


def deployment(labels: Json, image: str = "nginx", **metadata: Any) -> Json:
    return workload("Deployment", {"template": pod(labels, image)}, **metadata)


def stateful_set(labels: Json) -> Json:
    size = {"requests": {"storage": "1Mi"}}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": size}
    claim = {"metadata": {"name": "data", "labels": labels}, "spec": spec}
    whole = {"template": pod({}), "serviceName": "web", "volumeClaimTemplates": [claim]}
    return workload("StatefulSet", whole)


def cron_job(job: Json, of_pod: Json) -> Json:
    template = pod(of_pod)
    template["spec"]["restartPolicy"] = "Never"
    spec = {
        "schedule": "@daily",
        "jobTemplate": {"metadata": {"labels": job}, "spec": {"template": template}},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "web"},
        "spec": spec,
    }


OWNED_COPY = deployment(LABEL, ownerReferences=OWNED)


@pytest.mark.parametrize(
    ("user", "item", "refused"),
    [
        pytest.param(OWNER, deployment({}), False, id="no template has the label"),
        pytest.param(OWNER, deployment(LABEL), True, id="that of pods has"),
        pytest.param(OWNER, OWNED_COPY, True, id="and it says that a controller owns it"),
        pytest.param(OWNER, stateful_set(LABEL), True, id="that of claims has"),
        pytest.param(OWNER, cron_job(LABEL, {}), True, id="that of Jobs has"),
        pytest.param(OWNER, cron_job({}, LABEL), True, id="that of the pods of Jobs has"),
        pytest.param(PROTECTOR, stateful_set(LABEL), False, id="its author may protect"),
        pytest.param(KUBE_SYSTEM, deployment(LABEL), False, id="a controller copies it"),
    ],
)
def test_who_writes_the_label_into_a_template(
    place: Place, user: str, item: Json, refused: bool
) -> None:
    text = msgspec.json.encode(item).decode()
    result = place.run(user, "create", "-f", "-", "--dry-run=server", stdin=text)
    assert result.ok is not refused, result.stderr
    assert not refused or 'in a template: it needs the verb "protect"' in result.stderr


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        pytest.param(deployment(LABEL), deployment(LABEL, "nginx:2"), False, id="another image"),
        pytest.param(deployment(LABEL), deployment({}), False, id="the label goes"),
        pytest.param(deployment({}), deployment(LABEL), True, id="the label comes"),
        pytest.param(deployment(OTHER), deployment(LABEL), True, id="the label changes"),
    ],
)
def test_who_changes_a_template(place: Place, before: Json, after: Json, refused: bool) -> None:
    place.store(msgspec.json.encode(before).decode())
    text = msgspec.json.encode(after).decode()
    result = place.run(OWNER, "replace", "-f", "-", "--dry-run=server", stdin=text)
    assert result.ok is not refused, result.stderr

"""Kubernetes' own controllers go on under the rights of base, whatever they copy or let go of."""

from collections.abc import Iterator

import pytest

from playground import ControlPlane
from support.places import (
    LATE,
    Place,
    a_place,
)

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def place(bare: ControlPlane) -> Iterator[Place]:
    with a_place(bare, "test-rights-of-controllers") as place:
        yield place


WORKLOADS = f"""
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: &head
    name: copied
    labels: &labels {{app: copied, dayfly.dev/policy: p, dayfly.dev/protected: "true"}}
    annotations: &annotations {{dayfly.dev/expires-at: "{LATE}", dayfly.dev/ttl: 8h}}
  spec:
    replicas: 2
    selector: {{matchLabels: {{app: copied}}}}
    template: &template
      metadata: {{labels: *labels, annotations: *annotations}}
      spec: {{containers: [{{name: c, image: c}}]}}
- apiVersion: v1
  kind: Service
  metadata: *head
  spec:
    selector: {{app: copied}}
    ports: [{{port: 80}}]
- apiVersion: batch/v1
  kind: Job
  metadata: *head
  spec:
    template:
      metadata: {{labels: *labels, annotations: *annotations}}
      spec: {{restartPolicy: Never, containers: [{{name: c, image: c}}]}}
- apiVersion: apps/v1
  kind: StatefulSet
  metadata: *head
  spec:
    serviceName: copied
    selector: {{matchLabels: {{app: copied}}}}
    template: *template
    volumeClaimTemplates:
    - metadata: {{name: data, labels: *labels, annotations: *annotations}}
      spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}
"""
"""Everything that Kubernetes' controllers copy labels or annotations of, with all our keys."""


def test_controllers_go_on(place: Place) -> None:
    bare = place.plane
    begun = bare.audit_log.position()
    bare.kubectl("create", "namespace", "test-controllers")
    there = ("-n", "test-controllers")
    bare.apply(WORKLOADS, *there)
    bare.kubectl("rollout", "status", "deployment/copied", *there, "--timeout=60s")
    bare.kubectl(
        "wait", "endpointslice", "-l", "app=copied", *there, "--for=create", "--timeout=60s"
    )
    bare.kubectl("wait", "pvc/data-copied-0", *there, "--for=create", "--timeout=60s")
    bare.kubectl("set", "image", "deployment/copied", "c=other", *there)
    bare.kubectl("rollout", "status", "deployment/copied", *there, "--timeout=60s")
    bare.kubectl("delete", "deployment", "copied", *there, "--cascade=orphan")
    bare.kubectl("delete", "service,job,statefulset", "copied", *there)
    bare.kubectl("delete", "namespace", "test-controllers", "--timeout=60s")
    refused = [
        (event.user.username, event.verb, event.target, event.response_status.message)
        for event in bare.audit(begun)
        if "ValidatingAdmissionPolicy" in event.response_status.message
    ]
    assert refused == []

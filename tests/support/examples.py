"""The four examples of k8s-namespace-manager with all that is in their files, for a real cluster.

The first waits 40 s and the fourth 60 s, as their documents show it; the other two also waited 60 s
before their first check, which is 3 s here. Copies whose tests fail (that is what
``MOCK_TEST_SIMULATE_FAILURE`` was for) have namespaces of their own, so that all can run at once.
"""

from typing import Final

from support import originals

HOME: Final = "namespace-manager"
"""The namespace of the original's operator; the second manager is there."""

HOST: Final = "webhooky.example-04.svc.cluster.local"
PATH: Final = "/api/webhook/my-super-awesome-webhook"
MARKED: Final = "my-marked-comfortable-curious-app"
UNMARKED: Final = "my-hot-amusing-protective-app"
STATEFUL: Final = ("my-outrageous-seemly-unarmed-app", "my-imminent-whispering-wholesale-app")

NAMESPACE: Final = """\
apiVersion: v1
kind: Namespace
metadata:
  name: {}
"""

JOB: Final = """\
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  completions: 3
  parallelism: 2
  backoffLimit: 0
  template:
    metadata: {{labels: {{{labels}}}}}
    spec:
      restartPolicy: Never
      containers: [{{name: test, image: mock-test}}]
"""

WORKLOAD: Final = """\
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}, namespace: {namespace}, labels: {{{labels}}}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}, component: auxiliary}}}}
    spec:
      containers: [{{name: app, image: nginx}}]
"""

FAILING: Final = ", pod-container-running-failed.stage.kwok.x-k8s.io: 'true'"
"""Label by which KWOK lets a pod fail."""


def namespace(name: str) -> str:
    return NAMESPACE.format(name)


def job(name: str, namespace: str, labels: str, *, fails: bool = False) -> str:
    """Write a Job of three completions, two at a time."""
    return JOB.format(name=name, namespace=namespace, labels=labels + FAILING * fails)


def workload(kind: str, name: str, namespace: str, replicas: int, labels: str = "") -> str:
    return WORKLOAD.format(
        kind=kind, name=name, namespace=namespace, replicas=replicas, labels=labels
    )


def documents(*texts: str) -> str:
    """Write several objects as one file."""
    return "---\n".join(texts)


def hurried(manager: str) -> str:
    """Have the first check after 3 s instead of 60, and the next after 1 s instead of 10."""
    sooner = manager.replace("initialDelaySeconds: 60", "initialDelaySeconds: 3")
    return sooner.replace("periodSeconds: 10", "periodSeconds: 1")


def _copied(manager: str, number: str, *, fails: bool) -> str:
    """Return the manager, or its copy for tests that fail: ``example-12`` for ``example-02``."""
    if not fails:
        return manager
    return manager.replace(f"example-0{number}", f"example-1{number}").replace(
        "ejemplo-dos", "ejemplo-malo"
    )


def example_01() -> str:
    return documents(namespace("example-01"), originals.EXAMPLE_01)


def example_02(*, fails: bool = False) -> str:
    target = "example-12" if fails else "example-02"
    labels = "component: main, type: test"
    return documents(
        namespace(target),
        hurried(_copied(originals.EXAMPLE_02, "2", fails=fails)),
        job("my-consistent-tested-superb-app", target, labels, fails=fails),
        workload("Deployment", "my-auxiliary-app", target, 1, "component: auxiliary"),
    )


def example_03(*, fails: bool = False) -> str:
    target = "example-13" if fails else "example-03"
    return documents(
        namespace(target),
        hurried(_copied(originals.EXAMPLE_03, "3", fails=fails)),
        job("my-lonely-chivalrous-careful-app", target, "component: main", fails=fails),
        workload("Deployment", MARKED, target, 5, 'isScaleDown: "yes"'),
        workload("Deployment", UNMARKED, target, 3),
        *(workload("StatefulSet", each, target, 3) for each in STATEFUL),
    )


def example_04(*, fails: bool = False) -> str:
    """Without the pod of its receiver."""
    target = "example-14" if fails else "example-04"
    manager = originals.EXAMPLE_04
    if fails:
        manager = hurried(manager.replace("  name: example-04", f"  name: {target}"))
        manager = manager.replace("namespace: example-04", f"namespace: {target}")
        manager = manager.replace(PATH, f"{PATH}-that-fails")
    tests = job("my-test-app", target, "component: main", fails=fails)
    return documents(namespace(target), manager, tests)


ALL: Final = (example_01(), example_02(), example_03(), example_04())
FAILED: Final = (example_02(fails=True), example_03(fails=True), example_04(fails=True))

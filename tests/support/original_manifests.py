"""Manifests of Ephemerate and k8s-namespace-manager, as their documents print them."""

EPHEMERATOR_SAMPLE_1 = """\
apiVersion: tessellate.io/v1alpha1
kind: Ephemerator
metadata:
  name: my-ephemerator
  annotations:
    ephemerators.tessellate.io/enabled: 'true'
spec:
  namespaceToWatch: my-namespace
  lifetime:
    duration:
      years: 1
      months: 2
      weeks: 3
      days: 4
      hours: 5
      minutes: 6
"""

EPHEMERATOR_SAMPLE_2 = """\
apiVersion: tessellate.io/v1alpha1
kind: Ephemerator
metadata:
  name: my-ephemerator
  annotations:
    ephemerators.tessellate.io/enabled: 'true'
spec:
  namespaceToWatch: thanksgiving
  lifetime:
    until:
      date: '2021-11-25'
      time: '12:00:00'
      timezone: 'America/Phoenix'
"""
"""Past: 2021-11-25T19:00:00Z."""

EPHEMERATOR = """\
apiVersion: tessellate.io/v1alpha1
kind: Ephemerator
metadata:
  name: {name}
  annotations:
    ephemerators.tessellate.io/enabled: '{enabled}'
spec:
  resourceToWatch:
    namespace: {namespace}
  lifetime:
    {lifetime}
"""
"""As in its test files."""

NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata:
  name: {name}
"""

ALL_BUT_ALL = (
    "{}",
    "{date: '2021-11-26'}",
    "{time: '22:20:00'}",
    "{timezone: America/Phoenix}",
    "{date: '2021-11-26', time: '22:20:00'}",
    "{date: '2021-11-26', timezone: America/Phoenix}",
    "{time: '22:20:00', timezone: America/Phoenix}",
)
"""``ephemerator-validation-until.yaml``: each lacks one or more of the three."""

DELETED = ("ephemerator-deleted", "namespace-ephemerator-test2")
DISABLED = ("ephemerator-disabled", "namespace-ephemerator-test3")
IGNORED = ("ephemerator-ignored", "namespace-ignored")
UNTIL = ("ephemerator-until", "namespace-ephemerator-test4")
"""Names of the objects and of their namespaces in the test files."""

PHOENIX = "until: {date: 2021-11-26, time: '22:20:00', timezone: America/Phoenix}"
"""Its date is not quoted: YAML 1.1 would have it be a date and no text."""


def ephemerator(name: str, namespace: str, lifetime: str, *, enabled: str = "true") -> str:
    """Write an Ephemerator as its test files do, with its namespace."""
    text = EPHEMERATOR.format(name=name, namespace=namespace, lifetime=lifetime, enabled=enabled)
    return f"{NAMESPACE.format(name=namespace)}---\n{text}"


def seconds(count: int) -> str:
    """Write a duration; the unit that only the original's code knew."""
    return f"duration: {{seconds: {count}}}"


MANAGER = """\
apiVersion: k8s.consol.de/v1beta1
kind: NamespaceManager
metadata:
  name: {name}
  namespace: {home}
spec:
{target}  policies:
{policies}
"""

TTL_POLICY = """\
  - name: delete namespace when TTL elapses
    condition:
      type: TTL
      params:
        ttlSeconds: {seconds}
    action:
      type: DELETE
"""

PODS_POLICY = """\
  - name: {name}
    condition:
      type: PODS_SUCCEED
      params:
        podLabels: {labels}
        initialDelaySeconds: {delay}
        periodSeconds: {period}
    action: {action}
"""

JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  completions: 3
  parallelism: 2
  backoffLimit: 0
  template:
    metadata:
      labels: {labels}
    spec:
      restartPolicy: Never
      containers: [{{name: test, image: mock-test}}]
"""

WORKLOAD = """\
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}, namespace: {namespace}, labels: {labels}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}, component: auxiliary}}}}
    spec:
      containers: [{{name: app, image: nginx}}]
"""

FAILING = "pod-container-running-failed.stage.kwok.x-k8s.io: 'true'"
"""Label by which KWOK lets a pod fail: what ``MOCK_TEST_SIMULATE_FAILURE`` was for."""

WEBHOOK_HOST = "webhooky.example-04.svc.cluster.local"
WEBHOOK_PATH = "/api/webhook/my-super-awesome-webhook"
WEBHOOK_POLICY = "call webhook when specific pods succeed"
WEBHOOK_BODY = (
    '{"namespaceManager":{"namespace":"example-04","name":"example-04"},"policy":{"name":"call '
    'webhook when specific pods succeed","condition":{"type":"PODS_SUCCEED","params":{"ttlSeconds"'
    ':null,"podLabels":{"component":"main"},"initialDelaySeconds":60,"periodSeconds":10,"minChecks'
    '":null}},"action":{"type":"WEBHOOK","params":{"selectors":null,"url":"http://webhooky.example'
    '-04.svc.cluster.local/api/webhook/my-super-awesome-webhook"}}},"namespace":"example-04"}'
)
"""As the original's document shows it, byte for byte."""


def manager(name: str, policies: str, *, home: str = "", target: str = "") -> str:
    """Write a NamespaceManager; without ``home`` it lives in the namespace that it manages."""
    aim = f"  namespace: {target}\n" if target else ""
    place = home or target or name
    return MANAGER.format(name=name, home=place, target=aim, policies=policies)


def job(name: str, namespace: str, labels: str, *, fails: bool = False) -> str:
    """Write a Job of three completions, two at a time."""
    text = f"{{{labels}, {FAILING}}}" if fails else f"{{{labels}}}"
    return JOB.format(name=name, namespace=namespace, labels=text)


def workload(kind: str, name: str, namespace: str, replicas: int, labels: str = "") -> str:
    """Write a Deployment or a StatefulSet whose pods are of the ``auxiliary`` component."""
    return WORKLOAD.format(
        kind=kind, name=name, namespace=namespace, replicas=replicas, labels=f"{{{labels}}}"
    )


def pods_policy(name: str, labels: str, action: str, *, delay: int = 3, period: int = 1) -> str:
    """Write a policy that acts when pods have succeeded; the original's times are 60 and 10."""
    return PODS_POLICY.format(
        name=name, labels=f"{{{labels}}}", delay=delay, period=period, action=action
    )


def documents(*texts: str) -> str:
    """Write several objects as one file."""
    return "---\n".join(texts)

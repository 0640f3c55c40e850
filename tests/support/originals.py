"""What the originals' documents have one apply: Ephemerate's and k8s-namespace-manager's.

The two samples of Ephemerate's README are verbatim. Its test files and the examples of
k8s-namespace-manager are written from what is known of them.
"""

from typing import Any

import yaml


class _AsTheApiServer(yaml.SafeLoader):
    """kubectl hands on what looks like a day as the text that it is."""


_AsTheApiServer.yaml_implicit_resolvers = {
    first: [(tag, text) for tag, text in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def loaded(text: str) -> dict[str, Any]:
    """Read a manifest as the API server stores it."""
    document: dict[str, Any] = yaml.load(text, _AsTheApiServer)
    return document


README_DURATION = """\
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

README_UNTIL = """\
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

DELETED = """\
apiVersion: tessellate.io/v1alpha1
kind: Ephemerator
metadata:
  name: ephemerator-deleted
  annotations:
    ephemerators.tessellate.io/enabled: 'true'
spec:
  resourceToWatch:
    namespace: namespace-ephemerator-test2
  lifetime:
    duration:
      minutes: 7
"""

DISABLED = """\
apiVersion: tessellate.io/v1alpha1
kind: Ephemerator
metadata:
  name: ephemerator-disabled
  annotations:
    ephemerators.tessellate.io/enabled: 'false'
spec:
  resourceToWatch:
    namespace: namespace-ephemerator-test1
  lifetime:
    duration:
      hours: 1
"""

IGNORED = """\
apiVersion: tessellate.io/v1alpha1
kind: Ephemerator
metadata:
  name: ephemerator-ignored
  annotations:
    ephemerators.tessellate.io/enabled: 'true'
spec:
  resourceToWatch:
    namespace: namespace-ignored
  lifetime:
    duration:
      minutes: 1
"""

UNTIL = """\
apiVersion: tessellate.io/v1alpha1
kind: Ephemerator
metadata:
  name: ephemerator-until
  annotations:
    ephemerators.tessellate.io/enabled: 'true'
spec:
  resourceToWatch:
    namespace: namespace-ephemerator-test4
  lifetime:
    until:
      date: 2021-11-26
      time: '22:20:00'
      timezone: America/Phoenix
"""


def _validation(name: str, lifetime: str) -> str:
    return f"""\
apiVersion: tessellate.io/v1alpha1
kind: Ephemerator
metadata:
  name: {name}
  annotations:
    ephemerators.tessellate.io/enabled: 'true'
spec:
  resourceToWatch:
    namespace: namespace-ephemerator-test6
  lifetime:{lifetime}
"""


VALIDATION_DURATION = (
    _validation("duration-1", "\n    duration:\n      hours: 1"),
    _validation("duration-2", "\n    duration:\n      hours: 1\n      minutes: 1"),
    _validation("duration-3", "\n    duration:"),
    _validation("duration-4", ""),
)
"""The first two are sound."""

_DATE, _TIME, _ZONE = "date: '2021-11-26'", "time: '22:20:00'", "timezone: America/Phoenix"

VALIDATION_UNTIL = tuple(
    _validation(f"until-{place}", "\n    until:" + "".join(f"\n      {part}" for part in parts))
    for place, parts in enumerate(
        (
            (),
            (_DATE,),
            (_TIME,),
            (_ZONE,),
            (_DATE, _TIME),
            (_DATE, _ZONE),
            (_TIME, _ZONE),
        ),
        start=1,
    )
)
"""None is sound."""

EXAMPLE_01 = """\
apiVersion: k8s.consol.de/v1beta1
kind: NamespaceManager
metadata:
  name: example-01
  namespace: example-01
spec:
  policies:
  - name: delete namespace when TTL elapses
    condition:
      type: TTL
      params:
        ttlSeconds: 40
    action:
      type: DELETE
"""

EXAMPLE_02 = """\
apiVersion: k8s.consol.de/v1beta1
kind: NamespaceManager
metadata:
  name: ejemplo-dos
  namespace: namespace-manager
spec:
  namespace: example-02
  policies:
  - name: delete namespace when specific pods succeed
    condition:
      type: PODS_SUCCEED
      params:
        podLabels:
          component: main
          type: test
        initialDelaySeconds: 60
        periodSeconds: 10
    action:
      type: DELETE
"""

EXAMPLE_03 = """\
apiVersion: k8s.consol.de/v1beta1
kind: NamespaceManager
metadata:
  name: przyklad-trzeci
  namespace: example-03
spec:
  namespace: example-03
  policies:
  - name: scale down when specific pods succeed
    condition:
      type: PODS_SUCCEED
      params:
        podLabels:
          component: main
        initialDelaySeconds: 60
        periodSeconds: 10
    action:
      type: SCALE_DOWN
      params:
        selectors:
        - kind: Deployment
          labels:
            isScaleDown: "yes"
        - kind: StatefulSet
"""

EXAMPLE_04 = """\
apiVersion: k8s.consol.de/v1beta1
kind: NamespaceManager
metadata:
  name: example-04
  namespace: example-04
spec:
  policies:
  - name: call webhook when specific pods succeed
    condition:
      type: PODS_SUCCEED
      params:
        podLabels:
          component: main
        initialDelaySeconds: 60
        periodSeconds: 10
    action:
      type: WEBHOOK
      params:
        url: http://webhooky.example-04.svc.cluster.local/api/webhook/my-super-awesome-webhook
"""

CAPTURED = (
    b'{"namespaceManager":{"namespace":"example-04","name":"example-04"},"policy":{"name":"call '
    b'webhook when specific pods succeed","condition":{"type":"PODS_SUCCEED","params":{'
    b'"ttlSeconds":null,"podLabels":{"component":"main"},"initialDelaySeconds":60,'
    b'"periodSeconds":10,"minChecks":null}},"action":{"type":"WEBHOOK","params":{"selectors":null,'
    b'"url":"http://webhooky.example-04.svc.cluster.local/api/webhook/my-super-awesome-webhook"}}},'
    b'"namespace":"example-04"}'
)
"""The body of EXAMPLE_04's request, as the README shows it."""

CAPTURED_LENGTH = 457
"""``content-length`` of that request."""

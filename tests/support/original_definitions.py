"""What the originals themselves install: their definitions, and the file of one operator.

Written from what is known of ``ephemerators.yaml`` and of ``examples/operator.yml``.
"""

from typing import Final

EPHEMERATORS: Final = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ephemerators.tessellate.io
spec:
  group: tessellate.io
  scope: Cluster
  names:
    kind: Ephemerator
    plural: ephemerators
    singular: ephemerator
    shortNames: [eph]
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            x-kubernetes-preserve-unknown-fields: true
            required: [resourceToWatch, lifetime]
            properties:
              resourceToWatch:
                type: object
                properties:
                  namespace: {type: string}
              lifetime:
                type: object
                oneOf:
                - required: [duration]
                - required: [until]
                properties:
                  duration:
                    type: object
                    anyOf:
                    - required: [minutes]
                    - required: [hours]
                    - required: [days]
                    - required: [weeks]
                    - required: [months]
                    - required: [years]
                    properties:
                      minutes: {type: integer}
                      hours: {type: integer}
                      days: {type: integer}
                      weeks: {type: integer}
                      months: {type: integer}
                      years: {type: integer}
                  until:
                    type: object
                    required: [date, time, timezone]
                    properties:
                      date: {type: string}
                      time: {type: string}
                      timezone: {type: string}
          status:
            type: object
            x-kubernetes-preserve-unknown-fields: true
            properties:
              expiresAtSeconds: {type: integer}
              expiresAt: {type: string}
"""

MANAGERS: Final = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: namespacemanagers.k8s.consol.de
spec:
  group: k8s.consol.de
  scope: Namespaced
  names:
    kind: NamespaceManager
    plural: namespacemanagers
    singular: namespacemanager
    shortNames: [nsman]
  versions:
  - name: v1beta1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [policies]
            properties:
              deactivated: {type: boolean}
              namespace: {type: string}
              policies:
                type: array
                minItems: 1
                items:
                  type: object
                  required: [name, condition, action]
                  properties:
                    name: {type: string, pattern: '^\\w[\\w ]{1,90}\\w$'}
                    condition:
                      type: object
                      required: [type]
                      properties:
                        type: {type: string, enum: [TTL, PODS_SUCCEED]}
                        params:
                          type: object
                          properties:
                            ttlSeconds: {type: integer, format: int64}
                            podLabels: {type: object, x-kubernetes-preserve-unknown-fields: true}
                            initialDelaySeconds: {type: integer, format: int64}
                            periodSeconds: {type: integer, format: int64}
                    action:
                      type: object
                      required: [type]
                      properties:
                        type: {type: string, enum: [DELETE, SCALE_DOWN, WEBHOOK]}
                        params:
                          type: object
                          properties:
                            url: {type: string, format: uri}
                            selectors:
                              type: array
                              items:
                                type: object
                                required: [kind]
                                properties:
                                  kind: {type: string}
                                  labels:
                                    type: object
                                    additionalProperties: {type: string}
"""

OPERATOR: Final = f"""\
apiVersion: v1
kind: Namespace
metadata:
  name: namespace-manager
---
{MANAGERS}---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: namespace-manager-sa
  namespace: namespace-manager
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: namespace-manager-role
rules:
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list]
- apiGroups: [extensions, apps]
  resources: [deployments, statefulsets]
  verbs: [get, list, patch]
- apiGroups: [k8s.consol.de]
  resources: ["*"]
  verbs: ["*"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: grant-namespace-manager-role-to-namespace-manager-sa
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: namespace-manager-role
subjects:
- kind: ServiceAccount
  name: namespace-manager-sa
  namespace: namespace-manager
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: namespace-manager-operator
  namespace: namespace-manager
spec:
  replicas: 1
  selector:
    matchLabels: {{app: namespace-manager-operator}}
  template:
    metadata:
      labels: {{app: namespace-manager-operator}}
    spec:
      serviceAccountName: namespace-manager-sa
      containers:
      - name: operator
        image: progaddict/k8s-namespace-manager:0.2
        ports:
        - containerPort: 8080
        readinessProbe:
          httpGet: {{path: /actuator/health, port: 8080}}
        livenessProbe:
          tcpSocket: {{port: 8080}}
"""
"""``examples/operator.yml``."""

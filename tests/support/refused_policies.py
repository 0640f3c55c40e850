"""ExpiryPolicies that must be refused, with where and why.

Read by the tests of the schema (a real API server) and of the code: the two must agree.
"""

import pytest

from support.policy_manifests import DEPLOYMENTS, EMPTY, expression, manifest, naming, selecting

_SPELLING = "must be from 1s to 100 years, written for example 90s, 8h, 1d12h or 2w"
_OFF_LIMITS = "no policy may end"

# Each: manifest, the field that the message names, words of the message.
MALFORMED_DURATIONS = [
    pytest.param(manifest(ttl={field: text}), f"spec.ttl.{field}", _SPELLING, id=f"{field} {why}")
    for field in ("min", "default", "max", "maxTotal")
    for text, why in (
        ("", "is empty"),
        ("5", "has no unit"),
        ("0s", "is nothing"),
        ("-1h", "is negative"),
        ("1.5h", "has a fraction"),
        ("1h1d", "has its units out of order"),
        ("P1D", "is ISO 8601"),
        ("1y", "counts years"),
        ("36500d1s", "is longer than a hundred years"),
        ("9999999w", "is longer than any calendar"),
        ("99999999999999999999999s", "has more digits than an int64"),
        ("8h\n", "ends in a line break"),
        ("never", "is a word"),
    )
]

OUT_OF_ORDER = [
    pytest.param(
        manifest(ttl={shorter: "8d", longer: "1w"}),
        f"spec.ttl.{shorter}",
        f"must not be longer than {longer}",
        id=f"{shorter} above {longer}",
    )
    for shorter, longer in (
        ("min", "default"),
        ("min", "max"),
        ("min", "maxTotal"),
        ("default", "max"),
        ("default", "maxTotal"),
        ("max", "maxTotal"),
    )
]

OFF_LIMITS = [
    pytest.param(naming([group], [plural]), "spec.match.resources[0]", _OFF_LIMITS, id=plural)
    for group, plural in (
        ("", "events"),
        ("", "nodes"),
        ("", "persistentvolumes"),
        ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
        ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"),
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
        ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
        ("apiextensions.k8s.io", "customresourcedefinitions"),
        ("apiregistration.k8s.io", "apiservices"),
        ("authentication.k8s.io", "tokenreviews"),
        ("authorization.k8s.io", "subjectaccessreviews"),
        ("certificates.k8s.io", "certificatesigningrequests"),
        ("coordination.k8s.io", "leases"),
        ("dayfly.dev", "expirypolicies"),
        ("dayfly.dev", "nameclaims"),
        ("dayfly.dev", "stays"),
        ("events.k8s.io", "events"),
        ("rbac.authorization.k8s.io", "clusterrolebindings"),
        ("rbac.authorization.k8s.io", "clusterroles"),
        ("rbac.authorization.k8s.io", "rolebindings"),
        ("rbac.authorization.k8s.io", "roles"),
    )
] + [
    pytest.param(
        naming(["apps", ""], ["deployments", "nodes"]),
        "spec.match.resources[0]",
        _OFF_LIMITS,
        id="a kind off limits among others",
    )
]

MALFORMED_KINDS = [
    pytest.param(
        naming([group], ["deployments"]),
        "spec.match.resources[0].apiGroups[0]",
        "must be one API group",
        id=f"API group {why}",
    )
    for group, why in (("*", "star"), ("apps/v1", "with version"), ("Apps", "in upper case"))
] + [
    pytest.param(
        naming(["apps"], [plural]),
        "spec.match.resources[0].resources[0]",
        "must be one plural name",
        id=f"resource {why}",
    )
    for plural, why in (
        ("*", "star"),
        ("", "empty"),
        ("deployments/scale", "with subresource"),
        ("*/status", "star with subresource"),
        ("Deployment", "as a kind"),
    )
]

MALFORMED_SELECTORS = [
    pytest.param(
        selecting(matchLabels={"a b": "c"}),
        "spec.match.objectSelector.matchLabels",
        "must be a label key",
        id="a label key with a blank",
    ),
    pytest.param(
        selecting(matchLabels={"team": "c d"}),
        "spec.match.objectSelector.matchLabels[team]",
        "must be a label value",
        id="a label value with a blank",
    ),
    pytest.param(
        expression(key="", operator="Exists"),
        "spec.match.objectSelector.matchExpressions[0].key",
        "must be a label key",
        id="an expression with an empty key",
    ),
    pytest.param(
        expression(key="a", operator="In", values=["c d"]),
        "spec.match.objectSelector.matchExpressions[0].values[0]",
        "must be a label value",
        id="an expression with an impossible value",
    ),
] + [
    pytest.param(
        expression(key="a", operator=operator, values=values),
        "spec.match.objectSelector.matchExpressions[0]",
        "In and NotIn need at least one value, Exists and DoesNotExist take none",
        id=f"{operator} {'with' if values else 'without'} values",
    )
    for operator, values in (("In", []), ("NotIn", []), ("Exists", ["b"]), ("DoesNotExist", ["b"]))
]

TOO_LARGE = [
    pytest.param(manifest("a" * 64), "metadata.name", "63", id="a name of 64 characters"),
    pytest.param(manifest(priority=1_000_001), "spec.priority", "1", id="priority too high"),
    pytest.param(manifest(priority=-1_000_001), "spec.priority", "1", id="priority too low"),
    pytest.param(manifest(match={"resources": []}), "spec.match.resources", "1", id="no kinds"),
    pytest.param(
        manifest(match={"resources": [DEPLOYMENTS] * 33}),
        "spec.match.resources",
        "32",
        id="more than 32 lists of kinds",
    ),
    pytest.param(naming([], ["x"]), "spec.match.resources[0].apiGroups", "1", id="no groups"),
    pytest.param(
        naming(["apps"] * 17, ["x"]), "spec.match.resources[0].apiGroups", "16", id="17 groups"
    ),
    pytest.param(naming(["apps"], []), "spec.match.resources[0].resources", "1", id="no plurals"),
    pytest.param(
        naming(["apps"], ["x"] * 33), "spec.match.resources[0].resources", "32", id="33 plurals"
    ),
    pytest.param(
        naming(["a" * 254], ["x"]),
        "spec.match.resources[0].apiGroups[0]",
        "253",
        id="a group of 254 characters",
    ),
    pytest.param(
        naming(["apps"], ["x" * 64]),
        "spec.match.resources[0].resources[0]",
        "63",
        id="a plural of 64 characters",
    ),
    pytest.param(
        selecting(matchLabels={f"k{n}": "v" for n in range(33)}),
        "spec.match.objectSelector.matchLabels",
        "32",
        id="33 labels",
    ),
    pytest.param(
        selecting(matchLabels={"team": "v" * 64}),
        "spec.match.objectSelector.matchLabels[team]",
        "63",
        id="a label value of 64 characters",
    ),
    pytest.param(
        selecting(matchExpressions=[{"key": "a", "operator": "Exists"}] * 17),
        "spec.match.objectSelector.matchExpressions",
        "16",
        id="17 expressions",
    ),
    pytest.param(
        expression(key="a" * 318, operator="Exists"),
        "spec.match.objectSelector.matchExpressions[0].key",
        "317",
        id="a key of 318 characters",
    ),
    pytest.param(
        expression(key="a", operator="In", values=["b"] * 33),
        "spec.match.objectSelector.matchExpressions[0].values",
        "32",
        id="33 values",
    ),
    pytest.param(manifest(grace="0" * 32 + "1h"), "spec.grace", "32", id="34 characters of grace"),
    pytest.param(manifest(grace="0s"), "spec.grace", _SPELLING, id="no grace"),
]

WRONG_TYPE = [
    pytest.param(manifest(priority="high"), "spec.priority", "integer", id="priority as text"),
    pytest.param(manifest(priority=1.5), "spec.priority", "integer", id="half a priority"),
    pytest.param(manifest(match=None), "spec.match", "equired", id="null for what is required"),
    pytest.param(manifest(priority=True), "spec.priority", "integer", id="priority as boolean"),
    pytest.param(manifest(suspend="yes"), "spec.suspend", "boolean", id="suspend as text"),
    pytest.param(manifest(ttl="8h"), "spec.ttl", "object", id="ttl as text"),
    pytest.param(manifest(ttl={"max": 8}), "spec.ttl.max", "string", id="max as number"),
    pytest.param(manifest(match=[]), "spec.match", "object", id="match as list"),
    pytest.param(
        manifest(match={"resources": {}}), "spec.match.resources", "array", id="kinds as map"
    ),
    pytest.param(
        naming("apps", ["x"]), "spec.match.resources[0].apiGroups", "array", id="groups as text"
    ),
    pytest.param(
        selecting(matchLabels=["a"]),
        "spec.match.objectSelector.matchLabels",
        "object",
        id="labels as list",
    ),
    pytest.param(
        selecting(matchLabels={"team": 5}),
        "spec.match.objectSelector.matchLabels",
        "string",
        id="a label value as number",
    ),
]

UNKNOWN_WORD = [
    pytest.param(
        manifest(enforcement="Strict"), "spec.enforcement", "Enforce", id="unknown enforcement"
    ),
    pytest.param(manifest(receipts="Always"), "spec.receipts", "OnChange", id="unknown receipts"),
    pytest.param(
        manifest(ttl={"renewOn": "Monday"}), "spec.ttl.renewOn", "Creation", id="unknown renewal"
    ),
    pytest.param(
        expression(key="a", operator="Like"),
        "spec.match.objectSelector.matchExpressions[0].operator",
        "NotIn",
        id="unknown operator",
    ),
]

MISSING = [
    pytest.param(
        {key: value for key, value in manifest().items() if key != "spec"},
        "spec",
        "",
        id="no spec",
    ),
    pytest.param(EMPTY, "spec.match", "equired", id="no match"),
    pytest.param(manifest(match={}), "spec.match.resources", "equired", id="no resources"),
    pytest.param(
        manifest(match={"resources": [{"resources": ["x"]}]}),
        "spec.match.resources[0].apiGroups",
        "equired",
        id="no apiGroups",
    ),
    pytest.param(
        manifest(match={"resources": [{"apiGroups": ["apps"]}]}),
        "spec.match.resources[0].resources",
        "equired",
        id="no plurals at all",
    ),
    pytest.param(
        expression(operator="Exists"),
        "spec.match.objectSelector.matchExpressions[0].key",
        "equired",
        id="an expression without key",
    ),
    pytest.param(
        expression(key="a"),
        "spec.match.objectSelector.matchExpressions[0].operator",
        "equired",
        id="an expression without operator",
    ),
]

REFUSED = [
    *MALFORMED_DURATIONS,
    *OUT_OF_ORDER,
    *OFF_LIMITS,
    *MALFORMED_KINDS,
    *MALFORMED_SELECTORS,
    *TOO_LARGE,
    *WRONG_TYPE,
    *UNKNOWN_WORD,
    *MISSING,
]

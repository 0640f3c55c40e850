"""ExpiryPolicies that must be accepted; those that must be refused are in refused_policies.py.

Read by the tests of the schema (a real API server) and of the code: the two must agree.
"""

from typing import Any

import pytest

Manifest = dict[str, Any]

EMPTY: Manifest = {
    "apiVersion": "dayfly.dev/v1alpha1",
    "kind": "ExpiryPolicy",
    "metadata": {"name": "empty"},
    "spec": {},
}

DEPLOYMENTS = {"apiGroups": ["apps"], "resources": ["deployments"]}


def manifest(name: str = "previews", **spec: Any) -> Manifest:
    """Return a policy for Deployments, with these fields of its spec added or replaced."""
    return {
        "apiVersion": "dayfly.dev/v1alpha1",
        "kind": "ExpiryPolicy",
        "metadata": {"name": name},
        "spec": {"match": {"resources": [DEPLOYMENTS]}} | spec,
    }


def naming(groups: Any, resources: Any) -> Manifest:
    """Return a policy for these kinds."""
    return manifest(match={"resources": [{"apiGroups": groups, "resources": resources}]})


def selecting(**selector: Any) -> Manifest:
    """Return a policy with this ``objectSelector``."""
    return manifest(match={"resources": [DEPLOYMENTS], "objectSelector": selector})


def expression(**fields: Any) -> Manifest:
    """Return a policy whose ``objectSelector`` has this one expression."""
    return selecting(matchExpressions=[fields])


ACCEPTED = [
    pytest.param(manifest(), id="a policy that only names its kinds"),
    pytest.param(manifest("a" * 63), id="a name of 63 characters"),
    pytest.param(
        manifest(ttl={"min": "1m", "default": "24h", "max": "7d", "maxTotal": "30d"}),
        id="bounds in order",
    ),
    pytest.param(
        manifest(ttl={"min": "1d", "default": "24h", "max": "1440m", "maxTotal": "86400s"}),
        id="bounds that are equal in other units",
    ),
    pytest.param(manifest(ttl={"min": "9m", "max": "1h"}), id="bounds do not compare as text"),
    pytest.param(manifest(ttl={"max": "36500d"}), id="a hundred years"),
    pytest.param(manifest(ttl={"max": "1w1d1h1m1s"}), id="every unit at once"),
    pytest.param(manifest(grace="1s"), id="a grace of one second"),
    pytest.param(
        manifest(priority=1_000_000, suspend=True, enforcement="Audit", receipts="Never"),
        id="every switch turned",
    ),
    pytest.param(manifest(ttl={"renewOn": "GenerationChange"}), id="renewal on change"),
    pytest.param(naming(["", "apps"], ["pods", "deployments"]), id="several kinds"),
    pytest.param(naming(["apps"], ["events", "nodes"]), id="names that are off limits elsewhere"),
    pytest.param(naming(["example.com"], ["leases"]), id="leases of somebody else"),
    pytest.param(selecting(matchLabels={"example.com/team": "web"}), id="a label with a prefix"),
    pytest.param(selecting(matchLabels={"team": ""}), id="a label with no value"),
    pytest.param(expression(key="a", operator="In", values=["b"]), id="In with a value"),
    pytest.param(expression(key="a", operator="NotIn", values=["b", ""]), id="NotIn with values"),
    pytest.param(expression(key="a", operator="Exists"), id="Exists"),
    pytest.param(expression(key="a", operator="DoesNotExist", values=[]), id="DoesNotExist"),
    pytest.param(
        manifest(match={"resources": [DEPLOYMENTS], "namespaceSelector": {"matchLabels": {}}}),
        id="a selector of every namespace",
    ),
    pytest.param(
        manifest(
            match={
                "resources": [
                    {
                        "apiGroups": [f"g{n}.{'x' * 60}.{'y' * 60}.{'z' * 60}" for n in range(16)],
                        "resources": [f"r{n:062}" for n in range(32)],
                    }
                ]
                * 32,
                "objectSelector": {
                    "matchLabels": {f"{'k' * 60}{n}": "v" * 63 for n in range(10, 42)},
                    "matchExpressions": [
                        {"key": f"k{n}", "operator": "In", "values": ["v" * 63] * 32}
                        for n in range(16)
                    ],
                },
            }
        ),
        id="everything as large as the limits allow",
    ),
]

# What templates and generators write; the API server stores it in the usual form.
ODD = [
    pytest.param(manifest(ttl=None), id="null for a whole part"),
    pytest.param(manifest(ttl={"default": "8h", "max": None}), id="null for a bound"),
    pytest.param(manifest(suspend=None), id="null for a default"),
]

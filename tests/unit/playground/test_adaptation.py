from typing import Any

import pytest
import yaml

from playground.adaptation import adapt, added_flags

URL = "https://127.0.0.1:9443"


def configuration(kind: str, client: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "webhooks": [{"name": "x.dayfly.dev", "clientConfig": client}]}


@pytest.mark.parametrize(
    ("shipped", "want"),
    [
        pytest.param(
            configuration(
                "MutatingWebhookConfiguration",
                {"service": {"name": "s", "namespace": "n", "path": "/stamp", "port": 443}},
            ),
            configuration("MutatingWebhookConfiguration", {"url": f"{URL}/stamp"}),
            id="a mutating webhook is called by URL",
        ),
        pytest.param(
            configuration(
                "ValidatingWebhookConfiguration",
                {"service": {"name": "s", "namespace": "n"}, "caBundle": "QQ=="},
            ),
            configuration("ValidatingWebhookConfiguration", {"url": f"{URL}/", "caBundle": "QQ=="}),
            id="a validating one without a path too, and its CA stays",
        ),
        pytest.param(
            configuration("MutatingWebhookConfiguration", {"url": "https://elsewhere"}),
            configuration("MutatingWebhookConfiguration", {"url": "https://elsewhere"}),
            id="what is called by URL already is left alone",
        ),
        pytest.param(
            {"kind": "Deployment", "spec": {"replicas": 3, "selector": {}}},
            {"kind": "Deployment", "spec": {"replicas": 0, "selector": {}}},
            id="a Deployment has no pods",
        ),
        pytest.param(
            {"kind": "ConfigMap", "data": {"namespaces": "kube-*"}},
            {"kind": "ConfigMap", "data": {"namespaces": "kube-*"}},
            id="anything else is as shipped",
        ),
    ],
)
def test_adapts_each_object(shipped: dict[str, Any], want: dict[str, Any]) -> None:
    assert list(yaml.safe_load_all(adapt(yaml.safe_dump(shipped), URL))) == [want]


def test_keeps_the_order_and_drops_empty_documents() -> None:
    text = adapt("---\nkind: A\n---\n---\nkind: B\n", URL)
    assert [document["kind"] for document in yaml.safe_load_all(text)] == ["A", "B"]


def test_flags_that_a_component_adds_are_known() -> None:
    def deployment(name: str, *command: str) -> str:
        containers = [{"command": ["dayfly", *command]}]
        return yaml.safe_dump(
            {
                "kind": "Deployment",
                "metadata": {"name": name},
                "spec": {"template": {"spec": {"containers": containers}}},
            }
        )

    base = deployment("dayfly-operator", "operator")
    added = deployment("dayfly-operator", "operator", "--claim-ingress-hosts=*")
    assert added_flags(base, added, "dayfly-operator") == ("--claim-ingress-hosts=*",)
    assert added_flags(base, added, "dayfly-admission") == ()

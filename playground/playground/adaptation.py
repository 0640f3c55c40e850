"""What is changed in the shipped manifests so that they work without a pod network."""

from collections.abc import Iterable
from typing import Any

import yaml

Manifest = dict[str, Any]


def adapt(text: str, webhook_url: str) -> str:
    """Adapt ``kubectl kustomize``'s output: webhooks by URL, Deployments without pods."""
    documents: Iterable[Manifest] = yaml.safe_load_all(text)
    adapted = [adapted_document(document, webhook_url) for document in documents if document]
    return yaml.safe_dump_all(adapted, sort_keys=False)


def adapted_document(document: Manifest, webhook_url: str) -> Manifest:
    """Adapt one object; most are left as they are."""
    match document["kind"]:
        case "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration":
            entries = [by_url(entry, webhook_url) for entry in document["webhooks"]]
            return {**document, "webhooks": entries}
        case "Deployment":
            # KWOK would run pods that look like Dayfly and do nothing.
            return {**document, "spec": {**document["spec"], "replicas": 0}}
        case _:
            return document


def by_url(entry: Manifest, webhook_url: str) -> Manifest:
    """Point a webhook entry at the forwarder: a Service leads nowhere without a pod network."""
    client = dict(entry["clientConfig"])
    service = client.pop("service", None)
    if service is None:
        return entry
    return {**entry, "clientConfig": {"url": f"{webhook_url}{service.get('path', '/')}", **client}}

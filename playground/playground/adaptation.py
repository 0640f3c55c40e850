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


def added_flags(base: str, text: str, deployment: str) -> tuple[str, ...]:
    """Tell which flags components add to a program's command, for a process that runs it here."""
    shipped = set(_command(base, deployment))
    return tuple(word for word in _command(text, deployment) if word not in shipped)


def _command(text: str, deployment: str) -> list[str]:
    documents: Iterable[Manifest] = yaml.safe_load_all(text)
    for document in documents:
        if (document["kind"], document["metadata"]["name"]) == ("Deployment", deployment):
            container = document["spec"]["template"]["spec"]["containers"][0]
            return [*container.get("command", ()), *container.get("args", ())]
    return []


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

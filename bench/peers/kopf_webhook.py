"""The peer: kopf's own webhook server with one mutating handler that sets the same three keys.

usage: python bench/peers/kopf_webhook.py PORT CERT KEY KUBECONFIG
"""

import asyncio
import os
import sys
from typing import Any

import kopf
import uvloop


def main() -> None:
    """Serve ``/stamp`` for Deployments until killed."""
    port, certificate, key, kubeconfig = sys.argv[1:]
    os.environ["KUBECONFIG"] = kubeconfig
    registry = kopf.OperatorRegistry()
    settings = kopf.OperatorSettings()
    settings.admission.server = kopf.WebhookServer(
        addr="127.0.0.1", port=int(port), certfile=certificate, pkeyfile=key, cafile=certificate
    )
    settings.posting.enabled = False
    kopf.on.login(registry=registry)(login)
    kopf.on.mutate("apps", "v1", "deployments", registry=registry, id="stamp")(stamp)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(
            kopf.operator(registry=registry, settings=settings, clusterwide=True, standalone=True)
        )


async def login(**given: Any) -> kopf.ConnectionInfo | None:
    """Use the kubeconfig whatever else is installed."""
    return kopf.login_with_kubeconfig(**given)


async def stamp(patch: kopf.Patch, warnings: list[str], **_: Any) -> None:
    """Set what Dayfly sets."""
    patch.metadata.labels["dayfly.dev/policy"] = "bench"
    patch.metadata.annotations["dayfly.dev/expires-at"] = "2026-11-22T10:00:00Z"
    patch.metadata.annotations["dayfly.dev/created-by"] = "ci@example.com"
    warnings.append("Deployment web ends 2026-11-22T10:00:00Z")


if __name__ == "__main__":
    main()

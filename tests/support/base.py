"""manifests/base as tests apply it: as shipped, but with no replica of anything."""

from functools import partial
from pathlib import Path
from typing import Any

import yaml

from dayfly_core.names import GROUP
from playground import ControlPlane
from playground.process import eventually

MANIFESTS = Path(__file__).parents[2] / "manifests"
BASE = MANIFESTS / "base"
OWN = tuple(f"{path.stem}.{GROUP}" for path in (MANIFESTS / "crds").glob("*s.yaml"))
"""The kinds of base."""
PATIENCE = 60.0


def files() -> list[Path]:
    """Every file of base, the kinds included, in the order of the kustomization."""
    listed: list[str] = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    own = [BASE / name for name in listed if not name.startswith("..")]
    crds = sorted(path for path in (MANIFESTS / "crds").glob("*.yaml"))
    return [*(path for path in crds if path.stem != "kustomization"), *own]


def without_pods(text: str) -> str:
    """The same manifests, their Deployments with 0 replicas: KWOK would run fake pods of them."""
    documents: list[dict[str, Any]] = list(yaml.safe_load_all(text))
    for document in documents:
        if document["kind"] == "Deployment":
            document["spec"]["replicas"] = 0
    return yaml.safe_dump_all(documents, sort_keys=False)


def apply(plane: ControlPlane) -> str:
    """Apply all of it, as ``kubectl apply -k`` orders it."""
    return plane.apply(without_pods(plane.kubectl("kustomize", str(BASE))))


def remove(plane: ControlPlane) -> None:
    """Delete all of it and wait until it is gone.

    A kind that nobody has asked for yet may not be ready to be emptied: the API server then tries
    that again only minutes later.
    """
    for plural in OWN:
        assert eventually(partial(_is_served_or_absent, plane, plural), PATIENCE), plural
    text = plane.kubectl("kustomize", str(BASE))
    plane.kubectl("delete", "-f", "-", "--ignore-not-found", "--timeout=60s", stdin=text)


def _is_served_or_absent(plane: ControlPlane, plural: str) -> bool:
    served = plane.try_kubectl("get", plural, "--all-namespaces").ok
    return served or not plane.try_kubectl("get", "customresourcedefinition", plural).ok

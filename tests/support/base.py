"""manifests/base as tests apply it: as shipped, but with no replica of anything."""

from pathlib import Path
from typing import Any

import yaml

from playground import ControlPlane

MANIFESTS = Path(__file__).parents[2] / "manifests"
BASE = MANIFESTS / "base"


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
    """Delete all of it and wait until it is gone."""
    text = plane.kubectl("kustomize", str(BASE))
    plane.kubectl("delete", "-f", "-", "--ignore-not-found", "--timeout=60s", stdin=text)

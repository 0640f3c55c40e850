"""The documents of manifests/base as they are written."""

from pathlib import Path
from typing import Any

import yaml

MANIFESTS = Path(__file__).parents[2] / "manifests"
BASE = MANIFESTS / "base"


def documents(directory: Path) -> list[dict[str, Any]]:
    files = sorted(path for path in directory.glob("*.yaml") if path.stem != "kustomization")
    return [
        document for file in files for document in yaml.safe_load_all(file.read_text()) if document
    ]


ALL = documents(BASE)
WEBHOOKS: list[dict[str, Any]] = [hook for d in ALL for hook in d.get("webhooks", [])]
DEPLOYMENTS = [d for d in ALL if d["kind"] == "Deployment"]


def entry(name: str) -> dict[str, Any]:
    return next(webhook for webhook in WEBHOOKS if webhook["name"] == name)


def conditions(name: str) -> dict[str, str]:
    return {c["name"]: " ".join(c["expression"].split()) for c in entry(name)["matchConditions"]}


def of_kind(kind: str) -> list[str]:
    return [d["metadata"]["name"] for d in ALL if d["kind"] == kind]

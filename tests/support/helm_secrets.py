"""Secrets of Helm releases: as a real Helm stored them (tests/recorded/helm), and made to order."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from gzip import compress
from pathlib import Path
from typing import Any

from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.helm.storage import SECRET_TYPE

Json = dict[str, Any]
FOLDER = Path(__file__).resolve().parents[1] / "recorded" / "helm"

SHOP = ReleaseRef("team-a", "shop")


def recorded(revision: int) -> Json:
    """Return the Secret of one revision of the release ``shop``, byte by byte as it was."""
    found: Json = json.loads((FOLDER / f"shop-v{revision}.json").read_bytes())
    return found


def payload(release: object, *, compressed: bool = True) -> str:
    """Write what Helm writes into ``data.release``, as the API server answers it."""
    plain = json.dumps(release).encode()
    packed = compress(plain) if compressed else plain
    return b64encode(b64encode(packed)).decode()


def a_release(
    manifest: str,
    ref: ReleaseRef = SHOP,
    number: int = 1,
    status: str = "deployed",
    hooks: Sequence[Mapping[str, str]] = (),
) -> Json:
    """Write the JSON of a release."""
    return {
        "name": ref.name,
        "namespace": ref.namespace,
        "version": number,
        "manifest": manifest,
        "info": {"status": status},
        "hooks": list(hooks),
    }


def a_secret(release: Json, annotations: Mapping[str, str] | None = None, **labels: str) -> Json:
    """Write the Secret of a release."""
    name, number = release["name"], release["version"]
    marks = {
        "owner": "helm",
        "name": name,
        "version": str(number),
        "status": release["info"]["status"],
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": SECRET_TYPE,
        "metadata": {
            "name": f"sh.helm.release.v1.{name}.v{number}",
            "namespace": release["namespace"],
            "labels": marks | labels,
            "annotations": dict(annotations or {}),
        },
        "data": {"release": payload(release)},
    }

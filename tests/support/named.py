"""Names against the fake API server: what wants one, who has it, and what is noted on whom."""

from typing import Any

from dayfly_core import names
from dayfly_core.claim_key import ClaimKey, KeyKind
from dayfly_core.objects import INGRESSES, NAME_CLAIMS
from support.fake_api import FakeApi, Recorded
from support.fake_store import as_map
from support.operators import Running

CLAIMS = NAME_CLAIMS.path()
SHOP = ClaimKey(KeyKind.ENVIRONMENT, "shop")
HOST = ClaimKey(KeyKind.HOST, "shop.example.com")

UNSETTLED = 1.5
"""Seconds in which nothing must happen: longer than what is new is left to settle."""


def namespace(name: str) -> str:
    return f"/api/v1/namespaces/{name}"


def put_environment(api: FakeApi, name: str, environment: str = "shop") -> Any:
    """Create a namespace, or change its label and nothing else."""
    labels = {names.ENVIRONMENT: environment} if environment else {}
    return api.put(namespace(name), {"metadata": {"labels": labels, **_kept(api, namespace(name))}})


def ingress(where: str, name: str = "web") -> str:
    return INGRESSES.path(where, name)


def put_ingress(api: FakeApi, path: str, *hosts: str) -> Any:
    """Create an Ingress, or change its hosts and nothing else."""
    rules = [{"host": host} for host in hosts]
    return api.put(path, {"metadata": _kept(api, path), "spec": {"rules": rules}})


def _kept(api: FakeApi, path: str) -> dict[str, Any]:
    return {"annotations": _annotations(api, path)}


def _annotations(api: FakeApi, path: str) -> dict[str, str]:
    meta = as_map(api.objects.get(path, {}).get("metadata"))
    return as_map(meta.get("annotations"))


def claim(api: FakeApi, key: ClaimKey = SHOP) -> dict[str, Any]:
    """The claim of a key as it is stored; empty if there is none."""
    stored: dict[str, Any] = api.objects.get(f"{CLAIMS}/{key.claim_name}", {})
    return stored


def holder(api: FakeApi, key: ClaimKey = SHOP) -> str:
    """Who has the key for certain, by name; empty if nobody has."""
    spec = claim(api, key).get("spec", {})
    return str(spec["holder"]["name"]) if spec.get("state") == "Bound" else ""


def put_claim(api: FakeApi, held_by: dict[str, Any], key: ClaimKey = SHOP, **spec: Any) -> None:
    """Put a claim there as the webhook writes it, for a core object."""
    meta, kind = held_by["metadata"], held_by["kind"]
    api.put(
        f"{CLAIMS}/{key.claim_name}",
        {
            "metadata": {"labels": {names.CLAIM: key.kind.value}},
            "spec": {
                "key": {"kind": key.kind.value, "value": key.value, "written": key.value},
                "holder": {
                    "version": "v1",
                    "resource": f"{kind.lower()}s",
                    "kind": kind,
                    "namespace": meta.get("namespace", ""),
                    "name": meta["name"],
                    "uid": meta["uid"],
                },
                "state": "Pending",
                "claimedAt": "2026-11-22T10:00:00Z",
                **spec,
            },
        },
    )


def note(api: FakeApi, path: str) -> str:
    """The conflict that is noted on an object."""
    return _annotations(api, path).get(names.NAME_CONFLICT, "")


def asked(operator: Running, path: str = "") -> list[Recorded]:
    """Everything but watches, and what other parts do all the time."""
    return [r for r in operator.api.requests if not r.watch and r.path.startswith(path)]

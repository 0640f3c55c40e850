"""Objects of our own kinds as their authors write them, and reviews of them."""

from typing import Any

from support.reviews import Json, a_review, encoded

KINDS = {
    "Ephemerator": ("tessellate.io", "v1alpha1", "ephemerators"),
    "NamespaceManager": ("k8s.consol.de", "v1beta1", "namespacemanagers"),
    "Stay": ("dayfly.dev", "v1alpha1", "stays"),
    "ExpiryPolicy": ("dayfly.dev", "v1alpha1", "expirypolicies"),
}
ENABLED = {"ephemerators.tessellate.io/enabled": "true"}
SEVEN_MINUTES: Json = {"duration": {"minutes": 7}}
"""Lifetime of the Ephemerators."""


def an_ephemerator(
    target: str = "shop", lifetime: Json = SEVEN_MINUTES, *, enabled: bool = True, **more: Any
) -> Json:
    """Ends ``shop`` after seven minutes."""
    return {
        "apiVersion": "tessellate.io/v1alpha1",
        "kind": "Ephemerator",
        "metadata": {"name": "shop-ends", "annotations": ENABLED if enabled else {}},
        "spec": {"resourceToWatch": {"namespace": target}, "lifetime": lifetime} | more,
    }


def until(date: str, time: str = "22:20:00", timezone: str = "America/Phoenix") -> Json:
    """A lifetime by the clocks of a zone."""
    return {"until": {"date": date, "time": time, "timezone": timezone}}


def a_policy(action: str = "DELETE", condition: str = "TTL", **params: Any) -> Json:
    """One rule of a NamespaceManager; ``condition_params`` is the condition's."""
    about = params.pop("condition_params", {"ttlSeconds": 40} if condition == "TTL" else {})
    return {
        "name": params.pop("name", "the policy"),
        "condition": {"type": condition, "params": about},
        "action": {"type": action, "params": params},
    }


def a_manager(
    *policies: Json, target: str = "", inside: str = "team-a", name: str = "ci", **spec: Any
) -> Json:
    """Without a target it manages the namespace that is called as it is."""
    aim = {"namespace": target} if target else {}
    return {
        "apiVersion": "k8s.consol.de/v1beta1",
        "kind": "NamespaceManager",
        "metadata": {"name": name, "namespace": inside},
        "spec": {"policies": list(policies or [a_policy()])} | aim | spec,
    }


def a_stay(**spec: Any) -> Json:
    """``a_stay(length="8h")``; ``for`` is a word of Python's own."""
    if "length" in spec:
        spec["for"] = spec.pop("length")
    return {
        "apiVersion": "dayfly.dev/v1alpha1",
        "kind": "Stay",
        "metadata": {"name": "longer", "namespace": "team-a", "uid": "7"},
        "spec": spec,
    }


def of(new: Json, old: Json | None = None, **request: Any) -> Json:
    """Review one of them, as the API server sends it."""
    group, version, plural = KINDS[new["kind"]]
    meta: Json = new["metadata"] if isinstance(new.get("metadata"), dict) else {}
    about: Json = {
        "kind": {"group": group, "version": version, "kind": new["kind"]},
        "resource": {"group": group, "version": version, "resource": plural},
        "name": meta.get("name", "web"),
        "namespace": meta.get("namespace", ""),
    }
    return a_review(new, old, **about | request)


def bodies() -> list[bytes]:
    """One review of each, and some of updates: to be broken at a place or two."""
    manager = a_manager(a_policy("WEBHOOK", url="http://hooks.example.com/x"), target="shop")
    scaling = a_manager(a_policy("SCALE_DOWN", selectors=[{"kind": "deployment"}]))
    reviews = [
        of(an_ephemerator()),
        of(an_ephemerator(lifetime=until("2026-11-26")), an_ephemerator()),
        of(manager),
        of(scaling, manager),
        of(a_stay(length="8h", wake=True)),
        of(a_stay(until="2026-11-26T10:00:00Z")),
    ]
    return [encoded(review) for review in reviews]

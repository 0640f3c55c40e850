"""What the API server knows of Dayfly's webhooks: whom it trusts, and what it asks about."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from dayfly_core import names

Entry = dict[str, Any]
Condition = Callable[[Sequence[Entry]], bool]


def trusted(entries: Sequence[Entry]) -> bool:
    """Whether the leader has written a CA into every entry."""
    return all(entry["clientConfig"].get("caBundle") for entry in entries)


def by_url(entries: Sequence[Entry]) -> bool:
    """Whether every entry leads to the forwarder, and none to a Service: that has no pods here."""
    return all("url" in entry["clientConfig"] for entry in entries)


def asked_about(entry: Entry) -> set[str]:
    """List the resources (plurals) in an entry's rules."""
    return {plural for rule in entry.get("rules", ()) for plural in rule["resources"]}


def enforced(entries: Sequence[Entry], resources: Collection[str]) -> bool:
    """Whether both what stamps and what judges is asked about all these resources."""
    ours = [e for e in entries if e["name"] in (names.STAMP_WEBHOOK, names.JUDGE_WEBHOOK)]
    return all(asked_about(entry) >= set(resources) for entry in ours)

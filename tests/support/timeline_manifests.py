"""Timelines that a policy may have, and those that must be refused, with where and why.

Read by the tests of the schema (a real API server) and of the code: the two must agree.
"""

from typing import Any

import pytest

from support.policy_manifests import Manifest, manifest

URL = "https://hooks.example.com/ended"
HOOK = {"url": URL}


def step(at: str, type_: str, **action: Any) -> dict[str, Any]:
    """Return one step."""
    return {"at": at, "action": {"type": type_} | action}


def timeline(*steps: dict[str, Any]) -> Manifest:
    """Return a policy with these steps."""
    return manifest(timeline=list(steps))


STANDARD = (step("-1h", "NOTIFY"), step("0s", "SCALE_DOWN"), step("24h", "DELETE"))

ACCEPTED = [
    pytest.param(timeline(*STANDARD), id="warned, scaled down, deleted"),
    pytest.param(timeline(), id="no steps"),
    pytest.param(timeline(step("0s", "SCALE_DOWN")), id="never deleted"),
    pytest.param(timeline(step("-1d12h", "DELETE")), id="deleted before the end"),
    pytest.param(
        timeline(step("-1d", "NOTIFY"), step("-1h", "NOTIFY"), step("1h", "NOTIFY")),
        id="warned several times, order not that of the text",
    ),
    pytest.param(
        timeline(step("0s", "NOTIFY"), step("0s", "SCALE_DOWN"), step("0s", "DELETE")),
        id="several at once",
    ),
    pytest.param(
        timeline(step("-1h", "NOTIFY", webhook=HOOK), step("0s", "WEBHOOK", webhook=HOOK)),
        id="webhooks",
    ),
    pytest.param(
        timeline(step("0s", "WEBHOOK", webhook=HOOK | {"secretRef": {"name": "dayfly-webhook"}})),
        id="a signed webhook",
    ),
    pytest.param(
        timeline(
            step("-36500d", "WEBHOOK", webhook={"url": "http://10.0.0.1:8080/x?y=z"}),
            step("36500d", "DELETE"),
        ),
        id="a hundred years before and after",
    ),
    pytest.param(
        timeline(
            *(
                step(
                    f"1w1d1h1m{n}s",
                    "WEBHOOK",
                    webhook={"url": "https://a/" + "x" * 2038, "secretRef": {"name": "x" * 63}},
                )
                for n in range(16)
            )
        ),
        id="sixteen long steps",
    ),
    pytest.param(manifest(unit="Release"), id="a release ends as one"),
    pytest.param(manifest(ttl={"renewOnWake": False}), id="waking moves no end"),
]

_FIRST = "spec.timeline[0]"
_OFFSET = "must be a time before or after the end"

REFUSED = [
    pytest.param(timeline(step(text, "NOTIFY")), f"{_FIRST}.at", _OFFSET, id=f"a time that {why}")
    for text, why in (
        ("", "is empty"),
        ("-", "is a sign"),
        ("5", "has no unit"),
        ("-0s", "is nothing, and negative"),
        ("0h", "is nothing, in hours"),
        ("--1h", "has two signs"),
        ("+1h", "has a plus"),
        ("1h-1m", "has its sign inside"),
        ("1h1d", "has its units out of order"),
        ("-P1D", "is ISO 8601"),
        ("-36500d1s", "is more than a hundred years before"),
        ("9999999w", "is later than any calendar"),
        ("1h\n", "ends in a line break"),
    )
] + [
    pytest.param(
        timeline(*reversed(STANDARD[:2])),
        "spec.timeline",
        "in the order of their times",
        id="steps out of order",
    ),
    pytest.param(
        timeline(step("23h", "SCALE_DOWN"), step("1d", "NOTIFY"), step("24h", "NOTIFY")),
        "spec.timeline",
        "two steps that do the same at the same time",
        id="one step twice, in other units",
    ),
    pytest.param(
        timeline(step("0s", "DELETE"), step("1h", "NOTIFY")),
        "spec.timeline",
        "DELETE as the last step",
        id="something after DELETE",
    ),
    pytest.param(
        timeline(step("0s", "DELETE"), step("1h", "DELETE")),
        "spec.timeline",
        "DELETE as the last step",
        id="DELETE twice",
    ),
    pytest.param(
        timeline(step("0s", "WEBHOOK")),
        f"{_FIRST}.action.webhook",
        "is needed by WEBHOOK",
        id="a webhook without a URL",
    ),
    *(
        pytest.param(
            timeline(step("0s", type_, webhook=HOOK)),
            f"{_FIRST}.action.webhook",
            "is possible for WEBHOOK and NOTIFY only",
            id=f"{type_} with a webhook",
        )
        for type_ in ("SCALE_DOWN", "DELETE")
    ),
    *(
        pytest.param(
            timeline(step("0s", "WEBHOOK", webhook={"url": url})),
            f"{_FIRST}.action.webhook.url",
            "must be a URL",
            id=f"a URL {why}",
        )
        for url, why in (
            ("hooks.example.com", "without a scheme"),
            ("ftp://hooks.example.com", "of FTP"),
            ("https://", "without a host"),
            ("https:///path", "with a path only"),
            ("https://a b/", "with a blank"),
        )
    ),
    pytest.param(
        timeline(step("0s", "WEBHOOK", webhook=HOOK | {"secretRef": {"name": "A b"}})),
        f"{_FIRST}.action.webhook.secretRef.name",
        "must be a DNS name",
        id="a Secret that cannot be",
    ),
    pytest.param(
        timeline(*(step(f"{n}h", "NOTIFY") for n in range(1, 18))),
        "spec.timeline",
        "16",
        id="seventeen steps",
    ),
    pytest.param(
        timeline(step("0s", "EXPLODE")),
        f"{_FIRST}.action.type",
        "NOTIFY",
        id="an action that there is not",
    ),
    pytest.param(manifest(unit="Chart"), "spec.unit", "Release", id="a unit that there is not"),
]

"""What a policy does and waits for, in words."""

from typing import Any

import msgspec
import pytest

from dayfly_core import api
from dayfly_core.namespace_manager.words import does, once_pods_succeed


def policy(action: dict[str, Any], **params: Any) -> api.ManagerPolicy:
    written = {
        "name": "one",
        "condition": {"type": "PODS_SUCCEED", **({"params": params} if params else {})},
        "action": action,
    }
    return msgspec.convert(written, api.ManagerPolicy)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        pytest.param({"type": "DELETE"}, "namespace shop is deleted", id="a deletion"),
        pytest.param({"type": "SCALE_DOWN"}, "namespace shop is scaled down", id="a scale-down"),
        pytest.param({"type": "NOTIFY"}, "an Event tells of namespace shop", id="a warning"),
        pytest.param(
            {"type": "WEBHOOK", "params": {"url": "https://hooks.example.com/secret?token=x"}},
            "https://hooks.example.com is called",
            id="a webhook without its path, which may hold a secret",
        ),
        pytest.param({"type": "WEBHOOK"}, "no webhook is called", id="a webhook without a URL"),
        pytest.param(
            {"type": "WEBHOOK", "params": {"url": "ftp://x"}},
            "no webhook is called",
            id="a URL from before there were rules",
        ),
    ],
)
def test_what_it_does(action: dict[str, Any], words: str) -> None:
    assert does(policy(action), "shop") == words


@pytest.mark.parametrize(
    ("params", "words"),
    [
        pytest.param({}, "once all its pods have succeeded", id="all pods"),
        pytest.param(
            {"podLabels": {"a": "b"}}, "once all pods with a=b have succeeded", id="pods by label"
        ),
    ],
)
def test_what_it_waits_for(params: dict[str, Any], words: str) -> None:
    assert once_pods_succeed(policy({"type": "DELETE"}, **params)) == words

"""Fields that somebody has misspelt in a policy that is not applied yet."""

from typing import Any

import pytest

from dayfly_core.policies import unknown_fields

RULE = {"apiGroups": ["apps"], "resources": ["deployments"]}


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        pytest.param({"ttl": {"max": "7d"}, "grace": "1h"}, [], id="all are known"),
        pytest.param({"tll": {}}, ["spec.tll"], id="one at the top"),
        pytest.param(
            {"ttl": {"maximum": "7d"}, "x": 1}, ["spec.ttl.maximum", "spec.x"], id="one below"
        ),
        pytest.param(
            {"match": {"resources": [RULE, {**RULE, "verbs": []}]}},
            ["spec.match.resources[1].verbs"],
            id="one in a list",
        ),
        pytest.param(
            {"match": {"objectSelector": {"matchLabels": {"any": "label"}}}},
            [],
            id="a map of texts",
        ),
        pytest.param({"ttl": "7d", "match": {"resources": "x"}}, [], id="a value of a wrong type"),
        pytest.param("no spec", [], id="nothing that has fields"),
    ],
)
def test_fields_that_no_policy_has(spec: Any, found: list[str]) -> None:
    assert list(unknown_fields(spec)) == found

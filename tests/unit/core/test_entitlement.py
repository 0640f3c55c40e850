"""Rights as people read them and as the API server is asked about them."""

import pytest

from dayfly_core.entitlement import Right
from dayfly_core.objects import DEPLOYMENTS, NAMESPACES


@pytest.mark.parametrize(
    ("right", "namespace", "text"),
    [
        pytest.param(
            Right("delete", NAMESPACES, name="shop"),
            "shop",
            "delete namespaces/shop",
            id="a Namespace is its own namespace",
        ),
        pytest.param(
            Right("patch", DEPLOYMENTS, "shop"),
            "shop",
            "patch deployments.apps in namespace shop",
            id="all of a kind",
        ),
        pytest.param(
            Right("get", DEPLOYMENTS, "shop", "web"),
            "shop",
            "get deployments.apps/web in namespace shop",
            id="one of them",
        ),
    ],
)
def test_a_right_is_asked_for_and_spelled_out(right: Right, namespace: str, text: str) -> None:
    assert right.attributes["namespace"] == namespace
    assert str(right) == text

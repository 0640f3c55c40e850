"""What is said of a namespace that does not go."""

from datetime import UTC, datetime

import pytest

from dayfly_operator.stuck import Condition, Head, Namespace, NamespaceStatus, diagnosis

SINCE = datetime(2026, 11, 22, 10, tzinfo=UTC)


def going(*conditions: Condition, finalizers: tuple[str, ...] = ()) -> Namespace:
    status = NamespaceStatus(conditions=list(conditions))
    return Namespace(metadata=Head("demo", list(finalizers)), status=status)


REMAINING = Condition("NamespaceContentRemaining", "True", "Some resources are remaining: x")
SETTLED = Condition("NamespaceDeletionDiscoveryFailure", "False", "All resources discovered")


@pytest.mark.parametrize(
    ("namespace", "culprit", "why"),
    [
        pytest.param(
            going(REMAINING),
            "configmaps/demo/held keeps finalizer example.com/hold",
            "configmaps/demo/held keeps finalizer example.com/hold",
            id="an object that we may list",
        ),
        pytest.param(
            going(REMAINING, SETTLED),
            "",
            "Some resources are remaining: x",
            id="in the controller's words, those that are true",
        ),
        pytest.param(
            going(SETTLED, finalizers=("example.com/mine",)),
            "",
            "it keeps finalizer example.com/mine itself",
            id="a finalizer of its own",
        ),
        pytest.param(going(), "", "the namespace controller has not said why", id="nobody says"),
    ],
)
def test_diagnosis(namespace: Namespace, culprit: str, why: str) -> None:
    expected = f"namespace demo is Terminating since 2026-11-22T10:00:00Z: {why}"
    found = diagnosis(namespace, SINCE, culprit)
    assert found.text == expected
    assert found.explained is not ("has not said why" in why)

import pytest

from playground.forwarder import Backend, Rotation, parse


def test_parses_its_command_line() -> None:
    want = (9443, [Backend(9001, 8001), Backend(9002, 8002)])
    assert parse(["9443", "9001/8001", "9002/8002"]) == want


@pytest.mark.parametrize(
    ("ready", "first", "second"),
    [
        pytest.param([True, True], [2, 1], [1, 2], id="ready replicas take turns"),
        pytest.param([True, False], [1, 2], [1, 2], id="one that is not ready comes last"),
        pytest.param([False, False], [2, 1], [1, 2], id="if none is ready all are tried"),
    ],
)
def test_order(ready: list[bool], first: list[int], second: list[int]) -> None:
    rotation = Rotation([Backend(i, 0, ready=well) for i, well in enumerate(ready, 1)])
    turns = [[backend.port for backend in rotation.order()] for _ in range(2)]
    assert turns == [first, second]

"""No write of the operator passes a closed gate."""

from collections.abc import Awaitable, Callable

import pytest

from dayfly_operator.writing import NOTHING, Gated, NotLeading, Rehearsal


class Sent(Rehearsal):
    """Counts."""

    def __init__(self) -> None:
        self.count = 0

    def _say(self, verb: str, path: str, body: object) -> bytes:
        self.count += 1
        return super()._say(verb, path, body)


class Gate:
    """Open or closed."""

    def __init__(self, *, is_open: bool) -> None:
        self._open = is_open

    def holds(self) -> bool:
        return self._open


Verb = Callable[[Gated], Awaitable[bytes]]

BY_NAME: dict[str, Verb] = {
    "create": lambda writer: writer.create("/x", {}),
    "merge patch": lambda writer: writer.merge_patch("/x", {}),
    "apply": lambda writer: writer.apply("/x", {}, manager="m"),
    "delete": lambda writer: writer.delete("/x", uid="u", resource_version="1"),
}
VERBS = [pytest.param(verb, id=name) for name, verb in BY_NAME.items()]


@pytest.mark.parametrize("verb", VERBS)
async def test_a_closed_gate_lets_nothing_through(verb: Verb) -> None:
    sent = Sent()
    with pytest.raises(NotLeading):
        await verb(Gated(sent, Gate(is_open=False)))
    assert sent.count == 0


@pytest.mark.parametrize("verb", VERBS)
async def test_an_open_gate_lets_it_through(verb: Verb) -> None:
    sent = Sent()
    assert await verb(Gated(sent, Gate(is_open=True))) == NOTHING
    assert sent.count == 1

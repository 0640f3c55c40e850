"""No write of the operator passes a closed gate."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from dayfly_operator.writing import NOTHING, Gated, NotLeading, Polite, Rehearsal


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


@pytest.mark.looptime(start=0)
async def test_who_is_polite_waits_while_others_are_in_a_hurry_but_not_for_ever() -> None:
    loop, sent = asyncio.get_running_loop(), Sent()
    until_two = Polite(sent, lambda: loop.time() < 2, look_every=0.5, patience=10)
    await until_two.create("/x", {})
    assert loop.time() == pytest.approx(2)
    for_ever = Polite(sent, lambda: True, look_every=0.5, patience=10)
    await for_ever.merge_patch("/x", {})
    assert loop.time() == pytest.approx(12)
    assert sent.count == 2

"""Names to addresses, in threads."""

import asyncio
import threading
from ipaddress import ip_address

import pytest

from dayfly_core.outgoing.address_space import Address
from dayfly_operator.outgoing.lookups import AT_ONCE, Lookups, system
from support.waiting import eventually

HERE = (ip_address("192.0.2.1"),)


class Server:
    """Answers when it is told to."""

    def __init__(self, *answer: Address) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.go = threading.Event()

    def __call__(self, name: str) -> tuple[Address, ...]:
        self.asked.append(name)
        assert self.go.wait(10)
        if name.startswith("no."):
            raise OSError(f"{name}: not known")
        return self.answer


async def test_who_asks_at_the_same_time_is_answered_together() -> None:
    server = Server(*HERE)
    lookups = Lookups(server)
    callers = [asyncio.create_task(lookups.addresses("a.example")) for _ in range(9)]
    await eventually(lambda: server.asked)
    server.go.set()
    assert await asyncio.gather(*callers) == [HERE] * 9
    assert server.asked == ["a.example"]


async def test_an_answer_is_not_kept() -> None:
    server = Server(*HERE)
    server.go.set()
    lookups = Lookups(server)
    for _ in range(3):
        assert await lookups.addresses("a.example") == HERE
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        pytest.param("no.example", HERE, id="a name that is not known"),
        pytest.param("a.example", (), id="a name without addresses"),
    ],
)
async def test_no_address_is_an_error(name: str, answer: tuple[Address, ...]) -> None:
    server = Server(*answer)
    server.go.set()
    with pytest.raises(OSError, match=name):
        await Lookups(server).addresses(name)


async def test_a_caller_that_gives_up_takes_nothing_from_the_others() -> None:
    server = Server(*HERE)
    lookups = Lookups(server)
    impatient = asyncio.create_task(lookups.addresses("a.example"))
    patient = asyncio.create_task(lookups.addresses("a.example"))
    await eventually(lambda: server.asked)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    server.go.set()
    assert await patient == HERE


async def test_dead_names_have_so_many_threads_and_no_more() -> None:
    server = Server(*HERE)
    lookups = Lookups(server)
    dead = [asyncio.create_task(lookups.addresses(f"{n}.example")) for n in range(AT_ONCE)]
    await eventually(lambda: len(server.asked) == AT_ONCE)
    with pytest.raises(OSError, match="are being looked up already"):
        await lookups.addresses("one-more.example")
    server.go.set()
    await asyncio.gather(*dead)
    assert await lookups.addresses("one-more.example") == HERE


def test_nobody_waits_for_an_answer_that_comes_after_the_end() -> None:
    server = Server(*HERE)

    async def ask_and_go() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(Lookups(server).addresses("a.example"), 0.01)

    asyncio.run(ask_and_go())
    (thread,) = [each for each in threading.enumerate() if "a.example" in each.name]
    assert thread.daemon
    server.go.set()
    thread.join(10)  # what it raises would fail the test, as an unhandled exception of a thread
    assert not thread.is_alive()


def test_the_system_is_asked() -> None:
    assert ip_address("127.0.0.1") in system("localhost")

"""What is left to say when an operator stops."""

from prometheus_client import generate_latest

from support.fake_api import FakeApi, Fault
from support.operators import MAPS, operating, stamped
from support.waiting import eventually

EVENTS = "/apis/events.k8s.io/v1/namespaces/team/events"


async def test_events_of_what_was_done_are_posted_after_the_gate_has_closed() -> None:
    async with FakeApi() as api:
        async with operating(api) as operator:
            await operator.put_policy()
            api.fault(Fault("hang", EVENTS, times=2))
            end = operator.clock.text(0.2)
            for number in range(5):
                api.put(f"{MAPS}/a{number}", stamped(end))
            await eventually(lambda: all(operator.gone(f"a{number}") for number in range(5)))
        assert not operator.leadership.holds()
        assert all("Deleted" in operator.events(f"a{number}") for number in range(5))


async def test_events_that_nobody_will_read_are_counted() -> None:
    async with FakeApi() as api, operating(api) as operator:
        await operator.put_policy()
        api.fault(Fault("status", EVENTS, code=403, reason="Forbidden", times=9))
        api.put(f"{MAPS}/a", stamped(operator.clock.text(0.1)))
        await eventually(lambda: operator.gone("a"))
        metrics = operator.program.parts.metrics.registry
        wanted = b'dayfly_events_dropped_total{cause="Forbidden"} 2.0'
        await eventually(lambda: wanted in generate_latest(metrics))

"""How often a reflector asks again: streams that end, refusals, and servers that want rest."""

import pytest

from dayfly_kube.reflector import Tempo
from support.fake_api import FakeApi, Fault
from support.reflecting import MAPS, Seen, config_map, names, reflecting, synced
from support.waiting import eventually


async def test_a_second_silence_in_a_row_is_worth_a_warning_the_first_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", "dayfly_kube.reflector")

    def told() -> list[str]:
        return [r.levelname for r in caplog.records if r.getMessage() == "stream interrupted"]

    async with FakeApi() as api:
        api.fault(Fault("silent", MAPS, times=3, watch=True))
        async with reflecting(api, Seen()) as reflector:
            await eventually(lambda: told() == ["DEBUG"])
            await eventually(lambda: reflector.watches == 4)
            assert told() == ["DEBUG", "WARNING"]
            api.put(config_map("a"))
            await eventually(lambda: names(reflector) == ["a"])
            api.release()
            await eventually(lambda: told() == ["DEBUG", "WARNING", "WARNING"])


async def test_streams_that_end_at_once_are_not_asked_for_in_a_hot_loop() -> None:
    async with FakeApi() as api:
        api.fault(Fault("close", MAPS, times=1000))
        tempo = Tempo(first_wait=0.05, longest_wait=10.0)
        async with reflecting(api, Seen(), tempo=tempo) as reflector:
            await synced(reflector)
            await eventually(lambda: len(api.watches()) >= 5)
        gaps = [b.at - a.at for a, b in zip(api.watches(), api.watches()[1:], strict=False)]
        assert all(gap >= 0.025 * 2**n for n, gap in enumerate(gaps))


async def test_retry_after_of_a_429_is_honoured() -> None:
    async with FakeApi() as api:
        api.fault(
            Fault("status", MAPS, code=429, reason="TooManyRequests", retry_after=1, watch=False)
        )
        async with reflecting(api, Seen()) as reflector:
            await synced(reflector)
        first, second = [r for r in api.requests if not r.watch]
        assert 1.0 <= second.at - first.at < 1.5


async def test_what_somebody_has_to_grant_first_is_asked_for_seldom() -> None:
    async with FakeApi() as api:
        api.fault(Fault("status", MAPS, code=403, reason="Forbidden", times=6, watch=False))
        tempo = Tempo(first_wait=0.01, longest_wait=0.02, refused=0.5)
        async with reflecting(api, Seen(), tempo=tempo) as reflector:
            await synced(reflector)
        *quick, last, granted = [r.at for r in api.requests if not r.watch]
        assert last - quick[-1] >= 0.5
        assert granted - last >= 0.5
        assert quick[-1] - quick[0] < 0.5


async def test_a_refusal_by_a_server_that_was_away_is_not_taken_for_the_last_word() -> None:
    async with FakeApi() as api:
        api.fault(Fault("status", MAPS, code=500, times=6, watch=False))
        api.fault(Fault("status", MAPS, code=403, reason="Forbidden", watch=False))
        tempo = Tempo(first_wait=0.01, longest_wait=0.02, refused=30.0)
        async with reflecting(api, Seen(), tempo=tempo) as reflector:
            await synced(reflector)

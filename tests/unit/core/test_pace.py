import pytest

from dayfly_core.pace import UNTOUCHED, Backoff, Pace, take


def delays(pace: Pace, asked_at: list[float]) -> list[float]:
    full_at, given = UNTOUCHED, list[float]()
    for now in asked_at:
        delay, full_at = take(pace, full_at, now)
        given.append(round(delay, 6))
    return given


@pytest.mark.parametrize(
    ("pace", "asked_at", "expected"),
    [
        pytest.param(Pace(0), [0, 0, 0], [0, 0, 0], id="a rate of zero is unlimited"),
        pytest.param(Pace(2), [0, 0, 0], [0, 0.5, 1.0], id="turns are spread by the rate"),
        pytest.param(Pace(2), [0, 1, 2], [0, 0, 0], id="slower than the rate waits for nothing"),
        pytest.param(Pace(2, 3), [0, 0, 0, 0], [0, 0, 0, 0.5], id="a burst passes at once"),
        pytest.param(Pace(1, 2), [0, 0, 99, 99, 99], [0, 0, 0, 0, 1], id="a rest refills it"),
        pytest.param(Pace(1, 2), [9, 9, 3], [0, 0, 7], id="a clock set back gives nothing away"),
    ],
)
def test_take(pace: Pace, asked_at: list[float], expected: list[float]) -> None:
    assert delays(pace, asked_at) == expected


def test_any_second_lets_through_at_most_a_burst_and_the_rate() -> None:
    pace, full_at, passed = Pace(rate=50, burst=10), UNTOUCHED, list[float]()
    for now in (i / 1000 for i in range(2000)):
        delay, full_at = take(pace, full_at, now)
        passed.append(now + delay)
    assert max(sum(t <= u < t + 1 for u in passed) for t in passed) <= 61


@pytest.mark.parametrize(
    ("rate", "burst", "sentence"),
    [
        pytest.param(-1, 1, "rate is -1", id="a negative rate"),
        pytest.param(1, 0, "burst is 0", id="a burst that lets nothing through"),
    ],
)
def test_an_impossible_pace_is_refused(rate: float, burst: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Pace(rate, burst)


@pytest.mark.parametrize(
    ("failures", "chance", "expected"),
    [
        pytest.param(1, 0.0, 1, id="the first delay"),
        pytest.param(0, 0.0, 1, id="no failure counts as the first"),
        pytest.param(4, 0.0, 8, id="doubled each time"),
        pytest.param(9, 0.0, 60, id="up to the cap"),
        pytest.param(10**6, 0.0, 60, id="also after a million failures"),
        pytest.param(4, 0.5, 6, id="less a random part"),
    ],
)
def test_backoff(failures: int, chance: float, expected: float) -> None:
    assert Backoff(first=1, cap=60, jitter=0.5).delay(failures, chance) == expected

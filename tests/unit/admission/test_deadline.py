"""The API server's ``?timeout=``, less what the way back takes."""

import pytest

from dayfly_admission.deadline import seconds


@pytest.mark.parametrize(
    ("query", "want"),
    [
        pytest.param(b"timeout=5s", 4.7, id="as the API server writes it"),
        pytest.param(b"timeout=1s", 0.7, id="the shortest it can be"),
        pytest.param(b"dryRun=1&timeout=3s", 2.7, id="not alone"),
        pytest.param(b"timeout=1m0s", 9.7, id="longer than any API server waits"),
        pytest.param(b"timeout=2.5s", 2.2, id="a fraction"),
        pytest.param(b"", 9.7, id="not said"),
        pytest.param(b"timeout=", 9.7, id="said without a value"),
        pytest.param(b"timeout=soon", 9.7, id="no duration"),
        pytest.param(b"timeout=-5s", 9.7, id="negative"),
        pytest.param(b"timeout=0s", 0.0, id="none left"),
        pytest.param(b"xtimeout=1s", 9.7, id="another key that ends alike"),
    ],
)
def test_seconds_to_answer_in(query: bytes, want: float) -> None:
    assert seconds(query) == pytest.approx(want)

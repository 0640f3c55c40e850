import pytest

from playground.toolchain import version


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("go version go1.26.8 linux/amd64", (1, 26), id="a release"),
        pytest.param("go version go1.27rc1 darwin/arm64", (1, 27), id="a release candidate"),
        pytest.param("go version go1.9.7 linux/amd64", (1, 9), id="9 is less than 26"),
        pytest.param("usage: go [flags]", None, id="no answer of a compiler"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_version(text: str, want: tuple[int, int] | None) -> None:
    assert version(text) == want

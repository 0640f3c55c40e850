import pytest

from dayfly_core.violations import Violation, shown


@pytest.mark.parametrize(
    ("value", "want"),
    [
        pytest.param("8h", "8h", id="plain text stays"),
        pytest.param("größe", "größe", id="letters of all scripts stay"),
        pytest.param('a"b\\c', 'a\\"b\\\\c', id="quotes and backslashes are escaped"),
        pytest.param("a\nb\x1b[31m", "a\\nb\\x1b[31m", id="control characters are escaped"),
        pytest.param("\u202egnp.exe", "\\u202egnp.exe", id="direction marks are escaped"),
        pytest.param("\ud800", "\\ud800", id="half a surrogate pair is escaped"),
        pytest.param("x" * 64, "x" * 64, id="64 characters stay"),
        pytest.param("x" * 65, "x" * 63 + "…", id="the 65th cuts"),
    ],
)
def test_values_fit_for_a_message(value: str, want: str) -> None:
    assert shown(value) == want


def test_a_violation_reads_as_the_api_server_words_it() -> None:
    violation = Violation("InvalidTTL", "metadata.annotations[dayfly.dev/ttl]", "5", "has no unit")
    assert violation.message == 'Invalid value: "5": has no unit'
    assert violation.text == (
        'metadata.annotations[dayfly.dev/ttl]: Invalid value: "5": has no unit'
    )

"""kopf's log is read by people: a failure that lasts is told ever more rarely."""

import logging

import pytest

from dayfly_operator.kopf_log import is_news, weigh


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("kopf", logging.ERROR, "api.py", 1, message, None, None)


@pytest.mark.parametrize(
    ("attempt", "told"),
    [("1", True), ("2", False), ("10", True), ("11", False), ("20", False), ("1000", True)],
)
def test_an_attempt_that_fails_again(attempt: str, told: bool) -> None:
    said = f"Request attempt #{attempt} failed; will retry: GET /a -> APIForbiddenError('b')"
    assert is_news(record(said)) is told


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("Request attempt #2 failed; escalating: GET /a -> b", id="it is given up"),
        pytest.param("Request attempt #2 succeeded: GET /a", id="it is over"),
        pytest.param("Something else is wrong", id="anything else"),
    ],
)
def test_everything_else_is_told(message: str) -> None:
    assert is_news(record(message))


@pytest.mark.parametrize(("attempt", "level"), [("1", "WARNING"), ("10", "ERROR")])
def test_one_failure_is_a_warning_and_more_are_an_error(attempt: str, level: str) -> None:
    told = record(f"Request attempt #{attempt} failed; will retry: GET /a -> b")
    assert weigh(told)
    assert told.levelname == level


def test_what_kopf_says_is_recognised() -> None:
    from kopf._cogs.clients import api

    assert api.__file__
    with open(api.__file__, encoding="utf-8") as source:
        assert "Request attempt {idx} failed; will retry: " in source.read()

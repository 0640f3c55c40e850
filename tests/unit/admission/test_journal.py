"""One line of JSON: every refusal, and a sample of the rest."""

import json
from datetime import UTC, datetime

import pytest

from dayfly_admission import answer
from dayfly_admission.answer import Answer
from dayfly_admission.journal import Journal, Said
from dayfly_admission.review import Malformed, Review, decode
from dayfly_core.reasons import Reason
from dayfly_core.verdict import Verdict
from support.reviews import UID, a_review, an_object, encoded

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
REVIEW = decode(encoded(a_review(an_object())))
ALLOWED = answer.allow(REVIEW, Verdict(Reason.NO_POLICY))
REFUSED = answer.failed(REVIEW, Verdict(Reason.CANNOT_VERIFY), "no\nanswer")


def lines(sample: int, *given: Answer, review: Review | None = REVIEW) -> list[str]:
    written: list[bytes] = []
    journal = Journal(written.append, lambda: NOW, sample)
    for each in given:
        if journal.due(each):
            journal.note(review, each, Said("judge", "a verdict", "a reason", 0.00125))
    return b"".join(written).decode().splitlines()


def test_who_wanted_what_and_what_was_said() -> None:
    (line,) = lines(1, ALLOWED)
    assert json.loads(line) == {
        "time": "2026-11-22T10:00:00Z",
        "webhook": "judge",
        "verdict": "a verdict",
        "reason": "a reason",
        "ms": 1.25,
        "uid": UID,
        "user": "alice",
        "operation": "CREATE",
        "resource": "deployments.apps",
        "namespace": "team-a",
        "name": "web",
    }


def test_a_refusal_is_told_in_one_line() -> None:
    (line,) = lines(0, REFUSED)
    assert json.loads(line)["message"] == "no\nanswer"


@pytest.mark.parametrize(
    ("sample", "given", "count"),
    [
        pytest.param(1, [ALLOWED] * 5, 5, id="all"),
        pytest.param(3, [ALLOWED] * 7, 2, id="one in three"),
        pytest.param(0, [ALLOWED] * 7, 0, id="none that was allowed"),
        pytest.param(0, [ALLOWED, REFUSED, REFUSED], 2, id="every refusal"),
        pytest.param(2, [ALLOWED, REFUSED, ALLOWED], 2, id="refusals do not count as the sample"),
    ],
)
def test_which_are_written(sample: int, given: list[Answer], count: int) -> None:
    assert len(lines(sample, *given)) == count


def test_what_is_no_review_is_noted_too() -> None:
    (line,) = lines(1, answer.malformed(Malformed("x" * 5000, "u1")), review=None)
    said = json.loads(line)
    assert (said["uid"], len(said["message"])) == ("u1", 1024)


def test_a_journal_that_cannot_be_written_is_reported_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_: bytes) -> None:
        raise BrokenPipeError("nobody reads")

    journal = Journal(broken, lambda: NOW, 1)
    for _ in range(3):
        journal.note(REVIEW, REFUSED, Said("judge", "refused", "x", 0.0))
    assert [record.getMessage() for record in caplog.records] == [
        "requests are no longer logged: nobody reads"
    ]

"""The operator's command line."""

import pytest

from dayfly_certs.store import service_names
from dayfly_core.pace import Pace
from dayfly_operator.settings import command_line, parse


def test_the_defaults_are_those_of_a_pod() -> None:
    settings = parse([], {"POD_NAME": "dayfly-operator-7", "POD_NAMESPACE": "elsewhere"})
    assert settings.identity == "dayfly-operator-7"
    assert settings.namespace == "elsewhere"
    assert settings.serving_names == service_names("elsewhere")
    assert settings.pace == Pace(50, burst=50)
    assert (settings.timing.duration, settings.timing.deadline) == (3.0, 2.2)
    assert settings.claim_grace == 75.0
    assert settings.claim_ingress_hosts is None


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        pytest.param(["--lease-duration", "soon"], "--lease-duration: 'soon'", id="no time"),
        pytest.param(
            ["--lease-duration", "1s"], "must be shorter than the lease duration", id="order"
        ),
        pytest.param(
            ["--renew-deadline", "0.5s"], "longer than 1.2 times the retry", id="deadline too short"
        ),
        pytest.param(["--workers", "0"], "a number from 1 to 1000", id="no workers"),
        pytest.param(["--max-deletes-per-second", "-1"], "or 0 for no limit", id="a negative pace"),
        pytest.param(["--max-deletes-per-second", "nan"], "or 0 for no limit", id="no number"),
        pytest.param(["--health-listen", "x"], "is not HOST:PORT", id="an address without port"),
        pytest.param(["--claim-grace", "999ms"], "is less than 1s", id="no grace"),
        pytest.param(
            ["--claim-ingress-hosts", "a b"], "is not a label selector", id="an odd selector"
        ),
        pytest.param(["--dry-ran"], "did you mean --dry-run?", id="a misspelt flag"),
    ],
)
def test_a_wrong_flag_is_answered_with_one_line_and_status_2(
    argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(argv, {})
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert line.startswith("dayfly operator: ")
    assert sentence in line


def test_the_help_says_why_a_claim_is_kept_for_75_seconds() -> None:
    said = dict(command_line({}).rows())["--claim-grace TIME"]
    assert "more than the API server's --request-timeout, which is 60s (default: 75s)" in said


def test_the_help_names_every_relation_of_the_lease_times(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"], {})
    said = " ".join(capsys.readouterr().out.split())
    assert "retry period + request time-out < renew deadline < lease duration" in said
    assert "deadline longer than 1.2 retry periods" in said

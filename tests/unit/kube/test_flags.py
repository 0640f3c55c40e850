"""Command lines: what is right, and one line for what is wrong; logs: one line each."""

import argparse
import logging

import pytest

from dayfly_kube.flags import Address, Flags, OneLine, listen_address, seconds


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("0.0.0.0:9443", Address("0.0.0.0", 9443), id="IPv4"),
        pytest.param("[::]:9443", Address("::", 9443), id="IPv6"),
        pytest.param(":8081", Address("0.0.0.0", 8081), id="no host: all addresses"),
        pytest.param("localhost:0", Address("localhost", 0), id="port 0: any"),
    ],
)
def test_a_listen_address(text: str, want: Address) -> None:
    assert listen_address(text) == want
    assert listen_address(str(want)) == want


@pytest.mark.parametrize(
    "text", ["", "x", "9443", "host:", "host:x", "host:65536", "host:-1", "::1:80", "host:٣"]
)
def test_what_is_no_listen_address(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"is not HOST:PORT, for example 0\.0"):
        listen_address(text)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("3", 3.0, id="a bare number is seconds"),
        pytest.param("2.2s", 2.2, id="fractions"),
        pytest.param("600ms", 0.6, id="milliseconds"),
        pytest.param("5m", 300.0, id="minutes"),
        pytest.param("1h", 3600.0, id="hours"),
        pytest.param("0", 0.0, id="nothing"),
    ],
)
def test_a_length_of_time(text: str, want: float) -> None:
    assert seconds(text) == pytest.approx(want)


@pytest.mark.parametrize("text", ["", "s", "-1", "1d", "1 s", "1e3", "nan", "inf", "٣s", "1.s"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a length of time, for example 3"):
        seconds(text)


def flags(environ: dict[str, str] | None = None) -> Flags:
    parser = Flags("dayfly admission", "Stamps.")
    parser.add_connection(environ or {})
    parser.add_argument("--listen", type=listen_address, default="0.0.0.0:9443")
    return parser


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        pytest.param(
            ["--listen", "x"],
            "dayfly admission: --listen: 'x' is not HOST:PORT, for example 0.0.0.0:9443 or "
            "[::]:9443; see dayfly admission --help\n",
            id="a wrong value",
        ),
        pytest.param(
            ["--lisen", "x"],
            "dayfly admission: unknown flag '--lisen'; did you mean --listen?; "
            "see dayfly admission --help\n",
            id="a misspelt flag",
        ),
        pytest.param(
            ["now"],
            "dayfly admission: 'now' is one word too many; see dayfly admission --help\n",
            id="a stray word",
        ),
        pytest.param(
            ["--listen"],
            "dayfly admission: --listen: expected one argument; see dayfly admission --help\n",
            id="a missing value",
        ),
        pytest.param(
            ["--list", ":1"],
            "dayfly admission: unknown flag '--list'; did you mean --listen?; "
            "see dayfly admission --help\n",
            id="an abbreviation",
        ),
    ],
)
def test_a_wrong_command_line_is_one_line_and_status_2(
    argv: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        flags().parse_args(argv)
    assert ended.value.code == 2
    assert capsys.readouterr().err == line


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        pytest.param([], "KIND/NAME is missing, for example: show deploy/web", id="nothing"),
        pytest.param(
            ["deploy", "web"], "'web' is one word too many, for example: show deploy/web",
            id="two words for one",
        ),
        pytest.param(
            ["x/y", "z", "--al"], "unknown flag '--al'; did you mean --all?",
            id="a flag that there is not says more than a word too many",
        ),
        pytest.param(
            ["x/y", "--span", "-1h"], "--span: invalid int value: '-1h'",
            id="a negative value is refused by its flag",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_comes_with_the_first_example(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    taught = Flags("show", "Show.", "examples:\n  show deploy/web      one\n  show ns/x\n")
    taught.add_argument("target", metavar="KIND/NAME")
    taught.add_argument("--all", action="store_true")
    taught.add_argument("--span", type=int)
    with pytest.raises(SystemExit):
        taught.parse_args(argv)
    assert capsys.readouterr().err == f"show: {said}; see show --help\n"


@pytest.mark.parametrize(
    ("argv", "environ", "flag", "want"),
    [
        pytest.param([], {}, "namespace", "dayfly-system", id="the shipped namespace"),
        pytest.param([], {"POD_NAMESPACE": "n"}, "namespace", "n", id="the pod's namespace"),
        pytest.param(
            ["--namespace=m"], {"POD_NAMESPACE": "n"}, "namespace", "m", id="the flag's namespace"
        ),
        pytest.param([], {"POD_NAME": "p-0"}, "identity", "p-0", id="the pod's name"),
        pytest.param([], {}, "log_level", "info", id="log level"),
        pytest.param([], {}, "kubeconfig", None, id="no kubeconfig"),
    ],
)
def test_common_flags(argv: list[str], environ: dict[str, str], flag: str, want: object) -> None:
    assert getattr(flags(environ).parse_args(argv), flag) == want


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("dayfly", logging.INFO, __file__, 1, message, None, None)
    made.created, made.msecs = 0.0, 7.0
    made.__dict__.update(extra)
    return made


@pytest.mark.parametrize(
    ("made", "line"),
    [
        pytest.param(record("up"), "up", id="a message"),
        pytest.param(
            record("deleted", object="configmaps/a/b", lag=12, **{"expires-at": "x"}),
            "deleted expires-at=x lag=12 object=configmaps/a/b",
            id="fields in the order of their names",
        ),
        pytest.param(
            record("odd", cause="two words", none=""),
            "odd cause='two words' none=''",
            id="values with spaces are quoted",
        ),
        pytest.param(
            record("bad\nname", key="a\tb\x1b[31m\u2028"),
            r"bad\nname key=a\tb\x1b[31m\u2028",
            id="what would break the line or the terminal is escaped",
        ),
        pytest.param(record("größer ✓"), "größer ✓", id="other languages are not"),
    ],
)
def test_a_record_is_one_line(made: logging.LogRecord, line: str) -> None:
    assert OneLine().format(made) == f"1970-01-01T00:00:00.007Z info dayfly {line}"


def test_a_traceback_stays_on_the_line() -> None:
    made = record("failed")
    try:
        raise ValueError("why")
    except ValueError as error:
        made.exc_info = (type(error), error, error.__traceback__)
    line = OneLine().format(made)
    assert "\n" not in line
    assert line.endswith(r"\nValueError: why")

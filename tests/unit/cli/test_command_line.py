"""The command line itself: what is chosen, what is refused, and with which status."""

import io
import subprocess
import sys
from datetime import timedelta

import pytest

from dayfly_cli import extending, listing
from dayfly_cli.__main__ import COMMANDS, PROGRAMS, run
from dayfly_cli.extension import By, Extension, Until
from dayfly_cli.survey import Scope
from dayfly_cli.terminal import Misused, Terminal
from dayfly_core import __version__, names
from support.entries import NOW, at


def terminal(prog: str = "dayfly") -> tuple[Terminal, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Terminal(prog, {}, out, err, lambda: NOW, lambda: 0.0), out, err


@pytest.mark.parametrize("argv", [[], ["--help"], ["help"]], ids=str)
@pytest.mark.parametrize("prog", ["dayfly", "kubectl dayfly"])
def test_help_names_every_command(prog: str, argv: list[str]) -> None:
    screen, out, _ = terminal(prog)
    assert run(screen, argv) == 0
    assert f"{prog} extend deploy/web 2d" in out.getvalue()
    for command in {*COMMANDS, *PROGRAMS, "version"}:
        assert f"\n  {command}" in out.getvalue()


def test_version() -> None:
    screen, out, _ = terminal()
    assert run(screen, ["version"]) == 0
    assert out.getvalue() == f"dayfly {__version__}\n"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        pytest.param(["lst"], "did you mean list?", id="a misspelt command"),
        pytest.param(["xyz"], "--help lists them", id="an unknown command"),
        pytest.param(["extend", "web", "2d"], "write KIND/NAME", id="a name without a kind"),
        pytest.param(["extend", "deploy/web", "5"], "has no unit", id="a bare number"),
        pytest.param(["extend", "deploy/web", "0s"], "no time at all", id="nothing"),
        pytest.param(["extend", "deploy/web", "-1h"], "sooner, write the new end", id="less"),
        pytest.param(["-n", "shop", "list"], "'-n' comes after a command", id="a flag first"),
        pytest.param(["show", "deploy/\udcfc"], "no text in this locale", id="bytes, no text"),
        pytest.param(["extend", "deploy/web"], "either a DURATION", id="no duration"),
        pytest.param(
            ["extend", "deploy/web", "1h", "--until", "2026-11-22T18:00:00Z"],
            "either a DURATION",
            id="both a duration and an instant",
        ),
        pytest.param(
            ["extend", "deploy/web", "--until", "tomorrow"], "2026-11-22T10:00:00Z", id="no instant"
        ),
        pytest.param(
            ["extend", "deploy/web", "--until", "2026-11-22T18:00:00Z", "--from", "now"],
            "--from goes with a DURATION",
            id="from and until",
        ),
    ],
)
def test_a_wrong_command_line_is_one_line_and_status_2(argv: list[str], said: str) -> None:
    screen, _, err = terminal()
    assert run(screen, argv) == 2
    assert said in err.getvalue()
    assert err.getvalue().count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["list", "--wath"], "did you mean --watch?"),
        (["list", "-o", "xml"], "invalid choice"),
        (["extend"], "KIND/NAME is missing, for example: dayfly extend deploy/web 2d;"),
        (["show", "deploy", "web"], "'web' is one word too many, for example: dayfly show deploy/"),
        (["simulate", "--for", "-1h"], "'-1h' is negative; write for example 90s"),
        (["plan", "--limit", "few"], "'few' is not a number of 1 or more, for example 20"),
        (["plan", "--limit", "0"], "'0' is not a number of 1 or more"),
    ],
    ids=str,
)
def test_a_wrong_flag_ends_with_status_2(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    screen, _, _ = terminal()
    with pytest.raises(SystemExit) as ended:
        run(screen, argv)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ("deploy/web 2d", By(timedelta(days=2))),
        ("deploy/web -n shop 2d", By(timedelta(days=2))),
        ("deploy/web 2d --from now", By(timedelta(days=2), from_now=True)),
        ("deploy/web --until 2026-11-22T18:00:00Z", Until(at("2026-11-22T18:00:00Z"))),
    ],
)
def test_extensions(argv: str, expected: Extension) -> None:
    assert extending.parse("dayfly", argv.split()).extension == expected


def test_a_target_of_three_parts() -> None:
    with pytest.raises(Misused):
        extending.parse("dayfly", ["a/b/c", "1h"])


def test_only_what_is_stamped_is_listed() -> None:
    options = listing.parse("dayfly", ["-A", "-l", "app=web"])
    assert options.scope == Scope(everywhere=True, labels="app=web")
    assert options.scope.selector == f"{names.POLICY},app=web"


def test_a_command_imports_only_what_it_needs() -> None:
    script = (
        "import sys; from dayfly_cli.__main__ import main; sys.argv = ['dayfly', 'version']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'aiohttp', 'rich', 'kopf', 'starlette'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [f"dayfly {__version__}", "[]"]


SCRIPT = (
    "import sys; from dayfly_cli.__main__ import main; sys.argv = ['dayfly', *sys.argv[1:]]; main()"
)


@pytest.mark.parametrize(
    ("redirection", "status", "said"),
    [
        pytest.param("> /dev/full", 1, "its output cannot be written: No space", id="a full disk"),
        pytest.param(">&-", 0, "", id="no output at all"),
        pytest.param("| true", 0, "", id="a reader that has gone"),
    ],
)
def test_an_output_that_takes_nothing(redirection: str, status: int, said: str) -> None:
    line = f'"$0" -c "$1" version {redirection}; exit "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", line, sys.executable, SCRIPT], capture_output=True, text=True, check=False
    )
    assert (done.returncode, said in done.stderr) == (status, True)
    assert "Traceback" not in done.stderr

"""Which argument of a command line is being typed, and what is known of it without a cluster."""

import io
import subprocess

import pytest

from dayfly_cli import breaker, completion, extending, listing, simulating
from dayfly_cli.__main__ import COMMANDS, PROGRAMS, SPOKEN, run
from dayfly_cli.completing import Answer, Line, known
from dayfly_cli.terminal import Terminal
from dayfly_kube.flags import Flags
from support.entries import NOW

LIST, EXTEND = listing.command_line("dayfly"), extending.command_line("dayfly")
BREAKER, SIMULATE = breaker.command_line("dayfly"), simulating.command_line("dayfly")


@pytest.mark.parametrize(
    ("flags", "words", "dest"),
    [
        pytest.param(EXTEND, [""], "target", id="the first word"),
        pytest.param(EXTEND, ["deploy/web", ""], "length", id="the second"),
        pytest.param(EXTEND, ["deploy/web", "2d", ""], None, id="one word too many"),
        pytest.param(EXTEND, ["-n", ""], "namespace", id="a flag's value"),
        pytest.param(EXTEND, ["-n", "shop", ""], "target", id="the first word after a flag"),
        pytest.param(EXTEND, ["--dry-run", ""], "target", id="after a flag without a value"),
        pytest.param(EXTEND, ["--namespace=shop", "a/b", ""], "length", id="a flag with its value"),
        pytest.param(LIST, ["-A", ""], None, id="a command without words"),
        pytest.param(BREAKER, ["reset", ""], "policy", id="a policy"),
        pytest.param(SIMULATE, ["-f", "a", "-f", ""], "files", id="a flag that may be repeated"),
    ],
)
def test_the_argument_that_is_being_typed(flags: Flags, words: list[str], dest: str | None) -> None:
    found = Line(flags, tuple(words)).argument()
    assert (found.dest if found else None) == dest


@pytest.mark.parametrize(
    ("flags", "words", "expected"),
    [
        pytest.param(LIST, ["-o", ""], Answer(("wide", "json", "yaml", "name")), id="formats"),
        pytest.param(BREAKER, ["", ], Answer(("show", "reset")), id="verbs"),
        pytest.param(SIMULATE, ["-f", ""], Answer(directive=0), id="files are the shell's"),
        pytest.param(SIMULATE, ["--for", "1"], Answer(("1h", "1d", "1w")), id="lengths of time"),
        pytest.param(LIST, ["--wa"], Answer(("--watch",)), id="flags"),
        pytest.param(LIST, ["x"], Answer(), id="nothing that it takes"),
    ],
)  # fmt: skip
def test_what_needs_no_cluster(flags: Flags, words: list[str], expected: Answer) -> None:
    found = known(Line(flags, tuple(words)))
    assert isinstance(found, Answer)
    assert found.to(words[-1]) == expected


def test_what_a_flag_was_given_before() -> None:
    line = Line(LIST, ("-n", "shop", "--context", "prod", "-l", ""))
    assert (line.said("-n", "--namespace"), line.said("--context")) == ("shop", "prod")
    assert line.said("--kubeconfig") is None
    assert Line(LIST, ("-n", "sho")).said("-n") is None, "it is being typed"


def complete(*words: str) -> str:
    out = io.StringIO()
    terminal = Terminal("dayfly", {}, out, out, lambda: NOW, lambda: 0.0)
    assert run(terminal, ["__complete", *words]) == 0
    return out.getvalue()


def test_commands_come_first() -> None:
    names = sorted({*COMMANDS, *PROGRAMS, *SPOKEN, "help"})
    assert complete("").split() == [*names, ":4"]
    assert complete("help", "ex").split() == ["explain", "extend", ":4"]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["nonsense", ""], id="a command that there is not"),
        pytest.param(["help", "list", ""], id="after help and a command"),
        pytest.param(["list", "-n", ""], id="no kubeconfig"),
        pytest.param(["show", "", "--kubeconfig", "/no/such", ""], id="a wrong kubeconfig"),
    ],
)
def test_a_prompt_takes_no_complaint(words: list[str]) -> None:
    assert complete(*words) == ":4\n"


def test_three_words_of_bash_are_one_flag() -> None:
    assert complete("list", "--output", "=", "j") == "json\n:4\n"


@pytest.mark.parametrize("shell", completion.SCRIPTS)
def test_each_shell_has_a_script_that_asks_for_the_words(shell: str) -> None:
    out = io.StringIO()
    terminal = Terminal("dayfly", {}, out, out, lambda: NOW, lambda: 0.0)
    assert run(terminal, ["completion", shell]) == 0
    assert "dayfly __complete" in out.getvalue()


DRIVEN = """
dayfly() { printf '%s\\n' "asked:$*" one ':6'; }
compopt() { echo "compopt $*"; }
COMP_WORDS=(dayfly show 'a b') COMP_CWORD=2
_dayfly
printf '%s\\n' "${COMPREPLY[@]}"
"""


def test_bash_hands_over_the_words_and_takes_the_candidates_as_they_are() -> None:
    script = f"{completion.BASH}\n{DRIVEN}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["compopt -o nospace", "asked:__complete show a b", "one"]
    assert done.stderr == ""

"""Runs kubectl and helm as a person would, and keeps what they said."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Result:
    """What a command printed and how it ended."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether it ended with 0."""
        return self.code == 0

    def checked(self) -> "Result":
        """Itself, or CommandFailedError."""
        if self.ok:
            return self
        raise CommandFailedError(self)


class CommandFailedError(Exception):
    """A command ended with another code than 0; ``result`` has all of it."""

    def __init__(self, result: Result) -> None:
        self.result = result
        words = " ".join(result.argv)
        super().__init__(f"`{words}` ended with {result.code}: {result.stderr.strip()[-2000:]}")


@dataclass(frozen=True, slots=True)
class Commands:
    """Where kubectl and helm are, and the environment they run in."""

    directory: Path
    environ: Mapping[str, str]

    def run(
        self, program: str, *arguments: str, stdin: str = "", user: Path | None = None
    ) -> Result:
        """Run a command to its end, as ``user`` (a kubeconfig) or as administrator."""
        environ = {**self.environ, **({"KUBECONFIG": str(user)} if user else {})}
        done = subprocess.run(
            [self.directory / program, *arguments],
            env=environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return Result((program, *arguments), done.returncode, done.stdout, done.stderr)

import os
import threading
from pathlib import Path

import pytest

from playground import build, toolchain
from playground.build import STAGES, BuildFailedError
from playground.progress import silent

GO = """#!/bin/sh
case "$1" in
version) echo "go version {version} linux/amd64" ;;
list) echo "{home}/kwok" ;;
build)
  echo "$7" >> "{home}/built"
  case "$7" in *"{broken}") echo "undefined: x" >&2; exit 1 ;; esac
  : > "$6"; chmod +x "$6" ;;
esac
"""


class Machine:
    """A directory with a compiler that only pretends, first on PATH, and an empty cache."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environ = {"XDG_CACHE_HOME": str(home / "cache")}
        for stage in STAGES:
            folder = home / "kwok" / "kustomize" / "stage" / stage
            folder.mkdir(parents=True)
            for name in ("stage.yaml", "kustomization.yaml", "embed.go"):
                (folder / name).touch()
        self.install()

    def install(self, version: str = "go1.26.8", broken: str = "nothing") -> None:
        go = self.home / "path" / "go"
        go.parent.mkdir(exist_ok=True)
        go.write_text(GO.format(home=self.home, version=version, broken=broken))
        go.chmod(0o755)

    @property
    def built(self) -> list[str]:
        log = self.home / "built"
        return log.read_text().split() if log.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("PATH", os.pathsep.join((str(tmp_path / "path"), os.environ["PATH"])))
    return Machine(tmp_path)


def test_builds_every_program_and_says_so(machine: Machine) -> None:
    said: list[str] = []
    assert build.ensure(machine.environ, said.append).complete()
    assert machine.built == [*build.PACKAGES.values()]
    assert [line.split()[0] for line in said[1:]] == [*build.PACKAGES]


def test_takes_the_stages_and_nothing_beside_them(machine: Machine) -> None:
    files = build.ensure(machine.environ, silent).stages(*STAGES)
    assert [file.name for file in files] == ["stage.yaml"] * len(STAGES)


def test_what_is_built_is_not_built_again(machine: Machine) -> None:
    build.ensure(machine.environ, silent)
    machine.install(broken="kubectl")
    assert build.ensure(machine.environ, silent).complete()


def test_a_failed_build_leaves_nothing_and_shows_the_compiler_s_words(machine: Machine) -> None:
    machine.install(broken="cmd/kubectl")
    with pytest.raises(BuildFailedError, match="undefined: x"):
        build.ensure(machine.environ, silent)
    assert [p.name for p in build.cache_root(machine.environ).iterdir()] == ["lock"]


def test_two_at_once_build_once(machine: Machine) -> None:
    threads = [
        threading.Thread(target=build.ensure, args=(machine.environ, silent)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(machine.built) == len(build.PACKAGES)


def test_an_old_go_is_not_new_enough(machine: Machine) -> None:
    machine.install(version="go1.25.3")
    assert not toolchain.new_enough(machine.home / "path" / "go")


def test_without_go_a_fetched_one_is_taken(machine: Machine) -> None:
    fetched = machine.home / "cache" / "go-toolchain" / "bin" / "go"
    fetched.parent.mkdir(parents=True)
    fetched.write_bytes((machine.home / "path" / "go").read_bytes())
    fetched.chmod(0o755)
    machine.install(version="go1.25.3")
    assert toolchain.find(machine.home / "cache", silent) == fetched

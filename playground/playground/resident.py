"""A system that stays: brought up for a person, looked at, healed, and taken down."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import msgspec

from playground.build import locked
from playground.plane import ControlPlane, Options
from playground.preparation import clear
from playground.process import Process, Rank
from playground.progress import Say, timed
from playground.roster import Roster
from playground.system import ADMISSION, EVERYTHING, OPERATOR, Shape, System

WHAT_TO_TRY = """
Dayfly runs: {shape.admissions} admission and {shape.operators} operator replicas; logs in {logs}

  source {env}
  kubectl apply -f manifests/policies/previews.yaml
  kubectl create namespace pr-1 && kubectl label namespace pr-1 purpose=preview
  kubectl create deployment web --image=nginx -n pr-1    # the answer says when it ends
  kubectl dayfly list -A                                 # what ends when, and why
  kubectl dayfly extend deployment/web 2d -n pr-1

  kubectl apply -f manifests/policies/sleeping-previews.yaml
  kubectl create namespace pr-2 && kubectl label namespace pr-2 purpose=sleeping-preview
  kubectl dayfly explain ns/pr-2                         # what will happen to it, when, and why
  kubectl dayfly simulate -A --for 7d                    # what would happen; changes nothing
  kubectl dayfly history -A                              # what has happened, and by which rule

  make status   who runs, who leads (kill -9 one, and see)
  make up       start again who died, and undo a `kubectl apply -k manifests/base`:
                that leads the webhooks to pods, which there are none of here
  make down     stop everything
"""

FORWARDER = "forwarder"


class Row(msgspec.Struct, frozen=True):
    """One process as ``status`` shows it."""

    name: str
    pid: int
    role: str
    health: str
    """``ok``, or what is wrong."""
    log: str


def up(directory: Path, say: Say) -> str:
    """Bring a system up, or bring back what has died of it; gives what to try."""
    directory.mkdir(parents=True, exist_ok=True)
    with locked(directory / "lock", say):
        if env_file(directory).exists():
            heal(directory, say)
        else:
            # What an interrupted start left behind.
            Roster.load(directory).stop()
            raise_new(directory, Shape(manifests=EVERYTHING), say)
    return WHAT_TO_TRY.format(
        shape=Shape(), logs=shown(directory / "logs"), env=shown(env_file(directory))
    )


def raise_new(directory: Path, shape: Shape, say: Say) -> None:
    """Start from nothing; whatever stops this half-way, Ctrl-C too, leaves nothing running."""
    plane = ControlPlane.start(directory, Options(detached=True, say=say))
    try:
        System.install_shape(plane, shape, say)
        write_env(plane)
    except BaseException:
        plane.stop()
        raise


def heal(directory: Path, say: Say) -> None:
    """Start again what does not run, with the flags and ports it had, and wait for a leader."""
    roster = Roster.load(directory)
    dead = sorted((p for p in roster.processes if not p.alive), key=lambda p: p.spec.rank)
    if not dead:
        say("already up, and nothing of it has died")
    for process in dead:
        say(f"{process.name} has died: starting it again")
        process.start()
        if process.spec.rank < Rank.FORWARDER:
            process.wait_ready()
    for process in roster.processes:
        process.wait_ready()
    if system := attached(directory):
        heal_system(system, say)


def heal_system(system: System, say: Say) -> None:
    """Lead the webhooks back to where something answers, and wait until all of it works."""
    if why := system.unasked():
        say(f"{why}: applying manifests/everything as it has to be here")
        system.apply()
    system.wait_ready()


def down(directory: Path, say: Say) -> None:
    """Stop what ``up`` started, also after a crash, and nothing else; logs stay."""
    if not (directory / "state.json").exists():
        say("nothing is running")
        return
    with locked(directory / "lock", say), timed(say, "everything is stopped"):
        env_file(directory).unlink(missing_ok=True)
        Roster.load(directory).stop()
        clear(directory, keep=("logs", "audit.log"))


def status(directory: Path) -> list[Row]:
    """Look at every process now; empty if nothing was brought up."""
    system = attached(directory)
    leading = system.leading() if system else None
    unasked = system.unasked() if system else ""
    rows = [
        row(process, leading.name if leading else "")
        for process in Roster.load(directory).processes
    ]
    return [without_questions(row, unasked) for row in rows] if unasked else rows


def attached(directory: Path) -> System | None:
    """Find the system that was brought up here, None if there is none."""
    try:
        return System.attach(ControlPlane.attach(directory), EVERYTHING)
    except (FileNotFoundError, ValueError):
        return None


def without_questions(row: Row, why: str) -> Row:
    """Say on the forwarder's row why nobody asks it."""
    if row.name != FORWARDER:
        return row
    return msgspec.structs.replace(row, health=f"{why}; `make up` heals that")


def row(process: Process, leader: str) -> Row:
    """Ask one process how it is."""
    health = process.complaint() or "ok"
    return Row(process.name, process.pid, role(process.name, leader), health, str(process.log))


def role(name: str, leader: str) -> str:
    """Say what this process is there for."""
    if name.startswith(OPERATOR):
        return "leads" if name == leader else "stands by"
    if name.startswith(ADMISSION):
        return "serves"
    return "forwards" if name == FORWARDER else "control plane"


def table(rows: list[Row]) -> Iterator[str]:
    """Write rows as aligned lines under a heading."""
    yield f"{'NAME':<26}{'PID':>8}  {'ROLE':<15}HEALTH"
    for line in rows:
        yield f"{line.name:<26}{line.pid:>8}  {line.role:<15}{line.health}"


def advice(rows: list[Row]) -> Iterator[str]:
    """Say of each that is not well where to look, and at last what heals them."""
    unwell = [row for row in rows if row.health != "ok"]
    for each in unwell:
        yield f"{each.name} is not well ({each.health}); its log: {shown(Path(each.log))}"
    if unwell:
        yield "`make up` starts again who died, and waits until all are well"


def env_file(directory: Path) -> Path:
    """Tell where the shell's settings are; the file exists once everything is ready."""
    return directory / "env.sh"


def write_env(plane: ControlPlane) -> None:
    """Write what a shell sources: KUBECONFIG, and kubectl, helm and dayfly on PATH."""
    directory = plane.layout.directory
    kubeconfig, programs = (shlex.quote(str(directory / name)) for name in ("kubeconfig", "bin"))
    env_file(directory).write_text(
        f'export KUBECONFIG={kubeconfig}\nexport PATH={programs}:"$PATH"\n'
    )


def shown(path: Path) -> str:
    """Write a path as short as it can be from here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)

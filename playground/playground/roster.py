"""All processes of one playground, and the file by which another run finds and stops them."""

import signal
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import msgspec

from playground.identity import Identity
from playground.process import Process, Rank, Spec, eventually

LIMITS = {Rank.PROGRAMS: 15.0, Rank.SERVER: 10.0}
"""Seconds until SIGKILL: admission serves on for its lame-duck time, kube-apiserver drains."""


class Record(msgspec.Struct, frozen=True):
    """What is known of one process after the program that started it has gone."""

    spec: Spec
    log: str
    pid: int
    started: str


@dataclass(slots=True)
class Roster:
    """The processes in the order in which they were started."""

    directory: Path
    tied: bool
    processes: list[Process] = field(default_factory=list[Process])

    @classmethod
    def load(cls, directory: Path) -> "Roster":
        """Read what another run has left; an absent or torn file is an empty roster."""
        roster = cls(directory, tied=False)
        try:
            records = msgspec.json.decode(roster.file.read_bytes(), type=list[Record])
        except (FileNotFoundError, msgspec.DecodeError):
            return roster
        for record in records:
            process = roster.add(record.spec)
            process.identity = Identity(record.pid, record.started)
        return roster

    @property
    def file(self) -> Path:
        """Where the roster is written down."""
        return self.directory / "state.json"

    def add(self, spec: Spec) -> Process:
        """Enter a process without starting it; its log is ``logs/NAME.log``."""
        logs = self.directory / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        process = Process(spec, logs / f"{spec.name}.log", self.tied, self.save)
        self.processes.append(process)
        return process

    def launch(self, *specs: Spec) -> list[Process]:
        """Enter and start processes, in this order, without waiting for them."""
        added = [self.add(spec) for spec in specs]
        for process in added:
            process.start()
        return added

    def named(self, prefix: str) -> list[Process]:
        """Those whose name begins so."""
        return [p for p in self.processes if p.name.startswith(prefix)]

    def save(self) -> None:
        """Write the roster down, whole or not at all."""
        records = [
            Record(p.spec, str(p.log), p.identity.pid, p.identity.started)
            for p in self.processes
            if p.identity
        ]
        unfinished = self.file.with_suffix(".new")
        unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(records)))
        unfinished.replace(self.file)

    def stop(self, lowest: Rank = Rank.STORE) -> None:
        """End everything down to this rank, a rank at a time, and forget it."""
        leaving = sorted(
            (p for p in self.processes if p.spec.rank >= lowest), key=lambda p: -p.spec.rank
        )
        for rank, group in groupby(leaving, key=lambda p: p.spec.rank):
            end(list(group), LIMITS.get(rank, 5.0))
        self.processes = [p for p in self.processes if p.spec.rank < lowest]
        self.save()


def end(group: list[Process], limit: float) -> None:
    """SIGTERM to all of them at once, and SIGKILL to who is left after ``limit`` seconds."""
    for process in group:
        process.kill(signal.SIGTERM)
        # A stopped process would not hear it.
        process.kill(signal.SIGCONT)
    eventually(lambda: not any(p.alive for p in group), limit)
    for process in group:
        process.kill(signal.SIGKILL)

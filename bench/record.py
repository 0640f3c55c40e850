"""The figures of one machine, group by group, in a JSON file that can be added to."""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bench.table import Figure


@dataclass(frozen=True, slots=True)
class Measured:
    """A group's figures, when they were taken, and how busy the machine was before."""

    at: str
    figures: list[Figure]
    load: float | None = None
    """Load average of the minute before: above 0.5 or so somebody else was at work."""


@dataclass(slots=True)
class Record:
    """Everything measured so far on this machine."""

    machine: str
    groups: dict[str, Measured] = field(default_factory=dict[str, Measured])

    @classmethod
    def read(cls, path: Path | None, machine: str) -> "Record":
        """Read the file if it is there; one of another machine counts as empty."""
        if path is None or not path.exists():
            return cls(machine)
        record = msgspec.json.decode(path.read_bytes(), type=cls)
        return record if record.machine == machine else cls(machine)

    def write(self, path: Path) -> None:
        """Write it, readable by people too."""
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self)) + b"\n")

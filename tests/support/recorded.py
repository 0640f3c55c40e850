"""AdmissionReviews as a real API server sent them, byte by byte: tests/recorded."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "recorded"


def recorded() -> dict[str, bytes]:
    """Return the bodies by name: what was done to what, ``-stamp`` for the mutating call."""
    return {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.json"))}

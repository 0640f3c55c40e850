"""The API server without Dayfly's admission, as an administrator may have it for a while."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import msgspec

from dayfly_core import names
from playground import ControlPlane, System
from playground.process import eventually
from support.replicas import away


@contextmanager
def unguarded(system: System, webhook: str = names.ENVIRONMENTS_WEBHOOK) -> Generator[None]:
    """No replica of admission runs, and an administrator lets environments pass all the same."""
    amend(system, {"op": "replace", "path": "/failurePolicy", "value": "Ignore"}, webhook)
    try:
        with away(*system.admissions):
            yield
    finally:
        amend(system, {"op": "replace", "path": "/failurePolicy", "value": "Fail"}, webhook)


def amend(
    system: System, operation: dict[str, str], webhook: str = names.ENVIRONMENTS_WEBHOOK
) -> None:
    """Change the entry for environments, or another one, as an administrator may."""
    kind, name = "validatingwebhookconfiguration", names.VALIDATING_CONFIGURATION
    entries = system.plane.read(kind, name)["webhooks"]
    index = [found["name"] for found in entries].index(webhook)
    patch = [{**operation, "path": f"/webhooks/{index}{operation['path']}"}]
    text = msgspec.json.encode(patch).decode()
    system.plane.kubectl("patch", kind, name, "--type=json", "-p", text)


def a_second_after(plane: ControlPlane, *target: str, limit: float = 10.0) -> None:
    """Return when what is created now is younger: creationTimestamp counts seconds."""
    created = datetime.fromisoformat(plane.read(*target)["metadata"]["creationTimestamp"])
    assert eventually(lambda: datetime.now(UTC) - created > timedelta(seconds=1.1), limit)  # noqa: TID251  a control plane's clock is the real one

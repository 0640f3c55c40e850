"""What every act of the story plays with."""

from dataclasses import dataclass, field
from datetime import datetime

from playground.plane import ControlPlane
from playground.system import System
from playground.teller import BrokenPromiseError, Teller


@dataclass(slots=True)
class Stage:
    """A control plane with Dayfly on it, and who tells of it."""

    plane: ControlPlane
    system: System
    teller: Teller
    ends: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """The last end seen on each object, by audit target."""

    def end_of(self, kind: str, name: str, namespace: str = "") -> datetime:
        """Read an object's end from the API server, and remember it for the last act."""
        scope = ["-n", namespace] if namespace else []
        found = self.plane.read(kind, name, *scope)
        text = found["metadata"].get("annotations", {}).get("dayfly.dev/expires-at", "")
        if not text:
            raise BrokenPromiseError(f"{kind}/{name} carries no dayfly.dev/expires-at")
        end = datetime.fromisoformat(text)
        self.ends["/".join(part for part in (kind, namespace, name) if part)] = end
        return end

    def exists(self, kind: str, name: str, namespace: str = "") -> bool:
        """Whether an object is there."""
        scope = ["-n", namespace] if namespace else []
        return self.plane.try_kubectl("get", kind, name, *scope).ok

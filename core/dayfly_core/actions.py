"""What the operator may do to an object, as values: decided here, carried out by the operator."""

from dataclasses import dataclass
from datetime import datetime

from dayfly_core.objects import NAMESPACES, Key
from dayfly_core.stamps import Stamps


@dataclass(frozen=True, slots=True)
class Delete:
    """End an object, if it is still the one that was judged: same uid, same version."""

    key: Key
    uid: str
    resource_version: str
    expires_at: datetime
    policy: str

    @property
    def unit(self) -> bool:
        """Whether other objects end with it: then none of them may be protected."""
        return (self.key.resource.group, self.key.resource.plural) == (
            NAMESPACES.group,
            NAMESPACES.plural,
        )


@dataclass(frozen=True, slots=True)
class Stamp:
    """Write stamps on an object, if it is still the one that was judged."""

    key: Key
    uid: str
    resource_version: str
    stamps: Stamps
    reason: str
    policy: str


Action = Delete | Stamp

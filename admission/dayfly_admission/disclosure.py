"""Whether a user may hear who has a name: only if the user may look at that object anyway."""

from typing import Final

import msgspec

from dayfly_admission.permission import Permissions
from dayfly_admission.review import User
from dayfly_core.api import Holder
from dayfly_core.entitlement import Right
from dayfly_core.objects import Resource

SECONDS: Final = 1.0
"""At most: the refusal itself does not depend on it."""


class Disclosure(msgspec.Struct, frozen=True):
    """No answer is a no."""

    permissions: Permissions

    async def may_see(self, user: User, holder: Holder, seconds: float) -> bool:
        """Whether the user may ``get`` the holder."""
        inside = bool(holder.namespace)
        kind = Resource(holder.group, holder.version, holder.resource, holder.kind, inside)
        right = Right("get", kind, holder.namespace, holder.name)
        return await self.permissions.allowed(user, right, min(seconds, SECONDS)) is True

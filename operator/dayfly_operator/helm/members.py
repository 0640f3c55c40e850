"""Which stamped objects say that they are of which Helm release."""

from dayfly_core.helm.marks import ReleaseRef, release_of
from dayfly_core.objects import Key
from dayfly_operator.stamped import Stamped


class ReleaseMembers:
    """Follows the watches, so that nobody has to go through all objects to find a release's."""

    def __init__(self) -> None:
        self._of: dict[Key, ReleaseRef] = {}
        self._in: dict[ReleaseRef, set[Key]] = {}

    def stamped(self, key: Key, found: Stamped | None) -> None:
        """Hear from a watch of one stamped object."""
        ref = release_of(found.meta) if found else None
        before = self._of.get(key)
        if ref == before:
            return
        if before:
            self._leave(key, before)
        if ref:
            self._of[key] = ref
            self._in.setdefault(ref, set()).add(key)

    def of(self, ref: ReleaseRef) -> tuple[Key, ...]:
        """Return them, in no particular order."""
        return tuple(self._in.get(ref, ()))

    def _leave(self, key: Key, ref: ReleaseRef) -> None:
        del self._of[key]
        self._in[ref].discard(key)
        if not self._in[ref]:
            del self._in[ref]

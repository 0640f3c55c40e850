"""Which surprising acts come, by policy: kept by every replica, from its watches."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final, Protocol

import msgspec

from dayfly_core import breaker
from dayfly_core.objects import Key
from dayfly_core.policies import Policy
from dayfly_core.surprises import surprises
from dayfly_operator.stamped import Stamped

SLICE: Final = 500
"""Objects looked at in one go: some milliseconds in which no due end is served."""


class Surroundings(Protocol):
    """What is known of objects and their policies."""

    def policy(self, name: str) -> Policy | None:
        """Return a policy by name, if it does anything at present."""
        ...

    def acts(self, key: Key, found: Stamped) -> bool:
        """Whether its policy will do anything to an object: it is not protected, for example."""
        ...

    def everything(self) -> Iterable[tuple[Key, Stamped]]:
        """Return every stamped object."""
        ...

    def incomplete(self) -> str | None:
        """Say what of all this is not known yet."""
        ...


class Surprise(msgspec.Struct, frozen=True):
    """What is to be done to one object, and its author may not know."""

    uid: str
    first: datetime
    """The first of them."""
    dues: tuple[datetime, ...]


class Surprises:
    """Counts what comes."""

    def __init__(self, surroundings: Surroundings, now: Callable[[], datetime]) -> None:
        self._surroundings = surroundings
        self._now = now
        self._coming: dict[str, dict[Key, Surprise]] = {}
        self._policy_of: dict[Key, str] = {}
        self._counted: tuple[datetime, Counter[str]] | None = None
        self._edition = 0
        self._followed = 0

    # What the watches tell.

    def seen(self, key: Key, found: Stamped | None) -> None:
        """Hear of a stamped object that came, changed or went."""
        before = self._policy_of.pop(key, None)
        if before is not None:
            del self._coming[before][key]
        policy = self._surroundings.policy(found.policy) if found else None
        if policy is None or found is None or found.end is None:
            return
        dues = surprises(policy, found.meta, found.end)
        if dues and self._surroundings.acts(key, found):
            self._policy_of[key] = policy.name
            self._coming.setdefault(policy.name, {})[key] = Surprise(
                found.meta.uid, min(dues), dues
            )

    def policies_changed(self) -> None:
        """Hear that policies mean something else: what is surprising has to be found anew."""
        self._edition += 1

    async def follow(self) -> None:
        """Find what is surprising under the policies, and in the namespaces, as they are now."""
        edition = self._edition
        for count, (key, found) in enumerate(self._surroundings.everything()):
            self.seen(key, found)
            if count % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        self._followed = edition

    # What breakers ask.

    def unknown(self) -> str | None:
        """Say what is not known yet, so that counts may be too low."""
        if self._followed != self._edition:
            return "the policies have changed just now"
        return self._surroundings.incomplete()

    def near(self, policy: str, reset_at: datetime | None) -> Iterator[tuple[datetime, Key, str]]:
        """Yield when what (key and uid) is to end that counts."""
        now = self._now()
        horizon = now + breaker.WINDOW
        for key, found in self._coming.get(policy, {}).items():
            # Most are far away: of 10,000 that is seen in a millisecond or two.
            if found.first <= horizon and breaker.counts(found.dues, reset_at, now):
                yield found.first, key, found.uid

    def due(self, policy: str, key: Key) -> datetime:
        """Return when the last of what is due now came due, as it is known here.

        A step that was added later is due when it has waited for that, not when it would have
        been due before anybody had written it.
        """
        now = self._now()
        found = self._coming.get(policy, {}).get(key)
        return max((due for due in found.dues if due <= now), default=now) if found else now

    def any(self, policy: str) -> bool:
        """Whether anything surprising will happen under a policy."""
        return bool(self._coming.get(policy))

    def objects(self, policy: str) -> int:
        """Count what a policy holds."""
        now = self._now()
        if self._counted is None or now - self._counted[0] >= breaker.COUNTED:
            everything = self._surroundings.everything()
            self._counted = (now, Counter(found.policy for _, found in everything))
        return self._counted[1][policy]

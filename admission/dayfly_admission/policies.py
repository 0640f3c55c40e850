"""The policies in force, as a watch keeps them."""

import logging
from collections.abc import Callable, Mapping

from dayfly_core.api import StoredPolicy
from dayfly_core.policies import InvalidPolicy, Policies, Policy, read_policy

log = logging.getLogger(__name__)


def keep(stored: StoredPolicy) -> Policy | None:
    """Read a watched policy; one that this version refuses counts for nothing, and is logged.

    It can only be one that was stored while its webhook was away, or under another schema.
    """
    try:
        return read_policy(stored)
    except InvalidPolicy as error:
        log.warning("policy is ignored name=%s error=%s", stored.metadata.name, error)
        return None


class CurrentPolicies:
    """Policies put in order once per change, not once per request."""

    def __init__(self, kept: Callable[[], Mapping[tuple[str, str], Policy]]) -> None:
        """``kept``: what the watch knows now."""
        self._kept = kept
        self._ordered: Policies | None = None

    def changed(self, _name: tuple[str, str], _policy: Policy | None) -> None:
        """Hear of a change; the next request puts them in order."""
        self._ordered = None

    def __call__(self) -> Policies:
        """Return the policies as of the last change."""
        if self._ordered is None:
            self._ordered = Policies(self._kept().values())
        return self._ordered

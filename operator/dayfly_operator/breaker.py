"""The breakers: one for each policy, which holds back its surprising ends when they are many."""

from dayfly_core.actions import Action


class Breakers:
    """Knows the surprising ends that come, lets few of them pass, and holds back many."""

    def holds_back(self, action: Action) -> str | None:
        """Say in a sentence why a surprising act does not happen now; None if it may."""
        return None

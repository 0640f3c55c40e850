"""Who stands for the breakers and for Helm where a test has neither."""

from dayfly_core.actions import Action, Delete
from dayfly_operator.crew import ReleaseOutcome


class NoBrakes:
    """Holds nothing back."""

    def holds_back(self, action: Action) -> str | None:
        return None


class NoReleases:
    """Ends no releases."""

    async def end(self, action: Delete) -> ReleaseOutcome:
        return ReleaseOutcome(blocked="no Helm releases are ended here")

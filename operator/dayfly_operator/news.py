"""What the parts of a replica tell each other without knowing each other."""

from typing import Protocol

from dayfly_operator.namespaces import Stuck
from dayfly_operator.policies import Knowledge


class News(Protocol):
    """Who hears that something has changed, in the event loop."""

    def policies_changed(self, before: Knowledge, known: Knowledge) -> None:
        """Hear of a list of the policies, whether or not anything differs."""
        ...

    def policies_ageing(self) -> None:
        """Hear that the policies are in use, and should be read again."""
        ...

    def guard_changed(self) -> None:
        """Hear that other namespaces are guarded now."""
        ...

    def namespace_relabelled(self) -> None:
        """Hear that other policies may fit what is in a namespace."""
        ...

    def stamped_changed(self) -> None:
        """Hear that a stamped object came, changed or went."""
        ...

    def webhooks_changed(self) -> None:
        """Hear that a webhook configuration, or whom to trust, has changed."""
        ...

    def certificate_changed(self) -> None:
        """Hear that one of the two Secrets came, changed or went."""
        ...

    def stuck_changed(self, found: Stuck | None) -> None:
        """Hear of a namespace that does not go, or with None of one that went after all."""
        ...

    def conflicts_changed(self) -> None:
        """Hear that there may be other conflicts about names than before."""
        ...

    def releases_begun(self) -> None:
        """Hear that the end of a Helm release has begun: it may have to be gone on with."""
        ...

    def breaker_changed(self) -> None:
        """Hear that the breaker of a policy has opened or closed."""
        ...

    def history_noted(self) -> None:
        """Hear that there is something to be written into the history."""
        ...

    def ready(self) -> str | None:
        """Say what is not known yet."""
        ...

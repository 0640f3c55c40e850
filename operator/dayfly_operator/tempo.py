"""How often a replica does what it does again and again, in seconds."""

from typing import Final

SETTLED_AGAIN: Final = 0.2
"""Seconds between looks whether everything has been loaded."""

REPAIR_EVERY: Final = 600.0
"""Seconds between full lists of the policies, and between looks at the certificate."""

KINDS_EVERY: Final = 60.0
"""Seconds between checks, without a request, that each kind's watch is alive."""

NOT_INSTALLED_AGAIN: Final = 5.0
"""Seconds until a cluster without our kinds is asked for them again."""

STATUS_GAP: Final = 5.0
"""Least seconds between two writes of a policy's status."""

COUNT_GAP: Final = 1.0
"""Least seconds between two counts of all stamped objects: 30 ms for 10,000 of them."""

COUNT_REST: Final = 20
"""A count costs at most the twenty-first part of the time, however many objects there are."""

RULES_PATIENCE: Final = 3.0
"""Seconds in which the webhooks' rules should follow a policy; its status waits for them."""

RELABELLED_GAP: Final = 1.0
"""Least seconds between two looks at everything because of namespaces' labels."""

RELIST_GAP: Final = 5.0
"""Least seconds between two lists of everything that has no stamp."""

BREAKERS_EVERY: Final = 5.0
"""Seconds between looks at the breakers while something surprising is to come: they look a minute
ahead, so that they open long before anything has ended."""

HISTORY_GAP: Final = 0.1
"""Least seconds between two writes of the history; as much of it a kill may cost."""

HISTORY_LONGEST_GAP: Final = 1.0
"""The same where a write takes long: the history has a tenth of the time of one connection."""

CONFLICTS_GAP: Final = 1.0
"""Least seconds between two looks for objects that want one name."""


FAREWELL: Final = 0.3
"""Seconds that Events may hold up the end of the process."""

"""Ephemerators: what they say, what is to be done for one of them, and what came of it."""

from dayfly_core.ephemerator.aim import (
    InvalidTarget,
    Settings,
    aimed_at,
    enabled,
    ignored,
    read,
    read_status,
    target,
)
from dayfly_core.ephemerator.deciding import plan, settle
from dayfly_core.ephemerator.intent import judge
from dayfly_core.lifetime import InvalidLifetime, Months, deadline

__all__ = [
    "InvalidLifetime",
    "InvalidTarget",
    "Months",
    "Settings",
    "aimed_at",
    "deadline",
    "enabled",
    "ignored",
    "judge",
    "plan",
    "read",
    "read_status",
    "settle",
    "target",
]

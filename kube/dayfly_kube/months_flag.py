"""The flag that admission and operator have in common: how long months are."""

from dayfly_core.lifetime import Months
from dayfly_kube.flags import Flags


def add_months(flags: Flags) -> None:
    """Add ``--ephemerator-months``."""
    flags.add_argument(
        "--ephemerator-months",
        choices=tuple(map(str, Months)),
        default=str(Months.CALENDAR),
        help="how long the months and years of an Ephemerator are: as in the calendar, or 28 and "
        "364 days as Ephemerate counted. Admission and operator need the same (default: "
        "%(default)s)",
    )

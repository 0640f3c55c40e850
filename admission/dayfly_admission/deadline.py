"""How long the caller waits: what is answered later, nobody reads."""

import re
from functools import lru_cache
from typing import Final

MARGIN: Final = 0.3
"""Seconds for the way back, and for the API server's own work on the answer."""

LONGEST: Final = 10.0
"""What the API server waits when a webhook does not say (``timeoutSeconds``)."""

_TIMEOUT: Final = re.compile(
    rb"(?:^|&)timeout=(?:([0-9]{1,3})m)?(?:([0-9]{1,5}(?:\.[0-9]{1,9})?)s)?(?:&|$)"
)


# The API server rounds up to whole seconds, so there are at most thirty of them; anybody else may
# call with anything, hence the bound.
@lru_cache(maxsize=64)
def seconds(query: bytes) -> float:
    """Seconds to answer in, from the query ``timeout=5s`` that the API server adds."""
    found = _TIMEOUT.search(query)
    if not found or not any(found.groups()):
        return LONGEST - MARGIN
    asked = 60 * int(found[1] or 0) + float(found[2] or 0)
    return max(min(asked, LONGEST) - MARGIN, 0.0)

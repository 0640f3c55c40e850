"""What the API server says beside its answer."""

import re


def warning_text(header: str) -> str:
    r"""Return what a ``Warning`` header says: ``299 - "it ends \"soon\""`` (RFC 7234, 5.5)."""
    quoted = header.partition('"')[2].rpartition('"')[0]
    return re.sub(r"\\(.)", r"\1", quoted) or header

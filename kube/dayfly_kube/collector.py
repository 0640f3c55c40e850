"""When Python looks for garbage: not while it imports, hardly while it loads, then as usual.

Importing and loading make many objects that stay, and looking through them again and again costs a
fifth of the start's CPU time. A server's garbage is different: cycles of one request each, best
found soon, for what is used again soon is still in the processor's cache.
"""

import gc
from typing import Final

YOUNG: Final = 50_000
"""Objects made between two collections at start; Python's own number is 700."""


def importing() -> None:
    """Do not collect until all is imported."""
    gc.disable()


def loading() -> None:
    """Leave what was imported out of every later collection, and collect rarely."""
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 100)
    gc.enable()


def settled() -> None:
    """Leave what was loaded out of every later collection too, and collect as usual."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(700, 10, 10)

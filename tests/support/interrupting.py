"""Something that happens in the middle."""

from collections.abc import Callable


class Interrupting:
    """A pace at whose n-th turn something happens."""

    def __init__(self, at: int, happen: Callable[[], None]) -> None:
        self._left = at
        self._happen = happen

    async def turn(self) -> float:
        """Return at once."""
        self._left -= 1
        if self._left == 0:
            self._happen()
        return 0.0

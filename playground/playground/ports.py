"""Free ports on 127.0.0.1."""

import random
import socket
from contextlib import ExitStack

# Below what Linux (from 32768) and macOS (from 49152) hand to outgoing connections: a killed
# replica starts again on its old port, which no client's socket may have taken meanwhile.
RANGE = range(20000, 32000)


def free(count: int) -> list[int]:
    """Choose so many different ports that are free now; somebody else may still be quicker."""
    with ExitStack() as held:
        ports: list[int] = []
        for port in random.sample(RANGE, len(RANGE)):
            if len(ports) == count:
                break
            if _hold(port, held):
                ports.append(port)
        return ports


def _hold(port: int, held: ExitStack) -> bool:
    listener = held.enter_context(socket.socket())
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True

"""A real control plane on this machine, and Dayfly on it.

What starts, stops and watches processes for tests, benchmarks and people lives here; nothing of
the product does. Everything listens on 127.0.0.1 only.
"""

from playground.plane import ControlPlane
from playground.system import System

__all__ = ["ControlPlane", "System"]

"""Processes of the playground as tests break them, and what they say of themselves."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from playground.process import Process


@contextmanager
def away(*processes: Process) -> Generator[None]:
    """Stop them meanwhile."""
    for process in processes:
        process.kill(signal.SIGTERM)
    try:
        for process in processes:
            process.stop()
        yield
    finally:
        back(*processes)


@contextmanager
def frozen(process: Process) -> Generator[None]:
    """Have the kernel give it no time meanwhile; its connections stay open."""
    process.kill(signal.SIGSTOP)
    try:
        yield
    finally:
        process.kill(signal.SIGCONT)


def back(*processes: Process) -> None:
    """Start those that do not run, and wait until they are ready."""
    for process in processes:
        process.start()
    for process in processes:
        process.wait_ready(60)


def metric(process: Process, name: str) -> float:
    """Read a gauge or counter without labels off a replica's /metrics; raises LookupError."""
    with urlopen(process.spec.health.replace("/readyz", "/metrics"), timeout=10) as answer:
        text = answer.read().decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name:
                return sample.value
    raise LookupError(name)


def said(process: Process, since: int = 0) -> str:
    """Read a replica's log from a position on."""
    with process.log.open(errors="replace") as log:
        log.seek(since)
        return log.read()


def spoken(process: Process) -> int:
    """Tell how long its log is now: read on from here with ``said``."""
    return process.log.stat().st_size

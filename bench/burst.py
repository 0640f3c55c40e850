"""300 reviews at one moment from a client that keeps 25 connections, as an API server does.

The other 275 arrive on connections of their own: what is measured is mostly TLS handshakes, and
whether the reviews behind them are answered in turn.
"""

import asyncio
import time
from statistics import median

import aiohttp

from bench.slices import Target
from bench.table import Figure, at_most

REVIEWS = 300
KEPT = 25


def figure(ours: Target, bare: Target, body: bytes, *, pairs: int) -> Figure:
    """Compare the two in turns: the time until the last answer."""
    found = [
        (asyncio.run(seconds(ours.url, body)), asyncio.run(seconds(bare.url, body)))
        for _ in range(pairs)
    ]
    ratio = median(mine / floor for mine, floor in found)
    own, other = (median(side) * 1e3 for side in zip(*found, strict=True))
    target, met = at_most(ratio, 1.5, "x")
    return Figure(
        "W14",
        f"last answer of {REVIEWS} reviews at once, {KEPT} connections kept",
        "bare uvicorn answer",
        f"{ratio:.2f}x ({own:.0f} : {other:.0f} ms)",
        target,
        met,
    )


async def seconds(url: str, body: bytes) -> float:
    """Time from the first question to the last answer; raises what one of them did."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await _ask(session, url, body, KEPT)
        began = time.perf_counter()
        await _ask(session, url, body, REVIEWS)
        return time.perf_counter() - began


async def _ask(session: aiohttp.ClientSession, url: str, body: bytes, count: int) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(_post(session, url, body))


async def _post(session: aiohttp.ClientSession, url: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with session.post(url, data=body, headers=headers, ssl=False) as response:
        response.raise_for_status()
        await response.read()

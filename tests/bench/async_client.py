"""Measures the asynchronous clients beside the blocking ones: ``python tests/bench/async_client.py``.

Each ratio is the median of those of several rounds, within which the two take turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import httpx

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.rows import Row, add_json_option, report
from tests.bench.run import timed
from udist_plugin import AsyncPlugin
from udist_plugin.client.httpx_transport import AsyncUdistTransport, UdistTransport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Ask = Callable[[], object]
    AsyncAsk = Callable[[], Awaitable[object]]

ROUNDS = 15
TASKS = 64
ALONE = 300
"""Requests one after the other, in each round."""

EACH = 20
"""Requests of each of those at once, in each round."""

TARGET = "/v2/bench/blob/blobs/sha256:" + "0" * 64


def alone(ask: Ask) -> float:
    """The median of the seconds that a request takes."""
    return statistics.median(timed(ask) for _ in range(ALONE))


async def alone_async(ask: AsyncAsk) -> float:
    times = []
    for _ in range(ALONE):
        start = time.perf_counter()
        await ask()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def at_once(ask: Ask) -> float:
    """The seconds for each request of as many threads as the plugin has slots."""

    def several(_: int) -> None:
        for _ in range(EACH):
            ask()

    with ThreadPoolExecutor(TASKS) as pool:
        return timed(lambda: list(pool.map(several, range(TASKS)))) / (TASKS * EACH)


async def at_once_async(ask: AsyncAsk) -> float:
    async def several() -> None:
        for _ in range(EACH):
            await ask()

    start = time.perf_counter()
    async with anyio.create_task_group() as group:
        for _ in range(TASKS):
            group.start_soon(several)
    return (time.perf_counter() - start) / (TASKS * EACH)


async def compare(backend: str, what: str, ask: Ask, ask_async: AsyncAsk) -> list[Row]:
    rows = []
    for how, blocking, asynchronous in (
        ("one by one", alone, alone_async),
        (f"{TASKS} at once", at_once, at_once_async),
    ):
        pairs = [(blocking(ask), await asynchronous(ask_async)) for _ in range(ROUNDS + 1)][1:]
        ratio = statistics.median(mine / other for other, mine in pairs)
        other, mine = (statistics.median(column) * 1e6 for column in zip(*pairs, strict=True))
        bar = "≤ 2" if blocking is alone else "≤ 1"
        name = f"{what}, {how} ({backend})"
        rows.append(Row(name, f"{mine:.0f} µs a request", f"blocking {other:.0f} µs", ratio, bar))
    return rows


async def measure(backend: str) -> list[Row]:
    async with AsyncPlugin("version: 0.1\nstorage: {inmemory: {}}", {}) as plugin:

        def ask() -> None:
            with plugin.sync.request("GET", TARGET) as response:
                response.read()

        async def ask_async() -> None:
            async with await plugin.request("GET", TARGET) as response:
                await response.read()

        rows = await compare(backend, "Plugin", ask, ask_async)
        with httpx.Client(transport=UdistTransport(plugin.sync), base_url="http://udist") as client:
            transport = AsyncUdistTransport(plugin)
            async with httpx.AsyncClient(transport=transport, base_url="http://udist") as async_client:
                return rows + await compare(
                    backend, "httpx", lambda: client.get(TARGET), lambda: async_client.get(TARGET)
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_json_option(parser)
    arguments = parser.parse_args()
    rows = [row for backend in ("asyncio", "trio") for row in anyio.run(measure, backend, backend=backend)]
    report(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}", rows, arguments.json)


if __name__ == "__main__":
    main()

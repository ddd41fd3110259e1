"""The driver of the asynchronous Python client: each exchange is a task of one event loop.

python -m tests.clients.callers.asynchronous
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from tests.clients.callers.driver import Exchange, main
from udist_plugin import AsyncPlugin, TransportError
from udist_plugin.errors import Cancelled

if TYPE_CHECKING:
    from concurrent.futures import Future

    from udist_plugin import Plugin

LOOP = asyncio.new_event_loop()

FACES: dict[Plugin, AsyncPlugin] = {}
"""The plugins that run."""


class Sizes:
    """A queue that another thread puts into."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[int] = asyncio.Queue()

    def put(self, size: int) -> None:
        LOOP.call_soon_threadsafe(self._queue.put_nowait, size)

    async def get(self) -> int:
        return await self._queue.get()


class AsyncExchange(Exchange):
    """One exchange as a task."""

    _task: Future[None]

    def queue(self) -> Sizes:
        return Sizes()

    def begin(self, *arguments: Any) -> None:
        self._task = asyncio.run_coroutine_threadsafe(self._play(*arguments), LOOP)

    def cancel(self) -> None:
        if self._task.cancel():
            self.report_error(Cancelled("the task was cancelled"))

    async def _play(self, method: str, target: str, headers: Any, body: Any, timeout: float | None) -> None:
        assert self.driver.plugin
        plugin = await asyncio.to_thread(self.driver.plugin.plugin)
        if not plugin:
            return
        face = FACES.setdefault(plugin, AsyncPlugin.of(plugin))
        try:
            async with await face.request(method, target, headers, body, timeout=timeout) as response:
                self.report_head(response.status, response.headers)
                ended = False
                while not ended:
                    size = await self.reads.get()
                    content = await response.read(size)
                    ended = self.report_content(content, size, lambda: response.trailers)
        except TransportError as error:
            self.report_error(error)


def end(plugin: Plugin, grace: float) -> None:
    """Closes the plugin by its face, if it has had one."""
    face = FACES.pop(plugin, None) or AsyncPlugin.of(plugin)
    asyncio.run_coroutine_threadsafe(face.aclose(grace), LOOP).result()


if __name__ == "__main__":
    threading.Thread(target=LOOP.run_forever, daemon=True).start()
    main(AsyncExchange, end)

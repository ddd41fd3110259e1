"""``AsyncPlugin``: a ``Plugin`` for programs that run on asyncio or trio.

A bridge, and nothing of its own behind it: what may wait is done by ``Plugin`` in a worker thread, a request
with a small response in one go. A task that is cancelled leaves at once, and its thread is told to stop.
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from functools import partial
from typing import TYPE_CHECKING

from udist_plugin.client.async_response import AsyncResponse
from udist_plugin.client.attendant import Attendant
from udist_plugin.client.bridge import Bridge, run_abandoned, run_shielded
from udist_plugin.client.call import Call
from udist_plugin.client.plugin import GRACE, Plugin
from udist_plugin.client.slots import LATE
from udist_plugin.errors import NoFreeSlot
from udist_plugin.link.output import SMALL
from udist_plugin.wire.frames import Response as Head

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from udist_plugin.client.async_response import Run
    from udist_plugin.client.readers import Body
    from udist_plugin.link.exchange import Exchange


class AsyncPlugin:
    """Spawns a plugin and speaks HTTP to it, from any number of tasks of one event loop at a time.

    It takes what ``Plugin`` takes, and is started by ``async with``, or by ``start``::

        async with AsyncPlugin() as plugin, await plugin.request("GET", "/v2/") as response:
            print(response.status, await response.read())
    """

    def __init__(
        self,
        config: str | os.PathLike[str] | Mapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
        command: str | Sequence[str] | None = None,
        *,
        log: Callable[[str], None] | None = None,
        timeout: float = 30.0,
        redirects: bool = False,
        files: bool | None = None,
        config_name: str = "",
        trace: str | os.PathLike[str] | None = None,
    ) -> None:
        self._spawn = partial(
            Plugin,
            config,
            environ,
            command,
            log=log,
            timeout=timeout,
            redirects=redirects,
            files=files,
            config_name=config_name,
            trace=trace,
        )
        self._plugin: Plugin | None = None
        self._bridge: Bridge | None = None
        self._attendant: Attendant | None = None

    @classmethod
    def of(cls, plugin: Plugin) -> Self:
        """The asynchronous face of a plugin that is running. Closing either closes both."""
        face = cls()
        face._plugin = plugin
        return face

    @property
    def sync(self) -> Plugin:
        """The plugin itself, for its ``warnings``, ``pid`` and ``status``, and for other threads."""
        if self._plugin is None:
            raise RuntimeError("this AsyncPlugin has not been started: use it as a context manager")
        return self._plugin

    async def start(self) -> Self:
        """Spawns the plugin, unless it runs. Raises as ``Plugin`` does. If it is cancelled, a plugin that
        starts nevertheless is closed."""
        if self._plugin is None:
            given_up = False

            def spawn() -> None:
                self._plugin = self._spawn()
                if given_up:
                    self._plugin.close()

            try:
                await run_abandoned(spawn)
            except BaseException:
                given_up = True
                await self.aclose()
                raise
        return self

    async def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: Body | AsyncIterable[bytes] = None,
        *,
        timeout: float | None = None,
        patience: float | None = None,
        slot_timeout: float | None = None,
        scheme: str = "http",
        authority: str = "localhost",
        follow: bool = True,
    ) -> AsyncResponse:
        """As ``Plugin.request``. A ``body`` may also be an asynchronous iterable of bytes: it is iterated in
        this task, to its end or until the plugin wants no more, before the response is waited for."""
        plugin = self.sync
        bridge, attendant = self._bridged(plugin)
        pieces = body if isinstance(body, AsyncIterable) else None
        call = Call(
            plugin.link,
            plugin,
            method,
            target,
            headers,
            None if isinstance(body, AsyncIterable) else body,
            timeout=timeout,
            patience=patience,
            slot_timeout=slot_timeout,
            scheme=scheme,
            authority=authority,
            follow=follow and plugin.redirects,
            pieces=pieces is not None,
        )
        answered: list[AsyncResponse] = []

        def answer() -> None:
            response = AsyncResponse(call.response(), bridge.run)
            answered.append(response)
            if call.cancelled:  # its task may have looked for a response before
                response.drop()
            else:
                response.read_small(method)

        if not await bridge.take_turn(call.slot_until):
            raise NoFreeSlot(LATE)
        try:
            if pieces is not None:
                await _send(call, pieces, bridge.run)
            if await _answered(call, attendant):
                answer()
            else:
                await bridge.run(answer)
        except BaseException:
            call.cancel()
            for response in answered:
                response.drop()
            raise
        finally:
            bridge.give_turn()
        return answered.pop()

    async def aclose(self, timeout: float = GRACE) -> None:
        """As ``Plugin.close``, cancelled or not."""
        if self._plugin is not None:
            await run_shielded(partial(self._plugin.close, timeout))
        self._close_bridge()

    def _close_bridge(self) -> None:
        if self._bridge and self._attendant:
            self._bridge.close()
            self._attendant.close()
            self._bridge = self._attendant = None

    def _bridged(self, plugin: Plugin) -> tuple[Bridge, Attendant]:
        if self._bridge and not self._bridge.here:
            self._close_bridge()
        if self._bridge is None or self._attendant is None:
            self._bridge = Bridge(plugin.link.connection.slots)
            self._attendant = Attendant(plugin.link, self._bridge)
        return self._bridge, self._attendant

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<AsyncPlugin {self._plugin or 'not started'}>"


async def _answered(call: Call, attendant: Attendant) -> bool:
    """Sends a request that needs no thread of its own, and waits for all of a small response, or for the head
    of another. ``False`` if it does need one."""

    def ready() -> bool:
        assert exchange
        length = exchange.stream.expected
        large = _in_file(exchange) or length is None or length > SMALL
        return exchange.arrived or (exchange.head is not None and large)

    if not call.bare:
        return False
    attendant.begin()
    try:
        exchange = call.open_now()
        if exchange is None:
            return False
        await attendant.wait(exchange, ready)
    finally:
        attendant.end()
    return not _in_file(exchange)


def _in_file(exchange: Exchange) -> bool:
    """Whether the response's content is in a file, which is opened in a thread: it may be asked for again."""
    return isinstance(exchange.head, Head) and exchange.head.file is not None


async def _send(call: Call, pieces: AsyncIterable[bytes], run: Run) -> None:
    await run(call.open)
    iterator = aiter(pieces)
    try:
        async for piece in iterator:
            if piece and not await run(partial(call.send_piece, piece)):
                return
    finally:  # a generator may be left before its end
        if close := getattr(iterator, "aclose", None):
            await close()

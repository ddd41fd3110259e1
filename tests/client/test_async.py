"""The asynchronous face of a plugin and of its httpx transport, under asyncio and under trio."""

from __future__ import annotations

import gc
import io
import os
import shlex
import signal
import sys
import threading
import time
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from tests.client.test_exhaustion import no_threads
from tests.client.test_misbehaving import command
from tests.server.conftest import COMMAND
from udist_plugin import AsyncPlugin, AsyncResponse, Plugin
from udist_plugin.client.call import Call
from udist_plugin.client.httpx_transport import AsyncUdistTransport
from udist_plugin.errors import Cancelled, DeadlineExceeded, NoFreeSlot, PluginDied, TransportError
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

INMEMORY = "version: 0.1\nstorage: {inmemory: {}}"
DATA = bytes(range(256)) * 12000
DIGEST = Digest.of(DATA)
BLOB = f"/v2/a/blobs/{DIGEST}"
SLOTS = 64
LARGE = f"/zeros/{1 << 30}"
"""More than the credit of a response that nobody reads: it keeps its slot."""


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name == "udist-async":
            thread.join(5)  # half of what an idle one would live for
            assert not thread.is_alive()


@pytest.fixture
async def registry() -> AsyncIterator[AsyncPlugin]:
    async with AsyncPlugin(INMEMORY, {}) as plugin:
        yield plugin


@pytest.fixture
async def plugin() -> AsyncIterator[AsyncPlugin]:
    """Serves the applications of ``tests.server.apps``."""
    async with AsyncPlugin(command=COMMAND) as plugin:
        yield plugin


def over(plugin: AsyncPlugin, timeout: float | httpx.Timeout | None = 60) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=AsyncUdistTransport(plugin), base_url="http://udist", timeout=timeout)


async def pieces() -> AsyncGenerator[bytes, None]:
    for start in range(0, len(DATA), 100_000):
        yield b""
        yield DATA[start : start + 100_000]
        await anyio.lowlevel.checkpoint()


async def every_slot_is_free(plugin: AsyncPlugin) -> None:
    responses = [await plugin.request("GET", LARGE, timeout=60) for _ in range(SLOTS)]
    for response in responses:
        await response.aclose()


async def slots_are_waited_for(plugin: AsyncPlugin, threads: int) -> None:
    with anyio.fail_after(20):
        while len(plugin.sync.link._slots._waiting) != threads:
            await anyio.sleep(0.001)


@asynccontextmanager
async def cancelled(wait: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Runs ``wait`` meanwhile, and cancels it in the end: it must be done at once then."""
    raised = []

    async def run() -> None:
        try:
            await wait()
        except BaseException as error:
            raised.append(error)
            raise

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        yield
        assert not raised
        group.cancel_scope.cancel()
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
    assert [type(error) for error in raised] == [anyio.get_cancelled_exc_class()]


@pytest.mark.parametrize("kind", ["bytes", "pieces", "multipart"])
async def test_httpx_streams_both_ways(registry: AsyncPlugin, kind: str) -> None:
    body: dict[str, Any] = {"content": pieces() if kind == "pieces" else DATA}
    async with over(registry) as client:
        location = (await client.post("/v2/a/blobs/uploads/")).headers["location"]
        if kind == "multipart":
            patched = await client.patch(location, files={"file": io.BytesIO(DATA)})
            assert patched.status_code == 202
            return
        assert (await client.put(location, params={"digest": DIGEST}, **body)).status_code == 201
        async with client.stream("GET", BLOB) as response:
            assert response.headers["content-length"] == str(len(DATA))
            assert b"".join([piece async for piece in response.aiter_bytes()]) == DATA
        assert (await client.get(BLOB, headers={"range": "bytes=5-9"})).content == DATA[5:10]
        assert (await client.head(BLOB)).content == b""
        async with client.stream("GET", BLOB) as response:
            assert response.status_code == 200
        assert (await client.get("/v2/_catalog")).json() == {"repositories": []}


@pytest.mark.parametrize("kind", ["bytes", "pieces", "file", "real file"])
async def test_the_plugin_streams_both_ways(registry: AsyncPlugin, kind: str, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(DATA)
    with (tmp_path / "data").open("rb") as file:
        bodies = {"bytes": DATA, "pieces": pieces(), "file": io.BytesIO(DATA), "real file": file}
        async with await registry.request("POST", "/v2/a/blobs/uploads/") as response:
            target = f"{response.header('location')}?digest={DIGEST}"
        length = [("content-length", str(len(DATA)))]
        async with await registry.request("PUT", target, length, bodies[kind]) as response:  # type: ignore[arg-type]
            assert (response.status, await response.read(), response.trailers) == (201, b"", [])
    async with await registry.request("GET", BLOB) as response:
        assert await response.read(5) + await response.read() == DATA
    async with await registry.request("GET", BLOB) as response:
        assert b"".join([piece async for piece in response]) == DATA
    async with await registry.request("GET", BLOB, [("range", "bytes=5-9")]) as response:
        assert (await response.read(2), await response.read(9), await response.read()) == (
            DATA[5:7],
            DATA[7:10],
            b"",
        )


async def test_http_errors_stay_http(registry: AsyncPlugin) -> None:
    async with over(registry) as client:
        response = await client.get("/v2/a/manifests/v1")
    assert (response.status_code, response.json()["errors"][0]["code"]) == (404, "MANIFEST_UNKNOWN")


async def test_content_in_one_piece_or_many_is_cut_by_closing(plugin: AsyncPlugin) -> None:
    for size in (100, 1 << 20):
        response = await plugin.request("GET", f"/zeros/{size}", timeout=60)
        await response.aclose()
        with pytest.raises(Cancelled):
            await response.read()


async def test_many_at_once(plugin: AsyncPlugin) -> None:
    """More than there are slots, and the head of none waits for the content of another."""
    sizes = []

    async def ask(size: int) -> None:
        async with await plugin.request("GET", f"/zeros/{size}", timeout=60) as response:
            sizes.append(len(await response.read()))

    async with anyio.create_task_group() as group:
        for number in range(4 * SLOTS):
            group.start_soon(ask, number * 5000)
    assert sorted(sizes) == [number * 5000 for number in range(4 * SLOTS)]


async def test_one_thread_reads_the_answers_to_all_that_is_small(plugin: AsyncPlugin) -> None:
    async with anyio.create_task_group() as group:
        for _ in range(2 * SLOTS):
            group.start_soon(partial(plugin.request, timeout=60), "GET", "/zeros/100")
    assert sum(thread.name == "udist-async" for thread in threading.enumerate()) == 1


async def test_patience_begins_anew_with_all_that_comes(plugin: AsyncPlugin) -> None:
    async with await plugin.request("GET", "/drip/12", patience=1) as response:
        assert await response.read() == bytes(12)


async def test_readers_never_wait_for_those_who_want_a_slot(plugin: AsyncPlugin) -> None:
    responses = [await plugin.request("GET", "/zeros/1000000") for _ in range(SLOTS)]
    async with anyio.create_task_group() as group:
        for _ in range(2 * SLOTS):
            group.start_soon(partial(plugin.request, slot_timeout=60), "GET", "/zeros/100")
        await slots_are_waited_for(plugin, SLOTS)
        for response in responses:
            assert len(await response.read()) == 1_000_000
            await response.aclose()


@pytest.mark.parametrize("timeouts", [0.3, httpx.Timeout(None, pool=0.3)])
async def test_a_slot_is_waited_for_no_longer_than_was_said(
    plugin: AsyncPlugin, timeouts: float | httpx.Timeout
) -> None:
    responses = [await plugin.request("GET", LARGE) for _ in range(SLOTS)]
    async with over(plugin, timeouts) as client:
        with pytest.raises(httpx.PoolTimeout, match="slots stayed in use") as caught:
            await client.get("/environ")
        assert isinstance(caught.value.__cause__, NoFreeSlot)
        await responses.pop().aclose()
        assert (await client.get("/environ", timeout=60)).status_code == 200
    for response in responses:
        await response.aclose()


async def test_a_turn_is_waited_for_no_longer_than_a_slot(plugin: AsyncPlugin) -> None:
    """Whoever waits for a slot has a turn; the next one waits for that."""
    responses = [await plugin.request("GET", LARGE) for _ in range(SLOTS)]
    failed = 0

    async def ask() -> None:
        nonlocal failed
        with pytest.raises(NoFreeSlot):
            await plugin.request("GET", "/environ", slot_timeout=0.3)
        failed += 1

    async with anyio.create_task_group() as group:
        for _ in range(2 * SLOTS):
            group.start_soon(ask)
    assert failed == 2 * SLOTS
    for response in responses:
        await response.aclose()


async def test_silence_and_death_are_the_errors_of_the_synchronous_transport(registry: AsyncPlugin) -> None:
    os.kill(registry.sync.pid, signal.SIGSTOP)
    async with over(registry, 0.2) as client:
        with pytest.raises(httpx.ReadTimeout) as late:
            await client.get("/v2/")
        assert isinstance(late.value.__cause__, DeadlineExceeded)
        async with aclosing(pieces()) as content:  # httpx leaves it open, and trio minds
            with pytest.raises(httpx.ReadTimeout):
                await client.post("/v2/a/blobs/uploads/", params={"digest": DIGEST}, content=content)
        os.kill(registry.sync.pid, signal.SIGKILL)
        with pytest.raises(httpx.ReadError) as gone:
            await client.get("/v2/", timeout=None)
        assert isinstance(gone.value.__cause__, PluginDied)


async def test_content_that_is_cut_says_so(plugin: AsyncPlugin) -> None:
    async with over(plugin) as client, client.stream("GET", LARGE) as response:
        with pytest.raises(httpx.ReadError, match="SIGKILL"):
            async for _ in response.aiter_raw():
                with suppress(ProcessLookupError):
                    os.kill(plugin.sync.pid, signal.SIGKILL)


async def test_small_content_that_is_cut_says_so() -> None:
    async with (
        AsyncPlugin(command=command("truncated")) as plugin,
        await plugin.request("GET", "/v2/") as response,
    ):
        for _ in range(2):
            with pytest.raises(TransportError, match="990 bytes short"):
                await response.read()


async def test_a_slow_body_is_not_the_plugins_fault(plugin: AsyncPlugin) -> None:
    async def slowly() -> AsyncGenerator[bytes, None]:
        yield b"ab"
        with anyio.move_on_after(1):
            await anyio.sleep_forever()
        yield b"c"

    async with over(plugin, 0.3) as client:
        assert (await client.post("/count", content=slowly())).content == b"3"


async def test_what_a_body_raises_is_raised(plugin: AsyncPlugin) -> None:
    async def failing() -> AsyncGenerator[bytes, None]:
        yield b"some"
        raise ZeroDivisionError("the body's own")

    async with over(plugin) as client:
        with pytest.raises(ZeroDivisionError, match="the body's own"):
            await client.post("/echo", content=failing())
    await every_slot_is_free(plugin)


async def test_a_plugin_that_wants_no_content_has_answered(plugin: AsyncPlugin) -> None:
    sent = 0

    async def endless() -> AsyncGenerator[bytes, None]:
        nonlocal sent
        while True:
            sent += 1
            yield bytes(100_000)

    async with aclosing(endless()) as body, over(plugin) as client:
        response = await client.post("/refuse", content=body)
    assert (response.status_code, response.content) == (413, b"no")
    assert sent < 20


async def test_a_request_that_waits_for_its_answer_is_cancelled(plugin: AsyncPlugin) -> None:
    async with cancelled(lambda: plugin.request("GET", "/stall")):
        await plugin.request("GET", "/stalling", timeout=60)
    assert not plugin.sync.link.connection.streams
    await plugin.request("GET", "/resume", timeout=60)
    await every_slot_is_free(plugin)


async def test_a_request_that_waits_for_a_slot_is_cancelled(plugin: AsyncPlugin) -> None:
    responses = [await plugin.request("GET", LARGE) for _ in range(SLOTS)]
    async with cancelled(lambda: plugin.request("GET", "/environ")):
        await slots_are_waited_for(plugin, 1)
    await slots_are_waited_for(plugin, 0)
    for response in responses:
        await response.aclose()
    await every_slot_is_free(plugin)


async def test_a_read_is_cancelled(plugin: AsyncPlugin) -> None:
    """By a fast reader of content that the plugin stops sending."""
    response = await plugin.request("GET", LARGE)
    assert await response.read(1000)
    os.kill(plugin.sync.pid, signal.SIGSTOP)
    left = anyio.Event()

    async def read() -> None:
        while True:
            with anyio.move_on_after(0.3) as scope:
                await response.read(1 << 20)
            if scope.cancelled_caught:
                left.set()
                await anyio.sleep_forever()

    async with cancelled(read):
        await left.wait()
    with pytest.raises(Cancelled):
        await response.read()
    os.kill(plugin.sync.pid, signal.SIGCONT)
    await every_slot_is_free(plugin)


@pytest.mark.parametrize("waits", ["for the body", "for the plugin"])
async def test_a_request_that_sends_is_cancelled(plugin: AsyncPlugin, waits: str) -> None:
    begun = anyio.Event()

    async def body() -> AsyncGenerator[bytes, None]:
        yield b"some"
        begun.set()
        if waits == "for the body":
            await anyio.sleep_forever()
        while True:
            yield bytes(100_000)

    async with (
        aclosing(body()) as content,
        cancelled(lambda: plugin.request("POST", "/stall", body=content)),
    ):
        await begun.wait()
        await plugin.request("GET", "/stalling", timeout=60)
    assert not plugin.sync.link.connection.streams
    await plugin.request("GET", "/resume", timeout=60)
    await every_slot_is_free(plugin)


async def test_requests_that_are_cancelled_at_any_time_leave_nothing(plugin: AsyncPlugin) -> None:
    """Warnings are errors: no response is forgotten."""
    for turn in range(300):
        with anyio.move_on_after(turn * 2e-6):
            await (await plugin.request("GET", f"/zeros/{turn % 2 * 100_000}")).aclose()
        gc.collect(0)
    assert not plugin.sync.link.connection.streams
    await every_slot_is_free(plugin)


@pytest.mark.parametrize("content", [None, b"more"], ids=["in no thread", "in a thread"])
async def test_a_response_that_comes_together_with_the_cancellation_is_closed(
    plugin: AsyncPlugin, content: bytes | None
) -> None:
    async with await plugin.request("GET", "/zeros/0"):
        assert plugin._bridge
    async with anyio.create_task_group() as group:
        group.start_soon(plugin.request, "GET", LARGE, (), content)
        while not plugin.sync.link.connection.streams:
            await anyio.lowlevel.checkpoint()
        deadline = time.monotonic() + 20
        while not plugin._bridge._ended:  # without a turn of the event loop
            assert time.monotonic() < deadline
        group.cancel_scope.cancel()
    assert not plugin.sync.link.connection.streams
    await every_slot_is_free(plugin)


def test_a_call_that_was_cancelled_before_it_began_waits_for_nothing() -> None:
    with Plugin(command=COMMAND) as plugin:
        call = Call(
            plugin.link,
            plugin,
            "GET",
            "/stall",
            [],
            None,
            timeout=20,
            patience=None,
            slot_timeout=None,
            scheme="http",
            authority="localhost",
            follow=False,
        )
        call.cancel()
        with pytest.raises(Cancelled):
            call.response()
        plugin.request("GET", "/resume", timeout=60)


async def test_a_dropped_response_gives_its_slot_back(plugin: AsyncPlugin) -> None:
    client = over(plugin)
    for number in range(3 * SLOTS):
        with pytest.warns(ResourceWarning, match="unclosed <Response 200>"):
            if number % 2:
                await plugin.request("GET", LARGE, timeout=60)
            else:
                await client.send(client.build_request("GET", LARGE), stream=True)
            gc.collect(0)
    await client.aclose()


async def test_a_small_response_need_not_be_closed(plugin: AsyncPlugin) -> None:
    for _ in range(3 * SLOTS):
        await plugin.request("GET", "/zeros/100", timeout=60)
        await plugin.request("HEAD", LARGE, timeout=60)


async def test_a_plugin_is_closed_though_its_task_is_cancelled() -> None:
    with anyio.CancelScope() as scope:
        async with AsyncPlugin(INMEMORY, {}) as plugin:
            await plugin.request("GET", "/v2/")
            scope.cancel()
            await anyio.sleep_forever()
    assert plugin.sync.status == 0
    with pytest.raises(PluginDied, match="was closed"):
        await plugin.request("GET", "/v2/")
    await plugin.aclose()


@pytest.mark.parametrize(
    "words", [command("hang"), ["sh", "-c", f"sleep 1; exec {shlex.join(COMMAND)}"]], ids=["hang", "slow"]
)
async def test_a_start_that_is_cancelled_leaves_no_process(words: list[str]) -> None:
    plugin = AsyncPlugin(command=words, timeout=20 if words[0] == "sh" else 1)
    with anyio.move_on_after(0.2) as scope:
        await plugin.start()
    assert scope.cancelled_caught
    deadline = time.monotonic() + 20
    with suppress(ChildProcessError):
        while True:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            assert time.monotonic() < deadline


async def test_a_start_fails_as_the_synchronous_one() -> None:
    plugin = AsyncPlugin(command=command("exit"))
    with pytest.raises(PluginDied, match="a last word"):
        await plugin.start()
    with pytest.raises(RuntimeError, match="has not been started"):
        await plugin.request("GET", "/v2/")


@pytest.mark.skipif(sys.platform != "linux", reason="what is too much for a stack differs elsewhere")
async def test_no_thread_to_be_had_is_a_named_error(plugin: AsyncPlugin) -> None:
    with no_threads(), pytest.raises(TransportError, match="can't start new thread") as caught:
        await plugin.request("GET", "/environ")
    assert (caught.value.code, caught.value.retryable) == ("RESOURCE_EXHAUSTED", True)
    async with await plugin.request("GET", "/environ") as response:
        assert response.status == 200


def test_one_plugin_serves_one_event_loop_after_the_other(anyio_backend: str) -> None:
    async def ask(plugin: AsyncPlugin) -> AsyncResponse:
        return await plugin.request("GET", "/v2/", timeout=60)

    with Plugin(INMEMORY, {}) as running:
        plugin = AsyncPlugin.of(running)
        for backend in (anyio_backend, "asyncio", "trio"):
            assert anyio.run(ask, plugin, backend=backend).status == 200
        anyio.run(plugin.aclose, backend=anyio_backend)


def test_a_plugin_that_is_not_asynchronous_is_refused() -> None:
    """And not only by the first request, in words about await."""
    with (
        Plugin(INMEMORY, {}) as plugin,
        pytest.raises(TypeError, match=r"AsyncPlugin\.of"),
    ):
        AsyncUdistTransport(plugin)  # type: ignore[arg-type]

"""Bodies, cookies and retries as over a network: the same calls to a server on loopback and to a plugin."""

from __future__ import annotations

import array
import io
import mmap
import os
import signal
import tarfile
import threading
from contextlib import contextmanager, suppress
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
import pytest
import requests
from urllib3 import Retry
from urllib3.exceptions import HTTPError, UnrewindableBodyError

from tests.server import apps
from tests.server.conftest import COMMAND
from udist_plugin.client.httpx_transport import UdistTransport
from udist_plugin.client.plugin import Plugin
from udist_plugin.client.requests_adapter import UdistAdapter
from udist_plugin.client.urllib3_pool import _Rewound
from udist_plugin.errors import NoFreeSlot, PluginDied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WORDS = "grüße\n" * 1000
BYTES = WORDS.encode()
LARGE = bytes(range(256)) * 4096
"""More than the first credit covers."""


class Handler(WSGIRequestHandler):
    """Delivers chunked content as well, up to its end."""

    def get_environ(self) -> Any:
        environ = super().get_environ()
        environ["wsgi.input_terminated"] = True
        return environ

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Whole:
    """``wsgi.input`` as the applications of ``tests.server.apps`` want it: with an end."""

    def __init__(self, environ: Any) -> None:
        self._file = environ["wsgi.input"]
        self._left = int(environ.get("CONTENT_LENGTH") or 0)
        self._chunked = environ.get("HTTP_TRANSFER_ENCODING") == "chunked"
        self._rest = b""

    def read(self, size: int) -> bytes:
        if self._chunked and not self._rest:
            length = int(self._file.readline(), 16)
            self._rest = self._file.read(length)
            self._file.readline()
            self._chunked = bool(length)
        if self._rest:
            data, self._rest = self._rest[:size], self._rest[size:]
            return data
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data  # type: ignore[no-any-return]


def served(environ: Any, start_response: Any) -> Any:
    environ["wsgi.input"] = Whole(environ)
    return apps.application(environ, start_response)


@pytest.fixture(scope="module")
def network() -> Iterator[str]:
    """The URL of the same applications behind a socket."""
    with make_server("127.0.0.1", 0, served, Server, Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def plugin() -> Iterator[Plugin]:
    with Plugin(command=COMMAND) as plugin:
        yield plugin


@contextmanager
def session_over(
    where: str, plugin: Plugin, network: str, **options: Any
) -> Iterator[tuple[requests.Session, str]]:
    """A session and the URL to ask: over a network, or over a plugin."""
    with requests.Session() as session:
        session.trust_env = False
        if where == "network":
            session.mount("http://", requests.adapters.HTTPAdapter(**options))
            yield session, network
        else:
            session.mount("http://udist/", UdistAdapter(plugin, **options))
            yield session, "http://udist"


class Pieces:
    """Iterable more than once, and nothing else."""

    def __iter__(self) -> Iterator[bytes]:
        return iter([BYTES[:10], b"", BYTES[10:]])


class OnlyRead:
    """A file of which there is no more than ``read``."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, 1000))

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError("it is to be read")


class Raw(io.RawIOBase):
    """A file that is asked by ``readinto``."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._file.readinto(memoryview(buffer)[:1000])


def mapped() -> mmap.mmap:
    memory = mmap.mmap(-1, len(BYTES))
    memory.write(BYTES)
    memory.seek(0)
    return memory


BODIES: dict[str, Callable[[], Any]] = {
    "bytes": lambda: BYTES,
    "text": lambda: WORDS,
    "bytearray": lambda: bytearray(BYTES),
    "memoryview": lambda: memoryview(BYTES),
    "array": lambda: array.array("B", BYTES),
    "memory map": mapped,
    "bytes of no known length": lambda: (BYTES[start : start + 1000] for start in range(0, len(BYTES), 1000)),
    "text of no known length": lambda: iter([WORDS[:1000], "", WORDS[1000:]]),
    "pieces of several kinds": lambda: iter([bytearray(BYTES[:6]), memoryview(BYTES)[6:12], BYTES[12:]]),
    "iterable": Pieces,
    "buffered file": lambda: io.BufferedReader(Raw(BYTES)),
    "raw file": lambda: Raw(BYTES),
    "only read": lambda: OnlyRead(BYTES),
    "large bytearray": lambda: bytearray(LARGE),
    "large text of no known length": lambda: iter(["x" * 100_000] * 20),
}


@pytest.mark.parametrize("where", ["network", "plugin"])
@pytest.mark.parametrize("kind", BODIES)
def test_requests_sends(plugin: Plugin, network: str, kind: str, where: str) -> None:
    expected = {"large bytearray": LARGE, "large text of no known length": b"x" * 2_000_000}.get(kind, BYTES)
    with session_over(where, plugin, network) as (session, url):
        assert session.post(f"{url}/echo", data=BODIES[kind](), timeout=60).content == expected


@pytest.mark.parametrize("kind", BODIES)
def test_a_plugin_sends(plugin: Plugin, kind: str) -> None:
    expected = {"large bytearray": LARGE, "large text of no known length": b"x" * 2_000_000}.get(kind, BYTES)
    with plugin.request("POST", "/echo", body=BODIES[kind](), timeout=60) as response:
        assert response.read() == expected


@pytest.mark.parametrize("kind", ["text of no known length", "pieces of several kinds", "only read"])
def test_httpx_sends(plugin: Plugin, kind: str) -> None:
    with httpx.Client(transport=UdistTransport(plugin), base_url="http://udist") as client:
        assert client.post("/echo", content=BODIES[kind]()).content == BYTES


def test_httpx_says_what_it_cannot_send(plugin: Plugin) -> None:
    """It takes a bytearray for an iterable, of numbers."""
    body: Any = bytearray(BYTES)
    with httpx.Client(transport=UdistTransport(plugin), base_url="http://udist") as client:
        with pytest.raises(TypeError, match="bytes or text, not int"):
            client.post("/echo", content=body)
        assert client.post("/echo", content=BYTES).content == BYTES


def test_memory_with_gaps_is_sent_without_them(plugin: Plugin) -> None:
    with plugin.request("POST", "/echo", body=memoryview(b"a-b-c-")[::2], timeout=60) as response:
        assert response.read() == b"abc"


@pytest.mark.parametrize("where", ["network", "plugin"])
def test_a_file_in_text_mode_is_sent(plugin: Plugin, network: str, tmp_path: Path, where: str) -> None:
    (tmp_path / "words").write_bytes(BYTES)
    with (
        session_over(where, plugin, network) as (session, url),
        (tmp_path / "words").open(encoding="utf-8") as file,
        pytest.warns(requests.exceptions.RequestsWarning, match="text mode"),
    ):
        assert session.post(f"{url}/echo", data=file, timeout=60).content == BYTES


def test_text_whose_length_was_counted_in_letters_is_an_error(plugin: Plugin, network: str) -> None:
    """As requests counts it: over a network the rest would be taken for another request."""
    with session_over("plugin", plugin, network) as (session, url):
        with pytest.raises(requests.ConnectionError, match="content-length"):
            session.post(f"{url}/echo", data=io.StringIO(WORDS), timeout=60)
        assert session.post(f"{url}/echo", data=io.StringIO("plain"), timeout=60).content == b"plain"


@pytest.mark.parametrize(
    "body", [iter([b"a", 1]), iter([None]), io.BytesIO, 5], ids=["number", "none", "class", "5"]
)
def test_what_is_no_content_is_said(plugin: Plugin, body: Any) -> None:
    with pytest.raises(TypeError, match=r"expected .*bytes.* not (int|NoneType)|read"):
        plugin.request("POST", "/echo", body=body, timeout=60)
    with plugin.request("POST", "/echo", body=b"still there", timeout=60) as response:
        assert response.read() == b"still there"


def test_a_file_with_nothing_to_read_yet_has_not_ended(plugin: Plugin) -> None:
    read, write = os.pipe()
    os.set_blocking(read, False)
    with (
        os.fdopen(write, "wb"),
        os.fdopen(read, "rb", buffering=0) as file,
        pytest.raises(TypeError, match="not NoneType"),
    ):
        plugin.request("POST", "/echo", body=file, timeout=60)


def test_a_file_that_cannot_be_read_is_a_failed_connection(plugin: Plugin, network: str) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    for where in ("network", "plugin"):
        with (
            session_over(where, plugin, network) as (session, url),
            pytest.raises(requests.ConnectionError, match="Input/output error"),
        ):
            session.post(f"{url}/echo", data=Broken(), timeout=60)


@pytest.mark.parametrize("where", ["network", "plugin"])
def test_a_response_is_read_as_a_file(plugin: Plugin, network: str, where: str) -> None:
    with session_over(where, plugin, network) as (session, url):
        with session.post(f"{url}/echo", data=BYTES, stream=True, timeout=60) as response:
            assert BYTES.startswith(first := response.raw.read1(3))
            assert first + response.raw.read1() + response.raw.read() == BYTES
        with session.post(f"{url}/echo", data=BYTES, stream=True, timeout=60) as response:
            raw: Any = response.raw
            assert [*io.TextIOWrapper(raw, encoding="utf-8")] == WORDS.splitlines(keepends=True)
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            tar.addfile(tarfile.TarInfo("empty"))
        with (
            session.post(f"{url}/echo", data=archive.getvalue(), stream=True, timeout=60) as response,
            tarfile.open(fileobj=response.raw, mode="r|gz") as tar,
        ):
            assert tar.getnames() == ["empty"]


@pytest.mark.parametrize("where", ["network", "plugin"])
def test_requests_keeps_cookies(plugin: Plugin, network: str, where: str) -> None:
    with session_over(where, plugin, network) as (session, url):
        answer = session.get(f"{url}/cookie/mine", timeout=60)
        assert (answer.text, answer.cookies.get_dict()) == ("none", {"mine": "1", "other": "2"})
        assert session.get(f"{url}/cookie/mine", timeout=60).text == "mine=1; other=2"
        session.cookies.clear()
        assert session.get(f"{url}/cookie/mine", timeout=60).text == "none"


def test_httpx_keeps_cookies(plugin: Plugin) -> None:
    with httpx.Client(transport=UdistTransport(plugin), base_url="http://udist") as client:
        assert [client.get("/cookie/mine").text for _ in range(2)] == ["none", "mine=1; other=2"]


def retry(**options: Any) -> Retry:
    return Retry(3, status_forcelist=[503], allowed_methods=None, **options)


@pytest.mark.parametrize("where", ["network", "plugin"])
@pytest.mark.parametrize("kind", ["bytes", "file", "real file"])
def test_requests_asks_again(plugin: Plugin, network: str, tmp_path: Path, kind: str, where: str) -> None:
    (tmp_path / "file").write_bytes(b"before" + BYTES)
    with (
        session_over(where, plugin, network, max_retries=retry()) as (session, url),
        (tmp_path / "file").open("rb") as real,
    ):
        real.seek(len(b"before"))
        bodies: dict[str, Any] = {"bytes": BYTES, "file": io.BytesIO(BYTES), "real file": real}
        assert session.post(f"{url}/busy/{where}-{kind}", data=bodies[kind], timeout=60).content == BYTES


@pytest.mark.parametrize("where", ["network", "plugin"])
def test_requests_gives_up_asking(plugin: Plugin, network: str, where: str) -> None:
    with (
        session_over(where, plugin, network, max_retries=Retry(1, status_forcelist=[413])) as (session, url),
        pytest.raises(requests.exceptions.RetryError, match="too many 413"),
    ):
        session.get(f"{url}/refuse", timeout=60)
    quiet = Retry(1, status_forcelist=[413], raise_on_status=False)
    with session_over(where, plugin, network, max_retries=quiet) as (session, url):
        assert session.get(f"{url}/refuse", timeout=60).status_code == 413


def test_what_cannot_be_sent_again_is_not(plugin: Plugin, network: str) -> None:
    with session_over("plugin", plugin, network, max_retries=retry()) as (session, url):
        for body in (iter([BYTES]), OnlyRead(BYTES)):
            with pytest.raises(UnrewindableBodyError, match="cannot be rewound"):
                session.post(f"{url}/busy/{type(body).__name__}", data=body, timeout=60)
        answer = session.post(f"{url}/busy/again", data=Pieces(), timeout=60)
        assert answer.content == BYTES


def test_an_attempt_that_was_given_up_reads_nothing_of_the_next() -> None:
    body = _Rewound(io.BytesIO(BYTES))
    first = body.again()
    assert first.read(10) == BYTES[:10]
    second = body.again()
    with pytest.raises(HTTPError, match="given up"):
        first.read(10)
    assert second.read(-1) == BYTES


def test_a_plugin_that_says_nothing_is_asked_as_often_as_was_said() -> None:
    with Plugin("version: 0.1\nstorage: {inmemory: {}}", {}) as silent, requests.Session() as session:
        session.mount("http://udist/", UdistAdapter(silent, max_retries=Retry(2, read=2)))
        os.kill(silent.pid, signal.SIGSTOP)
        try:
            with pytest.raises(requests.ConnectionError, match=r"Max retries .* ReadTimeoutError"):
                session.get("http://udist/v2/", timeout=0.1)
            os.kill(silent.pid, signal.SIGKILL)
            with pytest.raises(requests.ConnectionError) as gone:
                session.get("http://udist/v2/")
            assert isinstance(gone.value.__cause__, PluginDied)
        finally:
            with suppress(ProcessLookupError):
                os.kill(silent.pid, signal.SIGCONT)


def test_a_wait_for_a_slot_counts_as_connecting(plugin: Plugin) -> None:
    asked: list[float | None] = []

    class Full(Plugin):
        redirects = False

        def __init__(self) -> None:
            pass

        def __del__(self) -> None:
            pass

        def __repr__(self) -> str:
            return "<Plugin>"

        def request(self, *_: Any, slot_timeout: float | None = None, **__: Any) -> Any:
            asked.append(slot_timeout)
            raise NoFreeSlot("all of the plugin's slots stayed in use")

    with requests.Session() as session:
        session.mount("http://udist/", UdistAdapter(Full(), max_retries=2))
        with pytest.raises(requests.ConnectTimeout, match="slots stayed in use"):
            session.post("http://udist/v2/", timeout=(0.1, 5))
    assert asked == [0.1] * 3

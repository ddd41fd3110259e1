"""Requests and responses through a spawned plugin, whatever their shape."""

from __future__ import annotations

import hashlib
import io
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from udist_plugin.errors import DeadlineExceeded, LocalProtocolError, StreamReset

if TYPE_CHECKING:
    from pathlib import Path

    from udist_plugin.client.plugin import Plugin

MIB = 1 << 20


@pytest.mark.parametrize("size", [0, 1, 4096, 16 << 10, (256 << 10) + 1, 3 * MIB])
def test_content_comes_back_byte_for_byte(plugin: Plugin, size: int) -> None:
    content = os.urandom(size)
    with plugin.request("POST", "/echo", body=content) as response:
        assert response.status == 200
        assert response.read() == content


@pytest.mark.parametrize("length_known", [True, False])
def test_a_stream_is_sent_as_it_is_read(plugin: Plugin, length_known: bool) -> None:
    content = os.urandom(2 * MIB + 5)
    headers = [("Content-Length", str(len(content)))] if length_known else []
    with plugin.request("POST", "/count", headers, io.BytesIO(content)) as response:
        assert response.read() == str(len(content)).encode()


@pytest.mark.parametrize("start", [0, 1, 4095, 100_000])
def test_a_file_is_sent_from_its_position(plugin: Plugin, tmp_path: Path, start: int) -> None:
    content = os.urandom(3 * MIB + 7)
    (tmp_path / "file").write_bytes(content)
    with (tmp_path / "file").open("rb") as file:
        file.seek(start)
        length = [("content-length", str(len(content) - start))]
        with plugin.request("POST", "/count", length, file) as response:
            assert response.read() == str(len(content) - start).encode()


def test_a_file_comes_whole_from_any_buffer_size(plugin: Plugin, tmp_path: Path) -> None:
    content = os.urandom(5 * MIB + 3)
    (tmp_path / "file").write_bytes(content)
    for size in (1000, 64 << 10, 256 << 10, MIB):
        buffer = bytearray(size)
        running = hashlib.sha256()
        with plugin.request("GET", f"/file{tmp_path}/file") as response:
            while count := response.readinto(buffer):
                running.update(memoryview(buffer)[:count])
        assert running.digest() == hashlib.sha256(content).digest()


def test_many_transfers_at_once_keep_every_byte_in_its_place(plugin: Plugin, tmp_path: Path) -> None:
    content = os.urandom(4 * MIB + 11)
    (tmp_path / "file").write_bytes(content)
    expected = hashlib.sha256(content).hexdigest()

    def transfer(number: int) -> str:
        buffer = bytearray(10_000 + 37_000 * (number % 8))
        running = hashlib.sha256()
        with plugin.request("POST", "/count", body=content) as response:
            assert response.read() == str(len(content)).encode()
        with plugin.request("GET", f"/file{tmp_path}/file") as response:
            while count := response.readinto(buffer):
                running.update(memoryview(buffer)[:count])
        return running.hexdigest()

    with ThreadPoolExecutor(100) as pool:  # more than there are slots
        assert set(pool.map(transfer, range(200))) == {expected}


def test_a_head_has_no_content_but_its_length(plugin: Plugin) -> None:
    with plugin.request("HEAD", "/zeros/1000") as response:
        assert response.header("content-length") == "1000"
        assert response.read() == b""


def test_fields_arrive_in_order_and_named_in_lower_case(plugin: Plugin) -> None:
    headers = [("X-One", "1"), ("X-ONE", "2"), ("Connection", "close"), ("Content-Type", "a/b")]
    with plugin.request("GET", "/environ/a%20b?c=%20d", headers, authority="example:8080") as response:
        assert [value for name, value in response.headers if name == "x-twice"] == ["a", "b"]
        environ = dict(line.split("=", 1) for line in response.read().decode().splitlines())
    assert environ["HTTP_X_ONE"] == "1, 2"
    assert environ["CONTENT_TYPE"] == "a/b"
    assert environ["PATH_INFO"] == "/environ/a b"
    assert environ["QUERY_STRING"] == "c=%20d"
    assert environ["REQUEST_URI"] == "/environ/a%20b?c=%20d"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("example", "8080")
    assert "HTTP_CONNECTION" not in environ


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GE T", "/", []),
        ("GET", "no-slash", []),
        ("GET", "/ space", []),
        ("GET", "/", [("a b", "c")]),
        ("GET", "/", [("a", "b\r\nc: d")]),
        ("GET", "/", [("a", "b\0")]),
    ],
)
def test_what_may_not_travel_is_refused_here(
    plugin: Plugin, method: str, target: str, headers: list[tuple[str, str]]
) -> None:
    with pytest.raises(LocalProtocolError):
        plugin.request(method, target, headers)
    with plugin.request("GET", "/environ") as response:
        assert response.status == 200


def test_a_4xx_before_the_content_was_sent_is_the_answer(plugin: Plugin) -> None:
    class Endless:
        sent = 0

        def read(self, size: int = -1) -> bytes:
            self.sent += size
            return bytes(size)

    body = Endless()
    headers = [("content-length", str(1 << 30))]
    for _ in range(70):  # more than there are slots: each is free again
        with plugin.request("PUT", "/refuse", headers, body) as response:
            assert (response.status, response.read()) == (413, b"no")
    assert body.sent < 70 * (4 * MIB)


def test_an_application_that_fails_is_named_without_its_trace(plugin: Plugin) -> None:
    with pytest.raises(StreamReset, match="the application failed") as caught:
        plugin.request("GET", "/fail")
    assert (caught.value.code, caught.value.retryable) == ("INTERNAL", False)
    assert "ValueError" not in str(caught.value)
    with plugin.request("GET", "/fail_late") as response, pytest.raises(StreamReset):
        response.read()


def test_a_file_cut_short_is_an_error_not_wrong_bytes(plugin: Plugin, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(300_000))
    target = f"/file{tmp_path}/file?300001"
    with plugin.request("GET", target) as response, pytest.raises(StreamReset) as caught:
        response.read()
    assert caught.value.code == "DATA_LOSS"


def test_the_time_given_ends_the_exchange(plugin: Plugin) -> None:
    with pytest.raises(DeadlineExceeded):
        plugin.request("GET", "/stall", timeout=0.2)
    with plugin.request("GET", "/environ") as response:
        assert response.status == 200


def test_a_response_closed_early_frees_its_slot(plugin: Plugin) -> None:
    for _ in range(200):
        with plugin.request("GET", f"/zeros/{100 * MIB}") as response:
            assert len(response.read(1000)) == 1000


def test_content_is_not_the_length_it_was_said_to_be(plugin: Plugin) -> None:
    with pytest.raises(StreamReset, match="content-length"):
        plugin.request("POST", "/count", [("content-length", "10")], io.BytesIO(bytes(9)))
    with pytest.raises(StreamReset, match="content-length"):
        plugin.request("POST", "/count", [("content-length", "10")], io.BytesIO(bytes(11)))

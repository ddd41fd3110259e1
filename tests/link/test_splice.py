"""Content staged by the kernel, and by a buffer where the kernel will not: the same bytes."""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from udist_plugin.link.output import Output
from udist_plugin.link.splice import POOLED, SpliceableFile, Stage, Staged, StagedInBuffer, descriptor_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAYLOAD = 256 << 10
CONTENT = os.urandom(3 * PAYLOAD + 12345)

kinds = pytest.mark.parametrize(
    "portable",
    [
        pytest.param(
            False, marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux stages in pipes")
        ),
        True,
    ],
)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[io.FileIO]:
    (tmp_path / "file").write_bytes(CONTENT)
    with io.FileIO(tmp_path / "file") as opened:
        yield opened


class Reader:
    """Takes all that is written to ``output``."""

    def __init__(self) -> None:
        self._source, sink = os.pipe()
        os.set_blocking(sink, False)
        self.output = Output(sink, lambda: b"", lambda: False, 30)
        self._data = bytearray()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while data := os.read(self._source, 1 << 20):
            self._data += data

    def end(self) -> bytes:
        os.close(self.output.fd)
        self._thread.join(30)
        os.close(self._source)
        return bytes(self._data)


@kinds
@pytest.mark.parametrize("payload", [1, 1000, PAYLOAD])
def test_what_is_written_is_what_was_staged(file: io.FileIO, portable: bool, payload: int) -> None:
    stage = Stage(payload, portable=portable)
    source = SpliceableFile(file.fileno())
    file.seek(0 if payload == PAYLOAD else len(CONTENT) - 3 * payload - 1)
    expected = CONTENT[file.tell() :]
    staged = stage.take()
    reader = Reader()
    lengths = []
    try:
        with reader.output.turn(bulk=True):
            while length := staged.stage(source, payload):
                lengths.append(length)
                staged.write(reader.output)
    finally:
        written = reader.end()
    stage.give_back(staged, empty=True)
    stage.close()
    assert written == expected
    assert sum(lengths) == len(expected)
    assert max(lengths) == payload
    assert all(lengths[:-1])


@kinds
def test_no_more_is_staged_than_was_asked_for(file: io.FileIO, portable: bool) -> None:
    staged = Stage(PAYLOAD, portable=portable).take()
    assert staged.stage(SpliceableFile(file.fileno()), 10) == 10
    assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 10
    staged.close()


def test_a_buffer_is_no_larger_than_what_the_portable_way_needs(file: io.FileIO) -> None:
    staged = Stage(64 << 20, portable=True).take()
    assert staged.stage(SpliceableFile(file.fileno()), 64 << 20) == 256 << 10


@kinds
def test_places_are_used_again_as_long_as_they_are_empty(portable: bool) -> None:
    stage = Stage(PAYLOAD, portable=portable)
    first, second = stage.take(), stage.take()
    assert first is not second
    stage.give_back(first, empty=True)
    assert stage.take() is first
    stage.give_back(first, empty=False)
    assert stage.take() is not first
    stage.close()


def test_the_kernel_moves_content_where_it_can() -> None:
    stage = Stage(PAYLOAD)
    staged = stage.take()
    assert (stage.can_splice(), not isinstance(staged, StagedInBuffer)) == (sys.platform == "linux",) * 2
    staged.close()
    stage.close()


class Closed(Staged):
    """Notes whether it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


def test_so_many_places_are_kept_and_none_after_the_end() -> None:
    stage = Stage(PAYLOAD)
    places = [Closed() for _ in range(POOLED + 2)]
    for place in places:
        stage.give_back(place, empty=True)
    assert [place.closed for place in places] == [False] * POOLED + [True] * 2
    stage.close()
    assert all(place.closed for place in places)
    late = Closed()
    stage.give_back(late, empty=True)
    assert late.closed


def test_a_file_is_sent_from_where_reading_would_go_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    with (tmp_path / "file").open("rb") as file:
        for position in (0, 10, 100_000):
            file.seek(position)
            file.read(5)
            descriptor = descriptor_of(file)
            assert descriptor == file.fileno()
            assert os.lseek(descriptor, 0, os.SEEK_CUR) == position + 5
    with (tmp_path / "file").open("rb", buffering=0) as raw:
        raw.read(7)
        assert descriptor_of(raw) == raw.fileno()
        assert os.lseek(raw.fileno(), 0, os.SEEK_CUR) == 7


def test_what_is_only_like_a_file_has_no_descriptor_to_send_from(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with (tmp_path / "file").open() as text:
        assert descriptor_of(text) is None
    assert descriptor_of(io.BytesIO(b"x")) is None
    assert descriptor_of(object()) is None
    source, sink = os.pipe()
    os.close(sink)
    with open(source, "rb") as pipe:
        assert descriptor_of(pipe) is None

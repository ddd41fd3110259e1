"""Files of every kind, both ways: the kernel moves what it can, from where a reader would go on."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.server.conftest import COMMAND
from udist_plugin.client.plugin import Plugin

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_that_was_looked_into_is_sent_from_its_position(plugin: Plugin, tmp_path: Path) -> None:
    content = os.urandom(300_000)
    (tmp_path / "file").write_bytes(content)
    with (tmp_path / "file").open("rb") as file:
        file.read(10)
        for start in (10, 0, 299_000):  # within what was read ahead, before it, and after it
            file.seek(start)
            with plugin.request(
                "POST", "/echo", [("content-length", str(300_000 - start))], file
            ) as response:
                assert response.read() == content[start:]


def test_a_pipe_is_read_not_spliced(plugin: Plugin) -> None:
    source, sink = os.pipe()
    os.write(sink, b"x" * 1000)
    os.close(sink)
    with (
        open(source, "rb") as body,
        plugin.request("POST", "/count", [("content-length", "1000")], body, timeout=30) as response,
    ):
        assert response.read() == b"1000"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux stages files in pipes")
def test_no_descriptor_is_left_of_a_closed_plugin(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(300_000))

    def use() -> None:
        length = [("content-length", "300000")]
        with (
            Plugin(command=COMMAND) as plugin,
            (tmp_path / "file").open("rb") as file,
            plugin.request("POST", "/count", length, file) as response,
        ):
            assert response.read() == b"300000"

    use()
    gc.collect()
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        use()
    gc.collect()
    assert os.listdir("/proc/self/fd") == before


def test_an_application_s_file_is_served_from_its_position(plugin: Plugin, tmp_path: Path) -> None:
    content = os.urandom(300_000)
    (tmp_path / "file").write_bytes(content)
    with plugin.request("GET", f"/read_before{tmp_path}/file") as response:
        assert response.read() == content[10:]


def test_what_has_no_descriptor_is_served_all_the_same(plugin: Plugin) -> None:
    for size in (0, 100_000):
        with plugin.request("GET", f"/memory/{size}") as response:
            assert response.read() == bytes(size)

"""A plugin that is closed while the last payload of a response is on its way."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from tests.link.waiting import until
from udist_plugin.client.plugin import Plugin
from udist_plugin.wire.encoding import encode, encode_data_head
from udist_plugin.wire.frames import Frame, Response, Settings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CONTENT = b"content " * 30_000

PROGRAM = """
import os, select, sys
frames, marker = sys.argv[1:]
with open(frames, "rb") as file:
    settings, answer = file.read().split(b"ENDS HERE")
out = sys.stdout.buffer
out.write(settings)
out.flush()
while b"GET" not in os.read(0, 65536):
    pass
out.write(answer[:-1])
out.flush()
while not os.path.exists(marker):
    if select.select([0], [], [], 0.01)[0] and not os.read(0, 65536):
        sys.exit(0)
out.write(answer[-1:])
out.flush()
while os.read(0, 65536):
    pass
"""
"""Keeps the last byte back until there is a marker, and ends at the end of standard input."""


def test_the_last_payload_is_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udist_plugin.client.slots.UNREAD", 30.0)
    frames, marker = tmp_path / "frames", tmp_path / "marker"
    answer = encode(Frame(1, Response(200))) + encode_data_head(1, len(CONTENT), True) + CONTENT
    frames.write_bytes(encode(Frame(0, Settings([1]))) + b"ENDS HERE" + answer)
    plugin = Plugin(None, {}, [sys.executable, "-c", PROGRAM, str(frames), str(marker)])
    read: list[bytes] = []
    with plugin.request("GET", "/v2/") as response:
        link = plugin.link
        reader = threading.Thread(target=lambda: read.append(response.read()))
        reader.start()
        until(lambda: link.connection.quiet)  # the response has ended, but for a byte of its payload
        closer = threading.Thread(target=plugin.close)
        closer.start()
        until(lambda: link._closing and (link._slots._waiting or not closer.is_alive()))
        marker.touch()
        reader.join()
        closer.join()
    assert read == [CONTENT]

"""What ends the connection, whatever the state: bytes that are no frame, and frames that nobody may send."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.hexadecimal import framed
from udist_plugin.wire.encoding import encode
from udist_plugin.wire.frames import Frame, Response, WindowUpdate

if TYPE_CHECKING:
    from udist_plugin.testing.callers.run import Run

theme = Theme("wrong-frames")


WRONG = {
    "text": (b"Hello, world\n", "first-byte"),
    "a-compressed-message": (b"\x01\0\0\0\0", "first-byte"),
    "longer-than-any-frame": (b"\0\0\x10\0\x21", "frame-length"),
    "as-long-as-four-bytes-can-say": (b"\0\xff\xff\xff\xff", "frame-length"),
    "a-payload-over-the-limit": (b"\0\0\x10\0\x07\x08\x01\x7a\x81\x80\x40" + bytes(64), "payload-length"),
    "control-over-the-limit": (b"\0\0\1\0\1" + b"\x4a\x00" * 32, "frame-length"),
    "data-that-is-not-canonical-over-the-limit": (
        b"\0\0\1\0\1\x08\x01\x10\x00\x7a\xf9\xff\x03" + bytes(64),
        "frame-length",
    ),
    "nothing": (framed(""), "no-body"),
    "a-stream-alone": (framed("0801"), "no-body"),
    "a-body-of-the-future": (framed("0801 6200"), "no-body"),
    "not-protobuf": (framed("ffffff"), "not-a-frame"),
    "a-body-beyond-its-frame": (framed("4a050807"), "not-a-frame"),
    "a-group-without-end": (framed("0b"), "not-a-frame"),
    "field-number-0": (framed("0001 4a00"), "not-a-frame"),
    "text-that-is-not-utf-8": (framed("0801 4204 1202 c328"), "not-a-frame"),
    "a-varint-of-eleven-bytes": (framed("08" + "80" * 10 + "01"), "not-a-frame"),
    "a-response-on-an-even-stream": (encode(Frame(2, Response(200))), "never-opened"),
    "credit-for-an-even-stream": (encode(Frame(2, WindowUpdate(1))), "never-opened"),
}
"""The bytes, and PROTOCOL.md's name for what is wrong with them; what is over a limit shows early."""

CUT = {
    "an-end-within-a-prefix": b"\0\0\0",
    "an-end-within-a-frame": b"\0\0\0\0\x04\x4a\x02",
    "an-end-within-a-payload": b"\0\0\0\0\x09\x08\x01\x7a\x05hell",
}
"""Frames that standard output ends within: ``truncated``."""


def _play(name: str, run: Run) -> None:
    plugin = run.start()
    exchange = run.exchange()
    run.accepted(exchange)
    plugin.raw(WRONG[name][0], name)
    exchange.fails("INTERNAL")
    run.breaks()


def _cut(name: str, run: Run) -> None:
    plugin = run.start()
    exchange = run.exchange()
    run.accepted(exchange).respond(200)
    plugin.raw(CUT[name], name)
    plugin.await_written()
    plugin.end(0)
    exchange.fails()


for _name, (_, _error) in WRONG.items():
    theme.add(
        _name,
        f"{_error}: the exchange fails, and the client ends the plugin",
        functools.partial(_play, _name),
    )
for _name in CUT:
    theme.add(_name, "truncated: the exchange fails", functools.partial(_cut, _name))

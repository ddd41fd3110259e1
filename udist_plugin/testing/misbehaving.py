"""A plugin that misbehaves, for the tests of clients in any language.

    python -m udist_plugin.testing.misbehaving KIND

``KINDS`` tells what each kind does. It reads and writes standard input and output by the protocol's rules up
to the point where it breaks them.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Final

from udist_plugin.wire.constants import MAX_DATA, PREFIX_SIZE, VERSION
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.encoding import encode, encode_data_head
from udist_plugin.wire.frames import Frame, GoAway, Ping, Reset, Response, Settings

if TYPE_CHECKING:
    from udist_plugin.wire.frames import Body

KINDS: Final = {
    "exit": "ends at once with status 3 and a line on standard error",
    "hang": "reads nothing and says nothing",
    "text": "prints a line of text instead of settings",
    "late-text": "prints a line of text where a response should begin",
    "version": "chooses a version that nobody speaks",
    "refuse": "refuses the configuration with a go-away, and ends with status 78",
    "refuse-version": "refuses the caller's versions with a go-away, and ends with status 78",
    "long-refusal": "refuses the configuration with a message over the limit",
    "long-reset": "resets a stream with a message over the limit",
    "garbage": "answers a request with bytes that are no frame",
    "oversized": "announces a frame longer than any may be",
    "unopened": "answers on a stream that was never opened",
    "no-settings": "answers a request without having sent settings",
    "head-twice": "sends a response's head twice",
    "bad-status": "answers with status 99",
    "credit": "sends more data than it has credit for",
    "short": "ends a response before its content-length",
    "truncated": "ends in the middle of a frame",
    "truncated-end": "ends in the middle of a response's last frame",
    "half": "stops in the middle of a frame",
    "die": "is killed in the middle of a response",
    "die-in-a-frame": "is killed in the middle of a frame",
    "ok-too-early": "resets a stream with OK before its response has ended",
    "deaf": "reads nothing after the handshake",
    "mute": "answers no request",
    "chatter": "answers no request, and sends pings without end",
}
"""What each kind does."""

LONG_MESSAGE: Final = "\N{EURO SIGN}" * 20_000
"""Longer than a message may be, and short enough for a frame."""

_REFUSALS: Final = {
    "refuse": ("INVALID_ARGUMENT", "storage.filesystem.rootdirectory (x): expected a path"),
    "refuse-version": ("FAILED_PRECONDITION", "no common version: the peer speaks 1, this side 2"),
    "long-refusal": ("INVALID_ARGUMENT", LONG_MESSAGE),
}


def main(kind: str) -> None:
    """Behaves as ``kind`` until the caller closes standard input."""
    if kind not in KINDS:
        sys.exit(f"expected one of {', '.join(KINDS)}")
    match kind:
        case "exit":
            os.write(2, b"a last word\n")
            sys.exit(3)
        case "hang":
            _sleep()
        case "text":
            _write(b"Welcome to the plugin!\n")
            _sleep()
        case "no-settings":
            _write(encode(Frame(1, Response(200), True)))
            _sleep()
    _read_frame()
    if kind in _REFUSALS:
        _send(GoAway(0, *_REFUSALS[kind]))
        sys.exit(78)
    _send(Settings([VERSION + 1 if kind == "version" else VERSION], 64, (), "misbehaving/1", os.getpid()))
    if kind == "deaf":
        _sleep()
    _read_frame()
    _answer(kind)
    _sleep()


def _answer(kind: str) -> None:
    length = [("content-length", b"1000")]
    match kind:
        case "late-text":
            _write(b"Oops, a print\n")
        case "long-reset":
            _send(Reset("INTERNAL", LONG_MESSAGE), 1)
        case "garbage":
            _write(b"\0\0\0\0\x05\xff\xff\xff\xff\xff")
        case "oversized":
            _write(b"\0" + (MAX_DATA * 2).to_bytes(4, "big"))
        case "unopened":
            _send(Response(200), 7)
        case "head-twice":
            _send(Response(200), 1)
            _send(Response(200), 1)
        case "bad-status":
            _send(Response(99), 1)
        case "credit":
            _send(Response(200), 1)
            for _ in range(9):
                _write(encode_data_head(1, MAX_DATA, False) + bytes(MAX_DATA))
        case "short":
            _send(Response(200, length), 1)
            _write(encode_data_head(1, 10, True) + bytes(10))
        case "truncated" | "truncated-end":
            _send(Response(200, length), 1)
            _write(encode_data_head(1, 1000, kind == "truncated-end") + bytes(10))
            sys.exit(0)
        case "half":
            _send(Response(200, length), 1)
            _write(encode_data_head(1, 1000, False) + bytes(10))
        case "chatter":
            pings = encode(Frame(0, Ping(1))) * 1000
            while True:
                _write(pings)
        case "ok-too-early":
            _send(Response(200, length), 1)
            _send(Reset("OK"), 1)
        case "die" | "die-in-a-frame":
            _send(Response(200, length), 1)
            _write(encode_data_head(1, 10, False) + bytes(10 if kind == "die" else 9))
            os.write(2, b"about to be killed\n")
            os.kill(os.getpid(), 9)


def _sleep() -> None:
    """Reads nothing, and ends when the reader of standard output is gone, or after a minute."""
    from udist_plugin.link.fds import reader_gone

    end = time.monotonic() + 60
    while not reader_gone(1) and time.monotonic() < end:
        time.sleep(0.02)
    sys.exit(0)


def _read_frame() -> Frame:
    prefix = _read(PREFIX_SIZE)
    frame, _ = decode(_read(int.from_bytes(prefix[1:], "big")))
    return frame


def _read(size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = os.read(0, size - len(data))
        if not piece:
            sys.exit(0)
        data += piece
    return data


def _send(body: Body, stream_id: int = 0) -> None:
    _write(encode(Frame(stream_id, body)))


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")

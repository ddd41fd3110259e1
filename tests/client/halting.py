"""A plugin that stops in the middle of a frame until it is told to go on: ``python -m tests.client.halting``.

``/content`` and ``/head`` are answered up to the middle of a data frame, the last, and of a response's head;
``/prefix`` with less than the five bytes that each frame begins with.
``/wait`` is not answered; nor is ``/more``, which writes some of what is missing. ``/go`` writes all of it,
answers those that wait, and is answered itself.
"""

from __future__ import annotations

import os
import sys

from udist_plugin.wire.constants import PREFIX_SIZE, VERSION
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.encoding import encode, encode_data_head
from udist_plugin.wire.frames import Frame, Request, Response, Settings

COMMAND = [sys.executable, "-m", "tests.client.halting"]
CONTENT = bytes(range(256)) * 800
"""More than a read ahead, and less than the first credit."""


def main() -> None:
    write(encode(Frame(0, Settings([VERSION], 64))))
    missing, waiting = b"", []
    while frame := read_frame():
        if not isinstance(frame.body, Request):
            continue
        whole = encode(Frame(frame.stream_id, Response(200, [("content-length", b"%d" % len(CONTENT))])))
        match frame.body.target:
            case "/content":
                write(whole)
                whole = encode_data_head(frame.stream_id, len(CONTENT), True) + CONTENT
            case "/head":
                whole = encode(Frame(frame.stream_id, Response(200, [("field", b"x" * 10_000)]), True))
            case "/wait" | "/more" as target:
                waiting.append(frame.stream_id)
                if target == "/more":
                    write(missing[:1000])
                    missing = missing[1000:]
                continue
            case "/go":
                ends = [encode(Frame(each, Response(204), True)) for each in (*waiting, frame.stream_id)]
                write(missing + b"".join(ends))
                missing, waiting = b"", []
                continue
            case "/prefix":
                whole = bytes(PREFIX_SIZE)
        write(whole[: len(whole) // 2])
        missing = whole[len(whole) // 2 :]


def read_frame() -> Frame | None:
    prefix = sys.stdin.buffer.read(PREFIX_SIZE)
    return decode(sys.stdin.buffer.read(int.from_bytes(prefix[1:], "big")))[0] if prefix else None


def write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


if __name__ == "__main__":
    main()

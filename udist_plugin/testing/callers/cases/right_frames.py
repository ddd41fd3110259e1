"""Frames as protobuf allows them, though no sender of ours would write them so."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.hexadecimal import framed

if TYPE_CHECKING:
    from udist_plugin.testing.callers.run import Run

theme = Theme("right-frames")

HELLO = {
    "data-before-its-stream": "7a0568656c6c6f 0801",
    "data-with-end-stream-false": "0801 1000 7a0568656c6c6f",
    "data-on-a-stream-id-in-two-bytes": "088100 7a0568656c6c6f",
    "data-with-its-length-in-two-bytes": "0801 7a850068656c6c6f",
    "data-twice": "0801 7a03627965 7a0568656c6c6f",
    "data-behind-another-body": "0801 4200 7a0568656c6c6f",
    "data-with-an-unknown-field": "0801 6001 7a0568656c6c6f",
    "data-on-a-stream-id-of-33-bits": "0881 80808010 7a0568656c6c6f",
}
"""Ways to send "hello" on stream 1 in data that is not canonical."""

END = {
    "end-stream-of-two": "0801 1002 7a00",
    "data-with-end-stream-last": "0801 7a00 1001",
    "another-body-behind-data": "0801 7a0568656c6c6f 3200",
    "an-unknown-field-in-a-frame": "0801 3200 a00601",
    "an-unknown-field-in-a-body": "0801 3202 7801",
}
"""Ways to end the response on stream 1."""

RESPONSES = {
    "fields-apart": "0801 2a10 1206 0a01611201 31 08c801 1203 0a0162",
    "a-response-in-two-parts": "0801 2a0b 08c901 1206 0a01611201 31 2a08 08c801 1203 0a0162",
    "a-status-twice": "0801 2a13 08ca01 1206 0a01611201 31 08c801 1203 0a0162",
}
"""Ways to send the head of a response with status 200 and the fields a and b."""


def _play(name: str, run: Run) -> None:
    plugin = run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    if name in RESPONSES:
        plugin.raw(framed(RESPONSES[name]), name)
    else:
        stream.respond(200)
    plugin.raw(framed(HELLO[name]), name) if name in HELLO else stream.data(b"hello")
    plugin.raw(framed(END[name]), name) if name in END else stream.end()
    stream.closed = True
    exchange.succeeds(200, b"hello")
    run.works()


for _name in (*HELLO, *END, *RESPONSES):
    _play_it = functools.partial(_play, _name)
    theme.add(_name, "accepted, as protobuf's rules say", _play_it, core="unknown" in _name)


@theme.core
def settings_not_packed(run: Run) -> None:
    """Settings with unknown fields and an unpacked list of versions."""
    plugin = run.start(ready=False)
    exchange = run.exchange()
    plugin.await_settings()
    plugin.raw(framed("1a0a 0801 1040 a00601 1a0178"), "settings with unknown fields")
    plugin.settings_sent()
    run.answer(exchange)

"""What a caller makes of each frame in each state: PROTOCOL.md's tables in sections 3 and 7."""

from __future__ import annotations

from typing import Final

STREAM_STATES: Final = ("never opened", "waiting", "content", "ended", "given up", "closed")

_NEVER: Final = "**never-opened**"
_STATE: Final = "**wrong-state**"
_CLOSED: Final = "dropped, closed"

_DIRECTION: Final = ("**wrong-direction**",) * 6
_EMPTY: Final = ("**empty-data**",) * 6
_ZERO: Final = "**window-update**"

STREAM_CELLS: Final[dict[str, tuple[str, ...]]] = {
    "request": _DIRECTION,
    "response": (_NEVER, "head", _STATE, _STATE, "dropped", "dropped"),
    "response, last": (_NEVER, "head", _STATE, _STATE, _CLOSED, "dropped"),
    "response that may not travel": (_NEVER, "error INTERNAL", _STATE, _STATE, "dropped", "dropped"),
    "response that may not travel, last": (_NEVER, "error INTERNAL", _STATE, _STATE, _CLOSED, "dropped"),
    "response, last, with a content-length above 0": (
        *(_NEVER, "error INTERNAL", _STATE, _STATE, _CLOSED, "dropped"),
    ),
    "response without content, last, with a content-length above 0": (
        *(_NEVER, "head", _STATE, _STATE, _CLOSED, "dropped"),
    ),
    "data": (_NEVER, _STATE, "data", _STATE, "dropped", "dropped"),
    "data, last": (_NEVER, _STATE, "data", _STATE, _CLOSED, "dropped"),
    "data of nothing": _EMPTY,
    "data of nothing, last": (_NEVER, _STATE, "data", _STATE, _CLOSED, "dropped"),
    "data beyond its credit": (_NEVER, "**credit**", "**credit**", "**credit**", "dropped", "dropped"),
    "data beyond its content-length": (_NEVER, _STATE, "error INTERNAL", _STATE, "dropped", "dropped"),
    "data in a response without content": (_NEVER, _STATE, "error INTERNAL", _STATE, "dropped", "dropped"),
    "data, last, short of its content-length": (
        *(_NEVER, _STATE, "error INTERNAL", _STATE, _CLOSED, "dropped"),
    ),
    "end": (_NEVER, _STATE, "end", _STATE, _CLOSED, "dropped"),
    "end short of its content-length": (_NEVER, _STATE, "error INTERNAL", _STATE, _CLOSED, "dropped"),
    "end with trailers that may not travel": (
        *(_NEVER, _STATE, "error INVALID_ARGUMENT", _STATE, _CLOSED, "dropped"),
    ),
    "window_update": (_NEVER, "credit", "credit", "credit", "dropped", "dropped"),
    "window_update of 0": (_NEVER, _ZERO, _ZERO, _ZERO, "dropped", "dropped"),
    "window_update beyond the largest credit": (_NEVER, _ZERO, _ZERO, _ZERO, "dropped", "dropped"),
    "reset with OK": (_NEVER, "reset INTERNAL", "reset INTERNAL", "reset OK", _CLOSED, "dropped"),
    "reset with another code": (
        *(_NEVER, "reset CANCELLED", "reset CANCELLED", "reset CANCELLED", _CLOSED, "dropped"),
    ),
}
"""The cells of each frame, by ``STREAM_STATES``. Bold text names a connection error."""

_EARLY: Final = "**before-settings**"

CONNECTION_STATES: Final = ("before the peer's settings", "after them")

CONNECTION_CELLS: Final[dict[str, tuple[str, str]]] = {
    "settings": ("settings", "**settings-twice**"),
    "settings without a common version": ("**version**", "**settings-twice**"),
    "ping": (_EARLY, "ping"),
    "ping with ack": (_EARLY, "dropped"),
    "go_away": ("go_away", "go_away"),
    "log": (_EARLY, "log"),
    "request, response, end, data, window_update, reset": (_EARLY, "the tables of section 3"),
    "settings, go_away on a stream": ("**stream-zero**", "**stream-zero**"),
    "ping, log on a stream": (_EARLY, "**stream-zero**"),
    "request, response, end, data, window_update, reset on stream 0": (_EARLY, "**stream-zero**"),
    "settings, go_away with end_stream": ("**end-stream**", "**end-stream**"),
    "ping, log, end, window_update, reset with end_stream": (_EARLY, "**end-stream**"),
}
"""The cells of each frame, by ``CONNECTION_STATES``."""

"""PROTOCOL.md's names for what ends a connection, and what our errors say of each."""

from __future__ import annotations

from typing import Final

CATEGORIES: Final = {
    "first-byte": r"a frame begins with byte 0, this one with 0x",
    "frame-length": r"a frame of \d+ bytes .*exceeds the limit of",
    "payload-length": r"a payload of \d+ bytes exceeds the limit of",
    "truncated": r"the stream ended within a frame",
    "not-a-frame": r"\d+ bytes that are not a Frame",
    "no-body": r"a frame without a body known to version 1",
    "before-settings": r".* before settings",
    "settings-twice": r"settings twice",
    "version": r"no common version|the plugin chose more than one version",
    "stream-zero": r"\w+ on stream \d+$",
    "end-stream": r"end_stream on \w+",
    "wrong-direction": r"a request from the plugin|a response from the caller",
    "stream-id": r"a request on stream \d+ after stream \d+",
    "never-opened": r"stream \d+ was never opened",
    "wrong-state": r".* on stream \d+, which (waits for its head|has begun|has ended)",
    "empty-data": r"data without payload or end on stream \d+",
    "credit": r"\d+ bytes of data with \d+ bytes of credit",
    "window-update": r"a window update of \d+ bytes on \d+",
    "refusals": r"more refusals are owed than the peer reads",
}

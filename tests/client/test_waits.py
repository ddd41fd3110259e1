"""The client waits as long as PROTOCOL.md says, and no longer."""

from __future__ import annotations

import re
from inspect import signature
from typing import TYPE_CHECKING

from tests.vectors.protocol_text import table
from udist_plugin.client import link, plugin
from udist_plugin.client.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterator


def seconds() -> Iterator[tuple[str, float]]:
    for row in table("who", "waits for", "at most", "then"):
        if row["who"] == "caller" and (found := re.match(r"([\d.]+) s\b", row["at most"])):
            yield row["waits for"], float(found[1])


def test_the_client_waits_as_long_as_the_protocol_says() -> None:
    assert dict(seconds()) == {
        "the plugin's settings": signature(Plugin).parameters["timeout"].default,
        "room in standard input, while no byte is accepted": link.STALL,
        "the rest of a frame, while no byte arrives": link.STALL,
        "a response, after standard input broke (EPIPE)": link.LAST_WORDS,
        "the exit status, after standard output ended": link.DYING,
        "open responses, when closing": plugin.GRACE,
        "the plugin's exit, after closing standard input": plugin.GRACE,
        "the plugin's exit, after TERM": plugin.TERMINATED,
    }

"""A client and a plugin of different releases."""

from __future__ import annotations

import logging

import pytest

from tests.scripted import scripted
from udist_plugin.client.plugin import Plugin
from udist_plugin.version import IMPLEMENTATION, SAME_RELEASE
from udist_plugin.wire.encoding import encode
from udist_plugin.wire.frames import Frame, Settings

OTHER = f"the plugin is udist-python/99.0.0, and this client {IMPLEMENTATION}: {SAME_RELEASE}"


def start(implementation: str, lines: list[str] | None = None) -> None:
    """Starts a plugin that calls itself so, and ends it."""
    command = scripted(encode(Frame(0, Settings([1], 64, implementation=implementation))))
    Plugin(command=command, log=None if lines is None else lines.append).close()


def test_another_release_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "udist_plugin"):
        start("udist-python/99.0.0")
    assert caplog.messages == [OTHER]
    lines: list[str] = []
    start("udist-python/99.0.0", lines)
    assert lines == [OTHER]


@pytest.mark.parametrize("implementation", ["", IMPLEMENTATION, "another/99.0.0", "udist-x/1\x1b[2J"])
def test_of_others_nothing_is_said(implementation: str) -> None:
    lines: list[str] = []
    start(implementation, lines)
    assert lines == []

"""One thread ends what the others wait for."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.server.conftest import COMMAND
from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable


def a_head(plugin: Plugin) -> None:
    plugin.request("GET", "/stall", timeout=60)


def a_head_after_content(plugin: Plugin) -> None:
    content = io.BytesIO(bytes(64 << 20))  # more than credit and pipe take
    plugin.request("POST", "/stall", body=content, timeout=60)


@pytest.mark.parametrize("wait_for", [a_head, a_head_after_content])
def test_all_exchanges_end_and_new_ones_can_be_begun(wait_for: Callable[[Plugin], None]) -> None:
    with Plugin(command=COMMAND) as plugin, ThreadPoolExecutor(3) as pool:
        unread = plugin.request("GET", f"/zeros/{1 << 30}", timeout=60)
        waiting = [pool.submit(wait_for, plugin) for _ in range(3)]
        with plugin.request("GET", "/stalling", timeout=60):
            plugin.cancel()
        for each in waiting:
            with pytest.raises(Cancelled):
                each.result(60)
        with pytest.raises(Cancelled):
            unread.read()
        with plugin.request("GET", "/resume", timeout=60) as response:
            assert response.status == 204


def test_content_that_is_complete_stays_readable() -> None:
    with Plugin(command=COMMAND) as plugin, plugin.request("GET", "/zeros/0") as response:
        plugin.cancel()
        assert response.read() == b""

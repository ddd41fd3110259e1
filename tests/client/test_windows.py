"""Both sides by the calls that Windows has, tried elsewhere: what is missing there is taken away first."""

from __future__ import annotations

import subprocess
import sys

import pytest

AS_WINDOWS = """
import gc, itertools, mmap, os, signal, subprocess, sys, tempfile, threading, traceback, types

sys.platform = "win32"
os.O_BINARY = 0
sys.modules["msvcrt"] = types.SimpleNamespace(setmode=lambda descriptor, mode: mode)
sys.modules["fcntl"] = sys.modules["select"] = None
for name in ("readv", "writev", "set_blocking", "get_blocking", "splice"):
    if hasattr(os, name):
        delattr(os, name)
"""

PLUGIN = """
from tests.server.apps import Service
from udist_plugin.server.stdio import serve
from udist_plugin.server.streams import take_standard_streams

serve(*take_standard_streams(), lambda *_: Service())
"""

CALLER = """
from udist_plugin.client.plugin import Plugin

with Plugin(command=[sys.executable, "-c", sys.argv[1]]) as plugin:
    for size in (0, 1000, 3 << 20):
        with plugin.request("POST", "/echo", body=bytes(size)) as response:
            assert response.read() == bytes(size)
    for _ in range(70):
        plugin.request("GET", "/zeros/1000000").close()
print(plugin.status)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the other tests try it there")
def test_exchanges_need_no_call_that_windows_lacks() -> None:
    command = [sys.executable, "-c", AS_WINDOWS + CALLER, AS_WINDOWS + PLUGIN]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (result.stdout, result.returncode) == ("0\n", 0), result.stderr

"""A plugin behind sudo, and within other namespaces."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.carriers.blobs import INMEMORY, is_alive, pid_of, pull, push
from tests.carriers.sshd import PLUGIN
from tests.link.waiting import until
from tests.tools import require_tool
from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import PluginDied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="namespaces, and processes in /proc")


def test_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """It drops the caller's variables, so those do not reach the plugin."""
    monkeypatch.setenv("REGISTRY_LOG_LEVEL", "loud")
    with Plugin(INMEMORY, command=[require_tool("sudo"), "-n", *PLUGIN]) as plugin:
        assert pull(plugin, push(plugin, b"content")) == b"content"
        pid = pid_of(plugin)
        assert os.stat(f"/proc/{pid}").st_uid == 0
    assert plugin.status == 0
    until(lambda: not is_alive(pid))


def test_sudo_that_would_need_a_password_is_named() -> None:
    sudo = require_tool("sudo")
    with pytest.raises(PluginDied, match=r"(?s)exit status 1.*sudo: a password is required"):
        Plugin(INMEMORY, command=[sudo, "-n", "-u", "nobody", sudo, "-n", *PLUGIN])


@pytest.fixture
def namespaces(tmp_path: Path) -> Iterator[int]:
    """A process in a user and a mount namespace, where ``store`` is a file system that nobody else sees."""
    store = tmp_path / "store"
    store.mkdir()
    mount = 'mount -t tmpfs tmpfs "$0" && echo mounted && exec cat'
    with subprocess.Popen(
        [
            require_tool("unshare"),
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            mount,
            tmp_path / "store",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "mounted\n"
        yield process.pid  # it ends with its standard input


def test_nsenter(namespaces: int, tmp_path: Path) -> None:
    config = f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path / 'store'}}}}}\n"
    nsenter = [
        require_tool("nsenter"),
        "--preserve-credentials",
        "--user",
        "--mount",
        f"--target={namespaces}",
    ]
    with Plugin(config, {}, [*nsenter, *PLUGIN]) as plugin:
        assert pull(plugin, push(plugin, b"content")) == b"content"
        assert os.listdir(f"/proc/{namespaces}/root/{tmp_path}/store") == ["docker"]
    assert plugin.status == 0
    assert os.listdir(tmp_path / "store") == []

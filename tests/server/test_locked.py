"""A plugin that its caller cannot change: what it refuses, ignores and does not offer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.raw import PLUGIN, raw
from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import HandshakeFailed
from udist_plugin.wire.constants import FILES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def locked(tmp_path: Path) -> list[str]:
    """The command of a plugin that takes nothing from its caller."""
    file = tmp_path / "config.yml"
    file.write_text(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path / 'store'}}}}}\n")
    return [*PLUGIN, "--locked", "--config", str(file)]


@pytest.mark.parametrize("given", [{"config": ""}, {"config": "version: 0.1\n"}, {"environ": {}}])
def test_a_locked_plugin_refuses_a_caller_that_wants_to_change_it(
    locked: list[str], given: dict[str, Any]
) -> None:
    with pytest.raises(HandshakeFailed, match=r"locked \(--locked\).*send neither") as caught:
        Plugin(command=locked, **given)
    assert caught.value.code == "INVALID_ARGUMENT"


def test_a_locked_plugin_ignores_variables_and_says_so(
    locked: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REGISTRY_STORAGE", "inmemory")
    monkeypatch.setenv("REGISTRY_STORAGE_MAINTENANCE_READONLY", "{enabled: true}")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", "podman's")
    with Plugin(command=[*locked[:-3], *locked[-2:], "--locked"]) as plugin:
        names = "REGISTRY_STORAGE, REGISTRY_STORAGE_MAINTENANCE_READONLY"
        assert plugin.warnings == (f"ignored, as the plugin is locked: {names}",)
        with plugin.request("POST", "/v2/a/blobs/uploads/") as response:
            assert response.status == 202
    assert (tmp_path / "store/docker").is_dir()


@pytest.mark.skipif(sys.platform != "linux", reason="no files are shared elsewhere")
def test_a_locked_plugin_shares_no_files(locked: list[str]) -> None:
    for command, capabilities in ((locked, set[str]()), ([*PLUGIN, *locked[-2:]], {FILES})):
        with Plugin(command=command, files=True) as plugin:
            assert plugin.link.connection.peer
            assert {FILES} & set(plugin.link.connection.peer.capabilities) == capabilities


@pytest.mark.parametrize(
    "arguments",
    [
        ["--locked"],
        ["--locked", "--config"],
        ["--locked", "--config="],
        ["--locked", "--config=x", "--locked"],
    ],
)
def test_what_is_locked_needs_a_file(arguments: list[str]) -> None:
    status, frames, errors = raw(b"", *arguments)
    assert (status, frames) == (64, [])
    assert errors.startswith(f"udist-plugin: invalid arguments: {' '.join(arguments)}\n\nusage: ")

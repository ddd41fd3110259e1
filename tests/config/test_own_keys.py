"""Keys of our own stand below ``udist``, where stock servers leave them alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.storage.stock import running
from udist_plugin.config import load
from udist_plugin.config.aliases import ALIASES
from udist_plugin.config.keys import all_keys
from udist_plugin.keys import WORKS, Key
from udist_plugin.kinds import Choice

if TYPE_CHECKING:
    from pathlib import Path

OURS = [key for key in all_keys() if key.path.startswith("udist.") and "[]" not in key.path]


def _value(key: Key) -> object:
    if key.path.endswith("[]"):
        return ["read" if isinstance(key.kind, Choice) else "x"]
    return key.default if key.default is not None else "x"


@pytest.mark.parametrize("server", ["registry", "docker-registry"])
def test_a_stock_server_starts_with_all_of_them(server: str, tmp_path: Path) -> None:
    """Versions 3 and 2 of distribution."""
    section: dict[str, Any] = {}
    for key in OURS:
        *folders, name = key.path.split(".")[1:]
        below = section
        for folder in folders:
            entry = below.setdefault(folder.removesuffix("[]"), [{}] if folder.endswith("[]") else {})
            below = entry[0] if isinstance(entry, list) else entry
        below[name.removesuffix("[]")] = _value(key)
    assert section
    config = tmp_path / "config.yml"
    document = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "store")}},
        "http": {"addr": "127.0.0.1:0"},
        "udist": section,
    }
    config.write_text(json.dumps(document))  # which is YAML
    with running(server, config) as stock:
        assert stock.request("GET", "/v2/").status == 200
    assert load(config.read_text(), {}).warnings == []


def test_they_stand_nowhere_else() -> None:
    """A key that distribution does not know is an older name of one below ``udist``."""
    older = {old for old, new in ALIASES if new.startswith("udist.")}
    mine = {
        key.path
        for key in all_keys()
        if key.effect.startswith("the old name of udist.") and key.status is WORKS
    }
    assert mine == older
    assert not [key for key in all_keys() if "udist's own" in key.effect]


@pytest.mark.parametrize(
    ("source", "environ"),
    [
        ("udist: {s3: {profile: p, cafile: /ca}}", {}),
        ("", {"REGISTRY_UDIST_S3_PROFILE": "p", "REGISTRY_UDIST_S3_CAFILE": "/ca"}),
        ("", {"REGISTRY_STORAGE_S3_PROFILE": "p", "REGISTRY_STORAGE_S3_CAFILE": "/ca"}),
    ],
)
def test_what_they_say_of_a_driver_is_in_its_parameters(source: str, environ: dict[str, str]) -> None:
    text = f"version: 0.1\nstorage: {{s3: {{bucket: b, region: r}}}}\n{source}\n"
    parameters = load(text, environ).configuration.storage.parameters
    assert (parameters["profile"], parameters["cafile"]) == ("p", "/ca")

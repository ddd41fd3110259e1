"""What ``import udist_plugin`` offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import udist_plugin


def test_every_name_is_there_and_they_are_sorted() -> None:
    assert udist_plugin.__all__ == sorted(udist_plugin.__all__)
    assert all(getattr(udist_plugin, name).__name__ == name for name in udist_plugin.__all__)
    assert set(udist_plugin.__all__) <= set(dir(udist_plugin))


def test_no_other_name_is() -> None:
    with pytest.raises(AttributeError, match="'udist_plugin' has no attribute 'Registry'"):
        _ = udist_plugin.Registry


def test_the_import_itself_loads_nothing_but_the_version() -> None:
    code = (
        "import sys, udist_plugin; print([name for name in sys.modules if name.startswith('udist_plugin.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "['udist_plugin.version']"

"""What the packages that users import from offer."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import udist_plugin
import udist_plugin.client
import udist_plugin.images
import udist_plugin.remote

if TYPE_CHECKING:
    from types import ModuleType

PACKAGES = [udist_plugin, udist_plugin.client, udist_plugin.images, udist_plugin.remote]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_is_there_and_they_are_sorted(package: ModuleType) -> None:
    assert package.__all__ == sorted(package.__all__)
    assert all(getattr(package, name).__name__ == name for name in package.__all__)
    assert set(package.__all__) <= set(dir(package))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_name_is(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match=f"'{package.__name__}' has no attribute 'Registry'"):
        _ = package.Registry


def test_the_import_itself_loads_no_room() -> None:
    code = (
        "import sys, udist_plugin; print([name for name in sys.modules if name.startswith('udist_plugin.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "['udist_plugin.typed', 'udist_plugin.version']"

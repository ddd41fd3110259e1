"""A store and somebody who signs the images in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.storage.signatures.signer import Signer
from tests.storage.signatures.store import Store
from tests.tools import require_tool

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture(scope="session")
def program() -> str:
    """The path of cosign or of a program that takes the same arguments."""
    return require_tool("keycosign")


@pytest.fixture
def signer(program: str, tmp_path: Path) -> Signer:
    return Signer(program, tmp_path / "signer")

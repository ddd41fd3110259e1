"""Every kind of fault of a network file system at every call; the suite draws one of each kind."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.storage.test_network import sweep

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("beside_others", [False, True])
def test_any_call_fails_once(tmp_path: Path, beside_others: bool) -> None:
    sweep(tmp_path, most=sys.maxsize, beside_others=beside_others)

"""Plugins, collectors and a stock server on one store, in random orders; tests/campaigns has more of them."""

from __future__ import annotations

import pytest

from tests.storage.actors import interleave


@pytest.mark.parametrize("seed", range(120))
def test_nothing_acknowledged_is_lost(seed: int) -> None:
    interleave(seed)

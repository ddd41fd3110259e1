"""Plugins, collectors and a stock server on one store, in random orders; tests/campaigns has more of them."""

from __future__ import annotations

import pytest

from tests.storage.orders import interleave

PART = 10


@pytest.mark.parametrize("first", range(0, 320, PART))
def test_nothing_acknowledged_is_lost(first: int) -> None:
    for seed in range(first, first + PART):
        try:
            interleave(seed)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise

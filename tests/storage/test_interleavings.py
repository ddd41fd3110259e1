"""Plugins, collectors and a stock server on one store, in random orders; tests/campaigns has more of them."""

from __future__ import annotations

import pytest

from tests.storage.actors import interleave


@pytest.mark.parametrize("seed", range(120))
def test_nothing_acknowledged_is_lost(seed: int) -> None:
    interleave(seed)


@pytest.mark.parametrize("seed", [*range(40), 805, 877])
def test_nothing_acknowledged_is_lost_while_the_store_is_repaired(seed: int) -> None:
    """The last two push again what leads to a link that is just being deleted."""
    interleave(seed, scrubbing=True)

"""100,000 orders in which plugins, collectors and a stock server share a store; the suite tries 320.

``UDIST_SEEDS`` is a range of other seeds to try: ``0:500000``. One that fails is tried alone with ``7:8``;
the error has a note of what everybody wrote, in order.
"""

from __future__ import annotations

import os

import pytest

from tests.storage.orders import interleave

PARTS = 100


def parts() -> list[range]:
    first, _, behind = os.environ.get("UDIST_SEEDS", "0:100000").partition(":")
    seeds = range(int(first), int(behind))
    length = -(-len(seeds) // PARTS)
    return [seeds[start : start + length] for start in range(0, len(seeds), length)]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seeds", parts(), ids=lambda seeds: f"{seeds.start}:{seeds.stop}")
def test_nothing_acknowledged_is_lost(seeds: range) -> None:
    for seed in seeds:
        try:
            interleave(seed)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise

"""What the tests of several modules need."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Its ends, of which the one that is written to does not block."""
    source, sink = os.pipe()
    os.set_blocking(sink, False)
    yield source, sink
    os.close(source)
    os.close(sink)

"""Names of images that are none."""

from __future__ import annotations

import pytest

from udist_plugin.errors import ReferenceInvalid
from udist_plugin.images.references import Named


@pytest.mark.timeout(20)
@pytest.mark.parametrize("part", ["a", "a-", "a.", "a.a/"])
def test_a_long_one_is_refused_at_once(part: str) -> None:
    with pytest.raises(ReferenceInvalid):
        Named.parse(part * 5000 + "!")

"""What was looked at of the mutation campaign's survivors is of code that still stands."""

from __future__ import annotations

from difflib import get_close_matches

import pytest

from tests.campaigns.mutation.survivors import KINDS, verdicts
from tests.house.test_imports import PACKAGE

VERDICTS = verdicts()


@pytest.mark.parametrize("name", sorted({name for name, _ in VERDICTS}))
def test_every_mutant_is_of_a_line_that_stands(name: str) -> None:
    """A verdict on a line that is gone is to go as well."""
    lines = [line.strip() for line in (PACKAGE / name).read_text().splitlines()]
    mutants = [line for file, line in VERDICTS if file == name]
    assert [line for line in mutants if line in lines] == []
    assert [line for line in mutants if not get_close_matches(line, lines, 1, 0.8)] == []


def test_every_verdict_has_its_kind_and_its_reason() -> None:
    assert {verdict.kind for verdict in VERDICTS.values()} <= {*KINDS}
    assert all(verdict.reason for verdict in VERDICTS.values())

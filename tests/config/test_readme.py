"""The README's list of keys is the schema's."""

from __future__ import annotations

import re

from tests.house.generate import REPOSITORY
from udist_plugin.config.schema import KEYS, Status


def test_every_key_that_works_stands_in_the_readme() -> None:
    section = (
        (REPOSITORY / "README.md").read_text().partition("\n## Configuration\n")[2].partition("\n## ")[0]
    )
    rows = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z.*]+)`", row)}
    works = {key.path.partition("[]")[0] for key in KEYS if key.status is Status.WORKS}
    assert works <= named

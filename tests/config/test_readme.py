"""The README names no key that there is not."""

from __future__ import annotations

import re

from tests.house.generate import REPOSITORY
from udist_plugin.config.keys import all_keys
from udist_plugin.keys import NO_EFFECT


def test_every_key_that_the_readme_names_is_one() -> None:
    section = (
        (REPOSITORY / "README.md").read_text().partition("\n## Configuration\n")[2].partition("\n## ")[0]
    )
    named = set(re.findall(r"`([a-z]+(?:\.[a-z0-9_*]+)+)`", section))
    paths = {key.path.replace("[]", "") for key in all_keys()}
    sections = {path[: end.start()] for path in paths for end in re.finditer(r"\.", path)}
    assert named
    assert named <= paths | sections | {"auth.file"}


def test_every_key_without_effect_stands_in_the_table_of_differences() -> None:
    table = (REPOSITORY / "README.md").read_text().partition("\n### Differences\n")[2].partition("\n### ")[0]
    named = set(re.findall(r"`([a-z0-9_.]+)`", table))
    keys = {key.path for key in all_keys() if key.status == NO_EFFECT and not key.path.startswith("redis.")}
    assert keys <= named
    assert "some of go-redis's options" in table

"""The README names no key that there is not."""

from __future__ import annotations

import re

from tests.house.generate import REPOSITORY
from udist_plugin.config.keys import all_keys


def test_every_key_that_the_readme_names_is_one() -> None:
    section = (
        (REPOSITORY / "README.md").read_text().partition("\n## Configuration\n")[2].partition("\n## ")[0]
    )
    named = set(re.findall(r"`([a-z]+(?:\.[a-z0-9_*]+)+)`", section))
    paths = {key.path.replace("[]", "") for key in all_keys()}
    sections = {path[: end.start()] for path in paths for end in re.finditer(r"\.", path)}
    assert named
    assert named <= paths | sections | {"auth.file"}

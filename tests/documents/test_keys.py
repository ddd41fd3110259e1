"""The documentation names no configuration key that there is not."""

from __future__ import annotations

import re

from tests.documents.reading import DOCS
from udist_plugin.config.keys import all_keys
from udist_plugin.keys import NO_EFFECT

PAGES = ("access", "configuration", "stores", "differences", "notifications", "proxy")


def test_every_key_that_is_named_is_one() -> None:
    text = "".join((DOCS / f"{page}.md").read_text() for page in PAGES)
    named = set(re.findall(r"`([a-z]+(?:\.[a-z0-9_*]+)+)`", text))
    paths = {key.path.replace("[]", "") for key in all_keys()}
    sections = {path[: end.start()] for path in paths for end in re.finditer(r"\.", path)}
    assert named
    assert named <= paths | sections | {"auth.file"}


def test_every_key_without_effect_stands_in_the_table_of_differences() -> None:
    named = set(re.findall(r"`([a-z0-9_.\[\]]+)`", (DOCS / "differences.md").read_text()))
    keys = {key.path for key in all_keys() if key.status == NO_EFFECT and not key.path.startswith("redis.")}
    assert keys <= named
    assert "some of go-redis's options" in (DOCS / "differences.md").read_text()

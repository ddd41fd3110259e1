"""The registry of ``clients/node`` names its verbs as ``udist_plugin.registry`` does."""

from __future__ import annotations

import re

from tests.house.generate import REPOSITORY
from udist_plugin.registry import Registry

SOURCE = REPOSITORY / "clients" / "node" / "src" / "oci" / "registry.ts"

METHOD = re.compile(r"^  (?:async )?([a-z]\w+)\(", re.MULTILINE)

MISSING = {"locate_blob", "start_upload", "resume_upload"}
"""Verbs that no client over HTTP has, and upload sessions, which a ``fetch`` is there for."""


def test_the_verbs_are_those_of_python() -> None:
    verbs = {name for name in vars(Registry) if not name.startswith("_")} - MISSING
    methods = set(METHOD.findall(SOURCE.read_text())) - {"constructor"}
    assert {re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name) for name in methods} == verbs

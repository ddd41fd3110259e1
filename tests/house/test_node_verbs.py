"""``udist-plugin/oci`` of ``clients/node`` names its verbs as ``udist_plugin`` does."""

from __future__ import annotations

import re

from tests.house.generate import REPOSITORY
from udist_plugin.images.pull import pull_artifact
from udist_plugin.images.push import push_artifact
from udist_plugin.registry import Registry

OCI = REPOSITORY / "clients" / "node" / "src" / "oci"

FUNCTION = re.compile(r"^export async function (\w+)\(", re.MULTILINE)
METHOD = re.compile(r"^  (?:async )?([a-z]\w+)\(", re.MULTILINE)

MISSING = {"locate_blob", "open_manifest", "start_upload", "resume_upload"}
"""Verbs that no client over HTTP has, and upload sessions, which a ``fetch`` is there for."""


def test_the_verbs_of_a_registry() -> None:
    verbs = {name for name in vars(Registry) if not name.startswith("_")} - MISSING
    assert named(METHOD, "registry.ts") - {"constructor"} == verbs


def test_the_verbs_of_artifacts() -> None:
    assert named(FUNCTION, "artifact.ts") == {push_artifact.__name__, pull_artifact.__name__}


def named(declaration: re.Pattern[str], source: str) -> set[str]:
    """What ``source`` declares, in Python's spelling."""
    names = declaration.findall((OCI / source).read_text())
    return {re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name) for name in names}

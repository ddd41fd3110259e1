"""Names that other packages keep to themselves and we use all the same, each for a known version.

A newer version may take one away without a word. Whoever raises a version looks at the places that use its
names, and notes the version here.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import sys
import tarfile
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.house.test_imports import sources

if TYPE_CHECKING:
    from collections.abc import Iterator


class Private(NamedTuple):
    """``owner`` is the class or module that has the name, ``version`` the package's that it was seen in."""

    package: str
    version: str
    owner: str


NAMES = {
    "_bucket_metadata_cache": Private("google-cloud-storage", "3.17.1", "google.cloud.storage:Client"),
    "_http": Private("google-cloud-storage", "3.17.1", "google.cloud.storage:Client"),
    "_raw_stream": Private("botocore", "1.44.5", "botocore.response:StreamingBody"),
    "_fp": Private("urllib3", "2.8.0", "urllib3.response:HTTPResponse"),
    "_enabled": Private("botocore", "1.44.5", "botocore.retries.adaptive:ClientRateLimiter"),
    "_token_bucket": Private("botocore", "1.44.5", "botocore.retries.adaptive:ClientRateLimiter"),
}
MODULES = {
    "botocore.httpsession": Private("botocore", "1.44.5", "URLLib3SSLError"),
    "botocore.parsers": Private("botocore", "1.44.5", "ResponseParserError"),
    "botocore.retries.adaptive": Private("botocore", "1.44.5", "ClientRateLimiter RateClocker"),
    "botocore.retries.bucket": Private("botocore", "1.44.5", "Clock TokenBucket"),
    "botocore.retries.standard": Private(
        "botocore", "1.44.5", "RetryEventAdapter StandardRetryConditions ThrottlingErrorDetector"
    ),
    "botocore.retries.throttling": Private("botocore", "1.44.5", "CubicCalculator"),
}
"""Modules that are documented nowhere, and what is taken from them."""

OF_TYPES = {"_Hash"}
"""Names that only the type checker's stubs have."""
OF_PYTHON = {
    "_ActionsContainer": argparse,
    "_proc_member": tarfile.TarInfo,
    "_exit": importlib.import_module("os"),
    "_getframe": sys,
}
"""Names of the standard library."""


def test_every_private_name_that_is_not_ours_is_listed() -> None:
    used, ours = set[str](), set[str]()
    for path in sources().values():
        tree = ast.parse(path.read_text())
        ours.update(_defined(tree))
        used.update(
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__")
        )
    assert used - ours == {*NAMES, *OF_TYPES, *OF_PYTHON} - ours


def _defined(tree: ast.AST) -> Iterator[str]:
    """Names that a file gives to something: functions, classes, attributes of ``self``, fields of tuples."""
    yield from ("_replace", "_asdict")  # NamedTuple's, documented
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
            and node.value.id in {"self", "cls"}
        ):
            yield node.attr


@pytest.mark.parametrize("name", NAMES)
def test_it_is_known_for_the_version_that_is_held(name: str) -> None:
    private = NAMES[name]
    assert version(private.package) == private.version, f"look whether {private.owner} still has {name}"
    module, _, owner = private.owner.partition(":")
    source = importlib.import_module(module)
    path = importlib.import_module(getattr(source, owner).__module__).__file__
    assert path is not None
    with open(path, encoding="utf-8") as file:
        assert name in file.read()


@pytest.mark.parametrize("module", MODULES)
def test_a_module_that_nobody_documents_still_has_what_is_taken_from_it(module: str) -> None:
    private = MODULES[module]
    assert version(private.package) == private.version, f"look whether {module} is still what it was"
    assert [
        name for name in private.owner.split() if not hasattr(importlib.import_module(module), name)
    ] == []


@pytest.mark.parametrize("name", OF_PYTHON)
def test_the_standard_library_has_it(name: str) -> None:
    assert hasattr(OF_PYTHON[name], name)

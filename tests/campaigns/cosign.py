"""The suite's tests of signatures with cosign itself, which takes minutes to compile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.storage.signatures.conftest import signer, store
from tests.storage.signatures.test_cosign import (
    test_a_signature_is_verified_through_stock,
    test_after_an_upgrade_stock_finds_it_and_keeps_it,
    test_crane_copies_a_signature_with_all_tags_where_there_is_a_tag,
    test_signatures_by_two_through_udist_and_stock_are_both_verified,
    test_without_the_setting_stock_does_not_find_it_and_collects_it,
)
from tests.tools import run_tool

__all__ = [
    "signer",
    "store",
    "test_a_signature_is_verified_through_stock",
    "test_after_an_upgrade_stock_finds_it_and_keeps_it",
    "test_crane_copies_a_signature_with_all_tags_where_there_is_a_tag",
    "test_signatures_by_two_through_udist_and_stock_are_both_verified",
    "test_without_the_setting_stock_does_not_find_it_and_collects_it",
]

MODULE = "github.com/sigstore/cosign/v3"
PACKAGES = Path(__file__).parents[1] / "storage" / "signatures" / "cosign"
"""Where go.mod names the version."""

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("cosign")
    command = ("go", "list", "-m", "-f", "{{.Version}}", MODULE)
    version = run_tool(*command, cwd=PACKAGES, timeout=600).split()[-1]
    program = f"{MODULE}/cmd/cosign@{version}"
    run_tool("go", "install", program, cwd=folder, timeout=3000, GOBIN=str(folder))
    return str(folder / "cosign")

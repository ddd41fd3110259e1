from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Ran

    Udist = Callable[..., Ran]


@pytest.fixture
def tag(udist: Udist, monkeypatch: pytest.MonkeyPatch) -> str:
    """The tag that the store lacks, which was filled without them."""
    monkeypatch.setenv("REGISTRY_UDIST_REFERRERS_TAGS", "false")
    subject = udist("push", "demo/a:v1", "README.md").out.strip()
    udist("push", "demo/a", "--subject", "v1", "folder")
    udist("push", "demo/b:v1", "README.md")
    assert udist("tags", "demo/a").out == "v1\n"
    monkeypatch.delenv("REGISTRY_UDIST_REFERRERS_TAGS")
    return subject.replace(":", "-")


def test_upgrade_writes_the_tags_of_referrers(udist: Udist, tag: str) -> None:
    assert udist("upgrade") == (0, "demo/a: 1 tags of referrers updated\n", "")
    assert udist("tags", "demo/a").out == f"{tag}\nv1\n"
    assert udist("upgrade") == (0, "the store is up to date\n", "")


def test_upgrade_as_json(udist: Udist, tag: str) -> None:
    assert json.loads(udist("upgrade", "--json").out) == {"repositories": {"demo/a": 1, "demo/b": 0}}
    assert tag in udist("tags", "demo/a").out


def test_upgrade_changes_nothing_in_a_store_that_is_read_only(
    udist: Udist, tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_STORAGE_MAINTENANCE_READONLY", "{enabled: true}")
    refused = udist("upgrade")
    assert (refused.code, "storage.maintenance.readonly.enabled" in refused.err) == (4, True)
    assert tag not in udist("tags", "demo/a").out

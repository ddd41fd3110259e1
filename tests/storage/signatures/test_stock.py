"""What is attached through udist is found, copied and kept by those who talk to a stock server: by
distribution 3 and its collector, by oras and by crane."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.storage.signatures.store import Store, push, run

if TYPE_CHECKING:
    from pathlib import Path

KIND = "application/x.signature"


def attach(address: str, folder: Path, text: str) -> None:
    """Attaches a signature to ``demo:v1``, as oras does."""
    (folder / "signature").write_text(text)
    words = ["attach", "--plain-http", "--artifact-type", KIND, f"{address}/demo:v1", "signature"]
    run("oras", *words, folder=folder)


def discovered(address: str) -> list[str]:
    """The digests of the signatures that oras finds."""
    words = ["discover", "--plain-http", "--format", "json", "--artifact-type", KIND, f"{address}/demo:v1"]
    found = json.loads(run("oras", *words))
    return sorted(each["digest"] for each in found.get("referrers") or found.get("manifests") or [])


def test_stock_finds_and_keeps_what_was_attached_through_udist(store: Store, tmp_path: Path) -> None:
    with store.udist() as address:
        push(address, tmp_path)
        for text in ("one", "two"):
            attach(address, tmp_path, text)
        signatures = discovered(address)
        assert len(signatures) == 2
    with store.stock() as stock:
        assert discovered(stock.address) == signatures
    store.collect_untagged()
    with store.stock() as stock:
        assert discovered(stock.address) == signatures
        for digest in signatures:
            layer = json.loads(stock.manifest("demo", digest).content)["layers"][0]
            assert stock.blob("demo", layer["digest"]).content in (b"one", b"two")


def test_without_the_tags_stock_neither_finds_nor_keeps_it(store: Store, tmp_path: Path) -> None:
    with store.udist(tags=False) as address:
        push(address, tmp_path)
        attach(address, tmp_path, "one")
        (signature,) = discovered(address)
    with store.stock() as stock:
        assert discovered(stock.address) == []
    store.collect_untagged()
    with store.stock() as stock:
        assert stock.manifest("demo", signature).status == 404


def test_each_adds_to_what_the_other_attached(store: Store, tmp_path: Path) -> None:
    with store.stock() as stock:
        push(stock.address, tmp_path)
        attach(stock.address, tmp_path, "through stock")
    with store.udist() as address:
        assert len(discovered(address)) == 1
        attach(address, tmp_path, "through udist")
        both = discovered(address)
        assert len(both) == 2
    with store.stock() as stock:
        assert discovered(stock.address) == both
        attach(stock.address, tmp_path, "through stock again")
        three = discovered(stock.address)
        assert len(three) == 3
    with store.udist() as address:
        assert discovered(address) == three
        run("oras", "manifest", "delete", "--plain-http", "--force", f"{address}/demo@{both[0]}")
    with store.stock() as stock:
        assert discovered(stock.address) == sorted({*three} - {both[0]})


def test_an_upgraded_store_is_found_as_well(store: Store, tmp_path: Path) -> None:
    with store.udist(tags=False) as address:
        push(address, tmp_path)
        attach(address, tmp_path, "one")
        signatures = discovered(address)
    assert store.upgrade() == "demo: 1 tags of referrers updated\n"
    with store.stock() as stock:
        assert discovered(stock.address) == signatures


def test_crane_copies_it_with_all_tags(store: Store, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    other = Store(tmp_path / "elsewhere")
    with store.udist() as address, other.stock() as target:
        push(address, tmp_path)
        attach(address, tmp_path, "one")
        run("crane", "copy", "--all-tags", "--insecure", f"{address}/demo", f"{target.address}/demo")
        assert discovered(target.address) == discovered(address)

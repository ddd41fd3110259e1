"""What cosign signs through udist it verifies through distribution 3, before and after its collector ran.

``keycosign`` is made of cosign's packages. ``tests/campaigns/cosign.py`` runs these tests with cosign itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.storage.signatures.signer import BUNDLE, REFERRER, TAG, Format, Signer
from tests.storage.signatures.store import Store, push, run

if TYPE_CHECKING:
    from pathlib import Path

NONE = "no signatures found"

as_referrer = pytest.mark.parametrize("form", [BUNDLE, REFERRER], ids=["bundle", "referrer"])


@pytest.mark.parametrize(
    ("form", "tags"),
    [
        pytest.param(BUNDLE, True, id="bundle"),
        pytest.param(REFERRER, True, id="referrer"),
        pytest.param(TAG, True, id="tag"),
        pytest.param(TAG, False, id="tag without the setting"),
    ],
)
def test_a_signature_is_verified_through_stock(
    form: Format, tags: bool, signer: Signer, store: Store, tmp_path: Path
) -> None:
    with store.udist(tags=tags) as address:
        signer.sign(push(address, tmp_path), form)
        signer.verify(f"{address}/demo:v1", form)
    with store.stock() as stock:
        signer.verify(f"{stock.address}/demo:v1", form)
    store.collect_untagged()
    with store.stock() as stock:
        signer.verify(f"{stock.address}/demo:v1", form)
    with store.udist(tags=tags) as address:
        signer.verify(f"{address}/demo:v1", form)


@as_referrer
def test_without_the_setting_stock_does_not_find_it_and_collects_it(
    form: Format, signer: Signer, store: Store, tmp_path: Path
) -> None:
    with store.udist(tags=False) as address:
        signer.sign(push(address, tmp_path), form)
        signer.verify(f"{address}/demo:v1", form)
    with store.stock() as stock:
        assert NONE in signer.verify_error(f"{stock.address}/demo:v1", form)
    store.collect_untagged()
    with store.udist(tags=False) as address:
        assert NONE in signer.verify_error(f"{address}/demo:v1", form)


@as_referrer
def test_after_an_upgrade_stock_finds_it_and_keeps_it(
    form: Format, signer: Signer, store: Store, tmp_path: Path
) -> None:
    with store.udist(tags=False) as address:
        signer.sign(push(address, tmp_path), form)
    assert store.upgrade() == "demo: 1 tags of referrers updated\n"
    store.collect_untagged()
    with store.stock() as stock:
        signer.verify(f"{stock.address}/demo:v1", form)
    with store.udist() as address:
        signer.verify(f"{address}/demo:v1", form)


def test_signatures_by_two_through_udist_and_stock_are_both_verified(
    program: str, signer: Signer, store: Store, tmp_path: Path
) -> None:
    other = Signer(program, tmp_path / "other")
    with store.stock() as stock:
        image = push(stock.address, tmp_path)
        signer.sign(image)
        assert "no matching attestations" in other.verify_error(image)
    digest = image.partition("@")[2]
    with store.udist() as address:
        signer.verify(f"{address}/demo:v1")
        other.sign(f"{address}/demo@{digest}")
    store.collect_untagged()
    with store.stock() as stock, store.udist() as address:
        for registry in (stock.address, address):
            signer.verify(f"{registry}/demo:v1")
            other.verify(f"{registry}/demo:v1")


@pytest.mark.parametrize("tags", [True, False])
def test_crane_copies_a_signature_with_all_tags_where_there_is_a_tag(
    tags: bool, signer: Signer, store: Store, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    elsewhere = Store(tmp_path / "elsewhere")
    with store.udist(tags=tags) as address, elsewhere.stock() as target:
        signer.sign(push(address, tmp_path))
        run("crane", "copy", "--all-tags", "--insecure", f"{address}/demo", f"{target.address}/demo")
        copied = f"{target.address}/demo:v1"
        if tags:
            signer.verify(copied)
        else:
            assert NONE in signer.verify_error(copied)

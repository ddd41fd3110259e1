"""Notes of deletions that nobody finished; ``test_killed.py`` tries who is killed when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import push_image
from tests.storage.test_retention import DAY, driver, kept, turns
from tests.storage.test_schedule import waits
from udist_plugin.storage import paths
from udist_plugin.storage.collection.notes import Notes
from udist_plugin.storage.collection.retention import Retention
from udist_plugin.storage.leases import Leases
from udist_plugin.storage.upkeep.schedule import Purging

if TYPE_CHECKING:
    from tests.storage.interleaving import Turns
    from tests.storage.test_retention import Store

__all__ = ["driver", "kept", "turns"]


class Killed(BaseException):
    """Instead of whatever would come next."""


def killed() -> bool:
    raise Killed


def leave_note(store: Store, link: str) -> None:
    """As whoever is killed before the deletion of a link."""
    with pytest.raises(Killed):
        Notes(store.driver).delete(link, store.driver.get_content(link), killed)


@pytest.fixture
def link(kept: Store) -> str:
    """That of a manifest that has been pushed."""
    return paths.link(paths.revision("a", push_image(kept.registry, "a", b"layer", tags=["v1"]).digest))


def notes(store: Store) -> list[str]:
    return [name for name in store.driver.list(paths.QUARANTINE) if name.endswith(".note")]


def test_upkeep_puts_back_what_was_pushed_meanwhile(kept: Store, link: str, turns: Turns) -> None:
    leave_note(kept, link)
    kept.driver.delete(link)
    waits(Purging(kept.driver, 1.0, 60.0, dry_run=True))
    assert not kept.driver.exists(link)
    waits(Purging(kept.driver, 1.0, 60.0))
    assert not kept.driver.exists(link), "nobody pushed it"
    turns.pass_time(1)
    push_image(kept.registry, "a", b"layer")
    kept.driver.delete(link)
    waits(Purging(kept.driver, 1.0, 60.0))
    assert kept.driver.exists(link)


def test_a_note_is_dropped_when_it_is_a_grace_old(kept: Store, link: str, turns: Turns) -> None:
    """Until then, who left it may still be about to delete."""
    leave_note(kept, link)
    kept.run(Retention(), apply=True)
    assert len(notes(kept)) == 1
    turns.pass_time(DAY)
    kept.run(Retention(), apply=False)
    assert len(notes(kept)) == 1
    kept.run(Retention(), apply=True)
    assert not notes(kept)
    assert kept.driver.exists(link)


def test_a_tag_under_a_lease_is_put_back_while_its_manifest_is_in_quarantine(kept: Store, link: str) -> None:
    """Another run may have taken the manifest for garbage before the tag was pushed."""
    folder = paths.tag("a", "v1")
    tag = f"{folder}/{paths.CURRENT}"
    content = kept.driver.get_content(tag)

    def act() -> bool:
        Leases(kept.driver).create(kept.registry, "x", ["a:v1"])
        kept.driver.move(link, f"{paths.QUARANTINE}/{'0' * 16}{link.removeprefix(paths.ROOT)}")
        kept.driver.delete(folder)
        return True

    assert not Notes(kept.driver).delete(tag, content, act)
    assert kept.driver.get_content(tag) == content


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"origin": "/x", "content": "y"}'])
def test_what_is_no_note_does_not_matter(kept: Store, link: str, content: bytes) -> None:
    kept.driver.put_content(f"{paths.QUARANTINE}/0123456789abcdef.note", content)
    kept.driver.delete(link)
    Notes(kept.driver).finish()
    assert kept.run(Retention(), apply=True) == {}

"""The browser's keys, by Textual's pilot."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.cli.browse.conftest import press, rows, settled, shown, store_of, text
from tests.images.sample import Layout
from udist_plugin.cli.browse import app
from udist_plugin.cli.browse.app import Browser
from udist_plugin.cli.browse.items import Item
from udist_plugin.cli.browse.rows import Rows
from udist_plugin.cli.browse.store import ROWS
from udist_plugin.errors import Unsupported

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.browse.conftest import Counted
    from udist_plugin.cli.browse.store import Store

pytestmark = pytest.mark.anyio
TAGS = 10_000


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An index of two platforms with a referrer."""
    made = Layout(tmp_path / "layout")
    platforms = [made.image(platform=f"linux/{each}", listed=False) for each in ("amd64", "arm64")]
    made.referrer(made.image_index("demo/app:v1", *platforms), b"sbom")
    return made


async def test_from_a_repository_down_to_the_files_of_a_layer(layout: Layout) -> None:
    async with shown(Browser(store_of(layout.root), "layout")) as pilot:
        assert rows(pilot) == ["layout", "(no name)", "demo/app"]
        await press(pilot, *["down"] * 2, *["right"] * 3)
        assert [label.split("  ")[0] for label in rows(pilot)[3:]] == [
            "v1",
            "manifest linux/amd64",
            "manifest linux/arm64",
            "referrer text/plain",
        ]
        assert '"manifests": [' in text(pilot)
        await press(pilot, "down", "right", "down")
        assert '"architecture": "amd64"' in text(pilot)
        await press(pilot, "down", "enter")
        assert text(pilot).splitlines()[-1].split() == ["-rw-r--r--", "3", "B", "file"]
        await press(pilot, "left", "left")
        assert [label.split("  ")[0] for label in rows(pilot)][-3:] == [
            "manifest linux/amd64",
            "manifest linux/arm64",
            "referrer text/plain",
        ]


async def test_many_tags_are_read_page_by_page_as_the_cursor_comes_to_them(
    store: Store, registry: Counted
) -> None:
    registry.fill("demo/app", [f"v{number:05}" for number in range(TAGS)])
    async with shown(Browser(store, "store")) as pilot:
        await press(pilot, "down", "right")
        assert registry.pages == [ROWS]
        assert rows(pilot)[2:] == [*(f"v{number:05}" for number in range(ROWS)), "more…"]
        await press(pilot, "end")
        assert registry.pages == [ROWS, ROWS]
        assert rows(pilot)[-2:] == [f"v{2 * ROWS - 1:05}", "more…"]
        node = pilot.app.query_one(Rows).cursor_node
        assert node is not None
        assert str(node.label) == f"v{ROWS:05}"
        assert len(registry.read) <= 1, "documents are read only where the cursor rests"


async def test_a_filter_finds_a_tag_behind_the_pages_that_were_read(store: Store, registry: Counted) -> None:
    registry.fill("demo/app", [f"v{number:05}" for number in range(TAGS)])
    async with shown(Browser(store, "store")) as pilot:
        await press(pilot, "down", "right", "down", "slash", *"9876", "enter")
        assert rows(pilot) == ["store", "demo/app  /9876", "v09876"]
        await press(pilot, "escape")
        assert rows(pilot)[1:3] == ["demo/app", "v00000"]
        await press(pilot, "slash", *"none", "enter", "down")
        assert rows(pilot)[2:] == ["(nothing)"]


async def test_a_tag_is_deleted_after_a_question(store: Store, registry: Counted) -> None:
    registry.fill("demo/app", ["v1", "v2"])
    async with shown(Browser(store, "store")) as pilot:
        await press(pilot, "down", "right", "down", "d", "n")
        assert registry.list_tags("demo/app").items == ["v1", "v2"]
        await press(pilot, "d", "y")
        await pilot.app.workers.wait_for_complete()
        await settled(pilot)
        assert rows(pilot) == ["store", "demo/app", "v2"]
        assert registry.list_tags("demo/app").items == ["v2"]


async def test_a_layout_forgets_a_tag_too(layout: Layout) -> None:
    layout.image("demo/app:v2")
    async with shown(Browser(store_of(layout.root), "layout")) as pilot:
        await press(pilot, *["down"] * 2, "right", *["down"] * 2, "d", "y")
        await pilot.app.workers.wait_for_complete()
        await settled(pilot)
        assert rows(pilot)[2:] == ["demo/app", "v1"]
    assert store_of(layout.root).children(Item("repository", "demo/app")).items[0].root == "v1"


async def test_nothing_is_deleted_where_that_is_not_wanted_or_not_possible(
    store: Store, registry: Counted
) -> None:
    registry.fill("demo/app", ["v1"])
    async with shown(Browser(store, "store", read_only=True)) as pilot:
        await press(pilot, "down", "right", "down", "d")
        assert len(pilot.app.screen_stack) == 1
    async with shown(Browser(store, "store")) as pilot:
        await press(pilot, "down", "right", "down", "d")
        registry.failure = Unsupported(None, "the store is read-only")
        await press(pilot, "y")
        await pilot.app.workers.wait_for_complete()
        await settled(pilot)
        assert "the store is read-only" in text(pilot)
        assert rows(pilot)[-1] == "v1"


async def test_a_failure_is_shown_in_its_place_and_tried_again(store: Store, registry: Counted) -> None:
    registry.fill("demo/app", ["v1"])
    registry.failure = OSError(5, "the [disk] is\x1b gone")
    async with shown(Browser(store, "store")) as pilot:
        await press(pilot, "down", "right")
        assert rows(pilot)[2:] == ["⚠ the [disk] is\N{REPLACEMENT CHARACTER} gone"]
        registry.failure = None
        await press(pilot, "down", "enter")
        assert rows(pilot)[2:] == ["v1"]
        registry.fill("demo/app", ["v2"])
        await press(pilot, "up", "r")
        assert rows(pilot)[2:] == ["v1", "v2"]


async def test_a_place_that_does_not_answer_is_an_error_in_the_end(
    store: Store, registry: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "ANSWER_MAX", 0.2)
    answered = threading.Event()
    list_tags = registry.list_tags
    monkeypatch.setattr(registry, "list_tags", lambda *a: answered.wait(60) and list_tags(*a))
    registry.fill("demo/app", ["v1"])
    try:
        async with shown(Browser(store, "store")) as pilot:
            await press(pilot, "down", "right")
            assert rows(pilot)[2:] == ["⚠ no answer within 0 s; try again with r"]
    finally:
        answered.set()


async def test_a_digest_goes_to_the_clipboard(store: Store, registry: Counted) -> None:
    digest = registry.fill("demo/app", ["v1"])
    async with shown(Browser(store, "store")) as pilot:
        await press(pilot, "down", "c")
        assert pilot.app.clipboard == ""
        await press(pilot, "right", "down", "c")
        assert pilot.app.clipboard == digest


async def test_keys_and_the_end(store: Store) -> None:
    browser = Browser(store, "store")
    async with shown(browser) as pilot:
        await press(pilot, "question_mark")
        assert len(pilot.app.screen_stack) == 2
        await press(pilot, "x")
        assert len(pilot.app.screen_stack) == 1
        assert rows(pilot) == ["store", "(nothing)"]
        await pilot.press("q")
    assert browser.return_code == 0

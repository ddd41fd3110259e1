"""The full-screen browser. It needs Textual, and knows of registries only what ``Store`` says."""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from udist_plugin.cli.failures import sentence
from udist_plugin.cli.output import printable
from udist_plugin.errors import DeadlineExceeded, UdistError

try:
    from textual.app import App
except ImportError as error:
    hint = "textual is not installed; pip install '.[browse]' in a checkout of udist"
    raise UdistError(hint) from error

from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Footer, Input, Tree

from udist_plugin.cli.browse.pane import Pane
from udist_plugin.cli.browse.rows import Rows, branch_of, list_of
from udist_plugin.cli.browse.screens import Keys, Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.widgets.tree import TreeNode

    from udist_plugin.cli.browse.items import Item
    from udist_plugin.cli.browse.rows import Row
    from udist_plugin.cli.browse.shown import Shown
    from udist_plugin.cli.browse.store import Store

    Result = TypeVar("Result")

ANSWER_MAX: Final = 60.0
"""Seconds that the place has to answer."""

PAUSE: Final = 0.1
"""Seconds that the cursor rests on a row before its document is read."""

THREADS: Final = 4
"""How many questions the place is asked at once."""


class Browser(App[int]):
    """A tree of ``store`` and what stands under its cursor. ``run`` returns the negative number of the signal
    that ended it, if one did."""

    CSS = """
    Rows { width: 2fr; min-width: 36; }
    Pane { width: 3fr; border-left: solid $primary; padding: 0 1; }
    Input { display: none; height: 1; border: none; }
    ModalScreen { align: center middle; }
    .box { width: auto; max-width: 76; height: auto; padding: 1 2; }
    .box { border: round $primary; background: $surface; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [  # noqa: RUF012 - Textual's own form
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", show=False, priority=True),
        Binding("question_mark", "help", "Keys", key_display="?"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("r", "refresh", "Refresh"),
        Binding("c", "copy", "Copy digest"),
        Binding("d", "delete", "Delete tag"),
        Binding("escape", "end_filter", show=False),
    ]

    def __init__(self, store: Store, title: str, *, read_only: bool = False) -> None:
        super().__init__()
        self._store = store
        self._read_only = read_only
        self._place = printable(title)
        self._threads = ThreadPoolExecutor(THREADS, "udist-browse")

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Rows(self._place)
            yield Pane()
        yield Input(placeholder="names that contain ...")
        yield Footer()

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if callable(signal.getsignal(number)):  # not under nohup, and not in a test
                loop.add_signal_handler(number, self.exit, -number)
        self._rows.root.expand()
        self._rows.focus()

    def on_unmount(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._store.cancel()

    @property
    def _rows(self) -> Rows:
        return self.query_one(Rows)

    @property
    def _pane(self) -> Pane:
        return self.query_one(Pane)

    async def _ask(self, question: Callable[..., Result], *details: object) -> Result:
        """What ``question`` answers in another thread. Raises ``DeadlineExceeded``, and what it raises."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWER_MAX):
                return await loop.run_in_executor(self._threads, question, *details)
        except TimeoutError:
            raise DeadlineExceeded(f"no answer within {ANSWER_MAX:.0f} s; try again with r") from None

    # The tree.

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Row]) -> None:
        row = event.node.data
        if row is not None and row.item is not None and not row.read:
            row.read = True
            self._load(event.node)

    def on_tree_node_highlighted(self, event: Tree.NodeHighlighted[Row]) -> None:
        row = event.node.data
        if row is None:
            return
        if row.item is not None:
            self._show(self._store.show, row.item, PAUSE)
        elif row.problem:
            self._pane.say(row.problem)
        elif row.last and event.node.parent is not None:
            self._load(event.node.parent, row.last)

    def on_tree_node_selected(self, event: Tree.NodeSelected[Row]) -> None:
        row = event.node.data
        if row is None:
            return
        if row.item is None and event.node.parent is not None:
            self._load(event.node.parent, row.last)
        elif row.item is not None and row.item.kind == "layer":
            self._show(self._store.files, row.item)

    def _load(self, branch: TreeNode[Row], last: str = "") -> None:
        waiting = self._rows.begin(branch)
        self.run_worker(self._page(branch, waiting, last), group=f"rows-{branch.id}", exclusive=True)

    async def _page(self, branch: TreeNode[Row], waiting: TreeNode[Row], last: str) -> None:
        row = branch.data
        assert row is not None
        try:
            page = await self._ask(self._store.children, row.item, last, row.containing)
        except Exception as error:
            self._rows.fail(waiting, last, _problem(error))
            self._pane.say(_problem(error))
        else:
            self._rows.end(branch, waiting, page)

    def _show(self, read: Callable[[Item], Shown], item: Item, pause: float = 0) -> None:
        self.run_worker(self._document(read, item, pause), group="document", exclusive=True)

    async def _document(self, read: Callable[[Item], Shown], item: Item, pause: float) -> None:
        await asyncio.sleep(pause)
        self._pane.say("reading…")
        try:
            self._pane.show(await self._ask(read, item))
        except Exception as error:
            self._pane.say(_problem(error))

    # The keys.

    def action_help(self) -> None:
        self.push_screen(Keys())

    def action_refresh(self) -> None:
        branch = branch_of(self._rows.cursor_node)
        if branch is not None and branch.data is not None:
            self._read_again(branch, branch.data.containing)

    def action_filter(self) -> None:
        field = self.query_one(Input)
        field.display = True
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self._close_filter()
        branch = list_of(self._rows.cursor_node)
        if branch is not None:
            self._read_again(branch, event.value)

    def action_end_filter(self) -> None:
        """Closes the field, or ends the filter that is in force at the cursor."""
        if self.query_one(Input).display:
            self._close_filter()
            return
        branch = list_of(self._rows.cursor_node)
        if branch is not None and branch.data is not None and branch.data.containing:
            self._read_again(branch, "")

    def _close_filter(self) -> None:
        field = self.query_one(Input)
        field.value, field.display = "", False
        self._rows.focus()

    def _read_again(self, branch: TreeNode[Row], containing: str) -> None:
        self.workers.cancel_group(self, f"rows-{branch.id}")
        self._rows.clear_branch(branch, containing)
        self._load(branch)
        branch.expand()

    def action_copy(self) -> None:
        row = self._rows.cursor_node.data if self._rows.cursor_node else None
        if row is not None and row.item is not None:
            self.run_worker(self._copy(row.item), group="copy", exclusive=True)

    async def _copy(self, item: Item) -> None:
        try:
            digest = await self._ask(self._store.digest, item)
        except Exception as error:
            self._complain(_problem(error))
            return
        if digest is None:
            self.notify("There is no digest here.", severity="warning")
        else:
            self.copy_to_clipboard(digest)
            self.notify(f"copied {digest}", markup=False)

    def action_delete(self) -> None:
        node = self._rows.cursor_node
        item = node.data.item if node and node.data else None
        if node is None or item is None or item.kind != "tag":
            self.notify("Only tags can be deleted here.", severity="warning")
        elif self._read_only:
            self.notify("Nothing is deleted with --read-only.", severity="warning")
        else:
            self.run_worker(self._delete(node, item), group="delete", exclusive=True)

    async def _delete(self, node: TreeNode[Row], item: Item) -> None:
        question = Question(f"Delete the tag {printable(item.path)}? Its manifest stays.")
        if not await self.push_screen_wait(question):
            return
        try:
            await self._ask(self._store.delete, item)
        except Exception as error:
            self._complain(_problem(error))
        else:
            self.notify(f"deleted {item.path}", markup=False)
            node.remove()

    def _complain(self, problem: str) -> None:
        self._pane.say(problem)
        self.notify(problem, severity="error", markup=False)


def _problem(error: Exception) -> str:
    return printable(" ".join(sentence(error).split()))

"""The tree of the browser: its rows and how pages are put into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.binding import Binding
from textual.widgets import Tree

from udist_plugin.cli.browse.items import BRANCHES, LISTS, Item

if TYPE_CHECKING:
    from textual.widgets.tree import TreeNode

    from udist_plugin.registry import Page

MORE = "more…"
LOADING = "loading…"


class Row:
    """What a node of the tree holds.

    Rows without ``item`` stand for what is not read: a further page after ``last``, or one that failed with
    ``problem``.
    """

    def __init__(self, item: Item | None, last: str = "", problem: str = "") -> None:
        self.item = item
        self.last = last
        self.problem = problem
        self.containing = ""
        """What the names below must contain."""
        self.read = False
        """Whether the rows below were asked for."""


class Rows(Tree[Row]):
    """The tree. Its keys are those of most file managers, and vi's."""

    BINDINGS = [  # noqa: RUF012 - Textual's own form
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
        Binding("right,l", "open", show=False),
        Binding("left,h", "close", show=False),
    ]

    def __init__(self, title: str) -> None:
        super().__init__(Text(title), Row(Item("place")))
        self.guide_depth = 2
        self._title = title

    def action_open(self) -> None:
        """Opens the branch, or goes into an open one."""
        node = self.cursor_node
        if node is not None and node.allow_expand:
            if node.is_expanded:
                self.action_cursor_down()
            node.expand()

    def action_close(self) -> None:
        """Closes the branch, or goes to the one above."""
        node = self.cursor_node
        if node is not None and node.is_expanded:
            node.collapse()
        elif node is not None and node.parent is not None:
            self.move_cursor(node.parent)

    def begin(self, branch: TreeNode[Row]) -> TreeNode[Row]:
        """A row below ``branch`` that says that more is being read: the one that stood for it, if any."""
        last = branch.children[-1] if branch.children else None
        if last is None or last.data is None or last.data.item is not None:
            last = branch.add_leaf(LOADING, Row(None))
        last.set_label(LOADING)
        return last

    def end(self, branch: TreeNode[Row], waiting: TreeNode[Row], page: Page[Item]) -> None:
        """Puts a page in the place of the row ``waiting``, so that the cursor there is on its first row."""
        for item in page.items:
            branch.add(Text(item.label), Row(item), allow_expand=item.kind in BRANCHES)
        if page.last is not None:
            branch.add_leaf(MORE, Row(None, page.last))
        elif len(branch.children) == 1:
            branch.add_leaf("(nothing)", Row(None, problem="There is nothing here."))
        waiting.remove()

    def fail(self, waiting: TreeNode[Row], last: str, problem: str) -> None:
        """Says in the row ``waiting`` what went wrong; selecting it tries again from ``last``."""
        waiting.data = Row(None, last, problem)
        waiting.set_label(Text(f"⚠ {problem}"))

    def clear_branch(self, branch: TreeNode[Row], containing: str) -> None:
        """Forgets what was read below ``branch``, which lists only what has ``containing`` in its name."""
        row = branch.data
        assert row is not None
        assert row.item is not None
        row.containing, row.read = containing, True
        name = self._title if row.item.kind == "place" else row.item.label
        branch.set_label(Text(f"{name}  /{containing}" if containing else name))
        branch.remove_children()
        self.move_cursor(branch)


def branch_of(node: TreeNode[Row] | None, kinds: tuple[str, ...] = BRANCHES) -> TreeNode[Row] | None:
    """The node itself or the nearest above it of one of ``kinds``."""
    while node is not None and not (node.data and node.data.item and node.data.item.kind in kinds):
        node = node.parent
    return node


def list_of(node: TreeNode[Row] | None) -> TreeNode[Row] | None:
    """The list of names that ``node`` stands in, or is."""
    if node is not None and node.data and node.data.item and node.data.item.kind == "repository":
        return node if node.is_expanded or node.parent is None else branch_of(node.parent, LISTS)
    return branch_of(node, LISTS)

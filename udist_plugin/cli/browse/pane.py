"""The text beside the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content
from textual.highlight import highlight
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from udist_plugin.cli.browse.shown import Shown


class Pane(VerticalScroll):
    """Shows one document, from its top."""

    def compose(self) -> ComposeResult:
        yield Static()

    def show(self, shown: Shown) -> None:
        text = highlight(shown.text, language=shown.language) if shown.language else Content(shown.text)
        head = "\n".join(shown.facts)
        self._show(Content.assemble((shown.title, "bold"), "\n", head, "\n\n", text))

    def say(self, text: str, style: str = "") -> None:
        """Shows a sentence: what is wrong, or that something is being read."""
        self._show(Content.styled(text, style))

    def _show(self, content: Content) -> None:
        self.query_one(Static).update(content)
        self.scroll_home(animate=False)

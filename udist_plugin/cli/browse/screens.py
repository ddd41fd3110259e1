"""What is shown over the browser: a question, and the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult

KEYS = """\
Up, Down       move; the row after a page reads the next one
Right, Left    open a branch, close it or go to the one above
Enter          open or close; list a layer's files; try again
Tab            go to the text and back; arrows scroll it
/              show only names that contain a text; Esc ends it
r              read the branch under the cursor again
c              copy the digest to the terminal's clipboard
d              delete the tag under the cursor, after a question
q, Ctrl-C      quit

j, k, h and l work like the arrows.

The clipboard is reached by OSC 52, which some terminals forbid,
and tmux unless "set-clipboard" is on.

Press any key."""


class Question(ModalScreen[bool]):
    """Asks whether to go on; only ``y`` does."""

    BINDINGS = [  # noqa: RUF012 - Textual's own form
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape,q,enter", "answer(False)", "No"),
    ]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        yield Static(f"{self._text}\n\ny: delete    n: keep", markup=False, classes="box")

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)


class Keys(ModalScreen[None]):
    """Shows the keys until one is pressed."""

    def compose(self) -> ComposeResult:
        yield Static(KEYS, markup=False, classes="box")

    def on_key(self) -> None:
        self.dismiss()

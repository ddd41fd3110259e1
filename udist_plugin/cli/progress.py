"""Progress on standard error, drawn by rich if it is a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager

from udist_plugin.cli.output import say
from udist_plugin.images.progress import SILENT
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.images.progress import Progress

REFRESHES: Final = 8
"""Redraws a second."""


@contextmanager
def progress_of(verb: str, *, quiet: bool, noun: str = "file") -> Iterator[Progress]:
    """Shows how a ``push``, ``pull`` or ``copy`` goes on, and at its end what was done; nothing if ``quiet``,
    or if standard error is no terminal. ``noun`` is what is moved."""
    if quiet or not sys.stderr.isatty():
        yield SILENT
        return
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    from udist_plugin.cli.transfer import Transfer

    class Screen(Console):
        def show_cursor(self, show: bool = True) -> bool:  # noqa: ARG002
            return False  # a cursor that is never hidden is there whatever ends the process

    transfer = Transfer(verb, noun)

    def draw() -> Group:
        return Group(*(Text(line, no_wrap=True, overflow="ellipsis") for line in transfer.lines()))

    with Live(
        console=Screen(stderr=True),
        get_renderable=draw,
        refresh_per_second=REFRESHES,
        transient=True,
        redirect_stdout=False,
    ):
        yield transfer
    say(transfer.summary())

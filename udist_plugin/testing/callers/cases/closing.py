"""The end, as the client wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.errors import Unexpected

if TYPE_CHECKING:
    from udist_plugin.testing.callers.run import Run

theme = Theme("closing")


@theme.core
def end_of_input(run: Run) -> None:
    """The client closes the plugin's standard input, and waits until it has ended."""
    plugin = run.start()
    exchange = run.exchange()
    run.accepted(exchange).respond(200, end=True)
    exchange.succeeds(200)
    plugin.obeys = False
    run.close()
    run.pump.until(
        lambda: plugin.input_ended or plugin.terminated or plugin.gone or run.closed(),
        "the end of the plugin's standard input",
    )
    if not plugin.input_ended or plugin.terminated:
        raise Unexpected("the client did not close the plugin's standard input first")
    if run.closed():
        raise Unexpected("the client says that it is closed, and the plugin still runs")
    plugin.end(0)

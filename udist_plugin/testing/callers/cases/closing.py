"""Closing the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.errors import Unexpected
from udist_plugin.testing.callers.pattern import pattern
from udist_plugin.testing.callers.run import LONG
from udist_plugin.wire.constants import INITIAL_CREDIT

if TYPE_CHECKING:
    from udist_plugin.testing.callers.run import Run

theme = Theme("closing")


@theme.core
def end_of_input(run: Run) -> None:
    """The client closes the plugin's standard input and waits for its exit."""
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


@theme.core
def nothing_was_asked(run: Run) -> None:
    """The client is closed before its first request."""
    run.start()


@theme.core
def terminated_and_killed(run: Run) -> None:
    """A plugin that survives the end of its input gets TERM, and then KILL."""
    plugin = run.start()
    run.works()
    plugin.obeys = False
    run.close()
    limit = LONG * run.pump.timeout
    run.pump.until(lambda: plugin.input_ended, "the end of the plugin's standard input", limit)
    run.pump.until(lambda: plugin.terminated or plugin.gone, "TERM for the plugin", limit)
    if not plugin.terminated:
        raise Unexpected("the client killed the plugin, and had not sent TERM")
    run.pump.until(lambda: plugin.gone, "the end of a plugin that does not end at TERM", limit)


@theme.case
def terminated(run: Run) -> None:
    """A plugin that survives the end of its input gets TERM."""
    plugin = run.start()
    run.works()
    plugin.obeys = False
    run.close()
    run.pump.until(lambda: plugin.terminated, "TERM for the plugin", LONG * run.pump.timeout)
    plugin.end(0)


@theme.case
def open_responses_finish(run: Run) -> None:
    """A response that is being read is read to its end before the client closes standard input."""
    plugin = run.start()
    exchange = run.open()
    stream = run.accepted(exchange)
    content = pattern(4 * INITIAL_CREDIT)
    stream.respond(200)
    exchange.answered(200)
    exchange.read("*")
    run.close()
    stream.data_as_granted(content)
    exchange.succeeds(200, content)
    plugin.until(lambda: plugin.input_ended, "the end of the plugin's standard input")


@theme.case
def unread_responses_do_not_hold_it_up(run: Run) -> None:
    """A response that nobody reads delays closing only for a bounded time."""
    plugin = run.start()
    exchange = run.open()
    stream = run.accepted(exchange)
    stream.respond(200)
    stream.data(b"hello")
    exchange.answered(200)
    run.close()
    plugin.until(
        lambda: plugin.input_ended, "the end of the plugin's standard input", LONG * run.pump.timeout
    )


@theme.case
def nothing_is_opened_any_more(run: Run) -> None:
    """A request after closing fails and is not sent."""
    plugin = run.start()
    run.works()
    run.close()
    run.pump.until(run.closed, "the client to be closed")
    late = run.exchange()
    late.fails()
    if plugin.find(late.target):
        raise Unexpected("the client sent a request after it was closed")

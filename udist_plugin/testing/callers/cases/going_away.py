"""go_away from a plugin that is about to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.errors import Unexpected

if TYPE_CHECKING:
    from udist_plugin.testing.callers.run import Run

theme = Theme("going-away")


@theme.core
def those_before_finish(run: Run) -> None:
    """Streams up to last_stream_id finish."""
    plugin = run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    stream.respond(200)
    plugin.go_away(stream.id)
    stream.data(b"hello", end=True)
    exchange.succeeds(200, b"hello")


@theme.core
def those_after_are_unprocessed(run: Run) -> None:
    """A stream above last_stream_id fails with UNAVAILABLE, and its request may be repeated."""
    plugin = run.start()
    exchange = run.exchange("POST")
    stream = run.accepted(exchange)
    plugin.go_away(0, message="going away")
    exchange.fails("UNAVAILABLE", repeatable=True, saying="going away")
    stream.reset("UNAVAILABLE", unprocessed=True)


@theme.core
def no_more_are_opened(run: Run) -> None:
    """After go_away the client sends no more requests."""
    plugin = run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    plugin.go_away(stream.id)
    stream.respond(200, end=True)
    exchange.succeeds(200)
    late = run.exchange("POST")
    late.fails("UNAVAILABLE", repeatable=True)
    if plugin.find(late.target):
        raise Unexpected("the client sent a request after the plugin's go_away")


@theme.case
def some_finish(run: Run) -> None:
    """Of two streams, one finishes and the other may be repeated."""
    plugin = run.start()
    first = run.open()
    stream = run.accepted(first)
    second = run.open("POST")
    refused = run.accepted(second)
    plugin.go_away(stream.id)
    second.fails("UNAVAILABLE", repeatable=True)
    refused.reset("UNAVAILABLE", unprocessed=True)
    stream.respond(200, end=True)
    first.read("*")
    first.succeeds(200)

"""Exchanges that one side resets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.hexadecimal import framed
from udist_plugin.wire.constants import INITIAL_CREDIT

if TYPE_CHECKING:
    from udist_plugin.testing.callers.run import Run

theme = Theme("giving-up")


@theme.case
def before_the_head(run: Run) -> None:
    """A cancelled exchange is reset with CANCELLED, and the next one works."""
    run.start()
    exchange = run.open()
    stream = run.accepted(exchange)
    exchange.cancel()
    stream.await_reset("CANCELLED")
    stream.reset("CANCELLED")
    run.works()


@theme.case
def after_the_head(run: Run) -> None:
    """Frames that crossed the client's reset are dropped."""
    run.start()
    exchange = run.open()
    stream = run.accepted(exchange)
    stream.respond(200)
    exchange.answered(200)
    exchange.cancel()
    stream.await_reset("CANCELLED")
    stream.data(b"hello")
    stream.grant(9)
    stream.data(b"hello", end=True)
    run.works()


@theme.case
def while_sending(run: Run) -> None:
    """An exchange is cancelled while its content waits for credit: the client sends no more of it."""
    run.start()
    exchange = run.open("PUT", "+")
    stream = run.accepted(exchange)
    exchange.write(INITIAL_CREDIT + 1)
    stream.await_content(INITIAL_CREDIT)
    exchange.cancel()
    stream.await_reset("CANCELLED")
    stream.grant(1)
    stream.reset("CANCELLED")
    run.works()


@theme.case
def others_go_on(run: Run) -> None:
    """Cancelling an exchange does not affect others."""
    run.start()
    given_up, other = run.open(), run.open()
    stream, kept = run.accepted(given_up), run.accepted(other)
    kept.respond(200)
    given_up.cancel()
    stream.await_reset("CANCELLED")
    kept.data(b"hello", end=True)
    other.read("*")
    other.succeeds(200, b"hello")
    stream.reset("CANCELLED")


@theme.core
def the_plugin_gives_up(run: Run) -> None:
    """The plugin resets a stream before its response: the exchange fails with its code and message."""
    run.start()
    exchange = run.exchange("POST")
    run.accepted(exchange).reset("INTERNAL", "the application failed")
    exchange.fails("INTERNAL", repeatable=False, saying="the application failed")
    run.works()


@theme.core
def the_plugin_gives_up_a_push(run: Run) -> None:
    """The plugin resets a stream whose content waits for credit: the client sends no more of it."""
    run.start()
    exchange = run.exchange("PUT", INITIAL_CREDIT + 1)
    stream = run.accepted(exchange)
    stream.await_content(INITIAL_CREDIT)
    stream.reset("UNAVAILABLE")
    exchange.fails("UNAVAILABLE")
    run.works()


@theme.core
def an_unknown_code(run: Run) -> None:
    """A code of a later version counts as UNKNOWN."""
    plugin = run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    stream.closed = True
    plugin.raw(framed(f"08{stream.id:02x} 42020863"), "reset with code 99")
    exchange.fails("UNKNOWN")
    run.works()


@theme.core
def unprocessed(run: Run) -> None:
    """reset with unprocessed: the request may be repeated, whatever its method."""
    run.start()
    exchange = run.exchange("POST")
    run.accepted(exchange).reset("UNAVAILABLE", "later", unprocessed=True)
    exchange.fails("UNAVAILABLE", repeatable=True)
    run.works()


@theme.core
def refused_for_lack_of_slots(run: Run) -> None:
    """The same for a stream that is refused because no slot is free."""
    run.start()
    exchange = run.exchange("POST")
    run.accepted(exchange).reset("RESOURCE_EXHAUSTED", "no slot", unprocessed=True)
    exchange.fails("RESOURCE_EXHAUSTED", repeatable=True)
    run.works()

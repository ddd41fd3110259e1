"""Responses that end before their requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.pattern import pattern
from udist_plugin.wire.constants import INITIAL_CREDIT

if TYPE_CHECKING:
    from udist_plugin.testing.callers.run import Run

theme = Theme("early-answers")


@theme.core
def answered_and_reset(run: Run) -> None:
    """reset(OK) follows the response's end: the response is kept, and the client stops sending."""
    run.start()
    exchange = run.exchange("PUT", 1_000_000)
    stream = run.accepted(exchange)
    stream.await_content(INITIAL_CREDIT)
    stream.respond(413, {"content-length": "2"})
    stream.data(b"{}", end=True)
    stream.reset("OK")
    exchange.succeeds(413, b"{}")
    run.works()


@theme.core
def of_unknown_length(run: Run) -> None:
    """The same for a response that an end frame ends."""
    run.start()
    exchange = run.exchange("PUT", 1_000_000)
    stream = run.accepted(exchange)
    stream.respond(400)
    stream.data(b"no")
    stream.end()
    stream.reset("OK")
    exchange.succeeds(400, b"no")
    run.works()


@theme.core
def an_end_is_missing(run: Run) -> None:
    """reset(OK) before the response has ended: INTERNAL."""
    run.start()
    exchange = run.exchange("PUT", 1_000_000)
    stream = run.accepted(exchange)
    stream.respond(200)
    stream.data(b"hello")
    stream.reset("OK")
    exchange.fails("INTERNAL")
    run.works()


@theme.core
def a_head_is_missing(run: Run) -> None:
    """reset(OK) instead of a response: INTERNAL."""
    run.start()
    exchange = run.exchange()
    run.accepted(exchange).reset("OK")
    exchange.fails("INTERNAL")
    run.works()


@theme.core
def read_while_it_is_sent(run: Run) -> None:
    """A long response is read while the request waits for credit."""
    run.start()
    exchange = run.exchange("PUT", 2 * INITIAL_CREDIT)
    stream = run.accepted(exchange)
    stream.await_content(INITIAL_CREDIT)
    content = pattern(3 * INITIAL_CREDIT)
    stream.respond(200)
    stream.data_as_granted(content)
    stream.reset("OK")
    exchange.succeeds(200, content)
    run.works()


@theme.case
def seen_before_the_request_ends(run: Run) -> None:
    """The response's head arrives before the request has ended, and content flows both ways."""
    run.start()
    exchange = run.open("PATCH", "+")
    stream = run.accepted(exchange)
    exchange.write(1000)
    stream.await_content(1000)
    stream.respond(200)
    stream.data(b"hello")
    exchange.answered(200)
    exchange.read(5)
    exchange.has_read(b"hello")
    exchange.write(1000)
    stream.await_content(2000)
    exchange.end()
    stream.await_end()
    stream.data(b"bye", end=True)
    exchange.read("*")
    exchange.has_read(b"bye")
    exchange.ends()


@theme.case
def read_later(run: Run) -> None:
    """The response can be read after reset(OK) has arrived."""
    run.start()
    exchange = run.open("PUT", 1_000_000)
    stream = run.accepted(exchange)
    exchange.write(1_000_000)
    stream.respond(413)
    stream.data(b"too large", end=True)
    stream.reset("OK")
    exchange.answered(413)
    run.works()
    exchange.read("*")
    exchange.has_read(b"too large")
    exchange.ends()


@theme.case
def short_of_its_length(run: Run) -> None:
    """A response that ends before its request and short of its content-length: INTERNAL, and a reset."""
    run.start()
    exchange = run.open("PUT", "+")
    stream = run.accepted(exchange)
    stream.respond(413, {"content-length": "4"}, end=True)
    exchange.fails("INTERNAL")
    stream.await_reset("INTERNAL")
    stream.reset("OK")
    run.works()

"""Time limits of exchanges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.errors import Unexpected, Unsupported
from udist_plugin.wire.constants import INITIAL_CREDIT

if TYPE_CHECKING:
    from udist_plugin.testing.callers.run import Run

theme = Theme("timeouts")

SHORT: Final = 500
"""Milliseconds of those that are waited for: enough for a request to be sent."""

LONG: Final = 600_000


@theme.case
def told(run: Run) -> None:
    """The request has the exchange's time limit as timeout_ms; skipped if the client does not send it."""
    run.start()
    exchange = run.open(timeout=LONG)
    stream = run.accepted(exchange)
    told = stream.request.timeout_ms
    if told and not LONG / 2 < told <= LONG:
        raise Unexpected(f"timeout_ms is {told}, and the exchange's time limit {LONG} ms")
    stream.respond(204, end=True)
    exchange.read("*")
    exchange.succeeds(204)
    if not told:
        raise Unsupported("timeout_ms")


@theme.case
def none(run: Run) -> None:
    """An exchange without a time limit has no timeout_ms."""
    run.start()
    exchange = run.open()
    stream = run.accepted(exchange)
    if stream.request.timeout_ms:
        raise Unexpected(f"timeout_ms is {stream.request.timeout_ms}, the exchange has no time limit")
    stream.respond(204, end=True)
    exchange.read("*")
    exchange.succeeds(204)


@theme.case
def no_answer(run: Run) -> None:
    """No response comes in time: the client resets the stream with DEADLINE_EXCEEDED."""
    run.start()
    exchange = run.open(timeout=SHORT)
    stream = run.accepted(exchange)
    exchange.fails("DEADLINE_EXCEEDED")
    stream.await_reset("DEADLINE_EXCEEDED")
    stream.reset("DEADLINE_EXCEEDED")
    run.works()


@theme.case
def no_end(run: Run) -> None:
    """The time limit covers the whole response, including its content."""
    run.start()
    exchange = run.open(timeout=SHORT)
    stream = run.accepted(exchange)
    stream.respond(200)
    stream.data(b"hello")
    exchange.read("*")
    exchange.fails("DEADLINE_EXCEEDED")
    stream.await_reset("DEADLINE_EXCEEDED")
    stream.reset("DEADLINE_EXCEEDED")
    run.works()


@theme.case
def no_credit(run: Run) -> None:
    """The time limit also ends a wait for credit."""
    run.start()
    exchange = run.open("PUT", "+", timeout=SHORT)
    stream = run.accepted(exchange)
    exchange.write(2 * INITIAL_CREDIT)
    exchange.fails("DEADLINE_EXCEEDED")
    stream.await_reset("DEADLINE_EXCEEDED")
    stream.reset("DEADLINE_EXCEEDED")
    run.works()


@theme.case
def by_the_plugin(run: Run) -> None:
    """The plugin may be the first to reset the stream with DEADLINE_EXCEEDED."""
    run.start()
    exchange = run.open(timeout=LONG)
    run.accepted(exchange).reset("DEADLINE_EXCEEDED")
    exchange.fails("DEADLINE_EXCEEDED")
    run.works()


@theme.case
def reads_nothing(run: Run) -> None:
    """The time limit also ends a wait for a plugin that no longer reads its standard input."""
    plugin = run.start()
    exchange = run.open("PUT", "+", timeout=SHORT)
    stream = run.accepted(exchange)
    stream.grant(64 << 20)
    plugin.ping()
    plugin.stop_reading()
    exchange.write(32 << 20)
    exchange.fails("DEADLINE_EXCEEDED")
    plugin.end(1)

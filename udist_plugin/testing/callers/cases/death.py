"""Plugins that die or break down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.testing.callers.case import Theme
from udist_plugin.wire.constants import INITIAL_CREDIT
from udist_plugin.wire.encoding import encode_data_head

if TYPE_CHECKING:
    from udist_plugin.testing.callers.run import Run

theme = Theme("death")


@theme.core
def exits_instead_of_answering(run: Run) -> None:
    """The plugin exits while a request waits for its response."""
    plugin = run.start()
    exchange = run.exchange()
    run.accepted(exchange)
    plugin.end(1)
    exchange.fails("UNAVAILABLE")


@theme.core
def killed_in_a_response(run: Run) -> None:
    """The plugin is killed in the middle of a response: the exchange fails."""
    plugin = run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    stream.respond(200)
    stream.data(b"hello")
    plugin.await_written()
    plugin.kill()
    exchange.fails()


@theme.core
def ends_within_a_frame(run: Run) -> None:
    """Standard output ends in the middle of a frame."""
    plugin = run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    stream.respond(200)
    plugin.raw(encode_data_head(stream.id, 1000, True) + bytes(10), "half a frame")
    plugin.await_written()
    plugin.end(0)
    exchange.fails()


@theme.core
def text_instead_of_a_response(run: Run) -> None:
    """Text on standard output where a frame should begin."""
    plugin = run.start()
    exchange = run.exchange()
    run.accepted(exchange)
    plugin.raw(b"Oops, a print\n", "text")
    exchange.fails()


@theme.core
def a_frame_too_long(run: Run) -> None:
    """The client rejects a frame that is too long without waiting for it."""
    plugin = run.start()
    exchange = run.exchange()
    run.accepted(exchange)
    plugin.raw(b"\0\xff\xff\xff\xff", "a frame of 4294967295 bytes")
    exchange.fails()


@theme.case
def says_how_it_ended(run: Run) -> None:
    """The error has the code UNAVAILABLE, the exit status and the last lines of standard error."""
    plugin = run.start()
    exchange = run.open()
    run.accepted(exchange)
    plugin.complain(b"the disk is gone\nno more to say\n")
    plugin.end(42)
    exchange.fails("UNAVAILABLE", saying="no more to say")
    exchange.fails(saying="42")


@theme.case
def says_what_was_printed(run: Run) -> None:
    """The error shows the text that came instead of a frame."""
    plugin = run.start()
    exchange = run.open()
    run.accepted(exchange)
    plugin.raw(b"Oops, a print\n", "text")
    exchange.fails(saying="Oops, a print")


@theme.case
def all_exchanges_fail(run: Run) -> None:
    """All exchanges fail, whether they wait for a response, content or credit."""
    plugin = run.start()
    waiting, reading, sending = run.open(), run.open(), run.open("PUT", "+")
    run.accepted(waiting)
    run.accepted(reading).respond(200)
    reading.read("*")
    sending.write(INITIAL_CREDIT + 1)
    run.accepted(sending).await_content(INITIAL_CREDIT)
    plugin.kill()
    for exchange in (waiting, reading, sending):
        exchange.fails("UNAVAILABLE")
    run.breaks()


@theme.case
def what_was_posted_may_have_happened(run: Run) -> None:
    """A POST that the plugin may have processed is not reported as repeatable."""
    plugin = run.start()
    exchange = run.open("POST")
    run.accepted(exchange)
    plugin.kill()
    exchange.fails("UNAVAILABLE", repeatable=False)


@theme.core
def after_the_answer(run: Run) -> None:
    """A complete response is kept if the plugin exits right after it."""
    plugin = run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    stream.respond(200)
    stream.data(b"hello", end=True)
    plugin.await_written()
    plugin.end(0)
    exchange.succeeds(200, b"hello")
    run.breaks()


@theme.core
def closes_its_output(run: Run) -> None:
    """The plugin closes its standard output and keeps running: the exchange fails."""
    plugin = run.start()
    exchange = run.exchange()
    run.accepted(exchange)
    plugin.close_output()
    exchange.fails()


@theme.case
def closes_its_input(run: Run) -> None:
    """The plugin closes its standard input and sends no response: the exchange fails."""
    plugin = run.start()
    exchange = run.open("PUT", "+")
    stream = run.accepted(exchange)
    stream.grant(64 << 20)
    plugin.ping()
    plugin.close_input()
    exchange.write(8 << 20)
    exchange.fails()
    plugin.end(1)


@theme.case
def answers_and_closes_its_input(run: Run) -> None:
    """The plugin closes its standard input and then responds: the response is kept."""
    plugin = run.start()
    exchange = run.open("PUT", "+")
    stream = run.accepted(exchange)
    stream.grant(64 << 20)
    plugin.ping()
    plugin.close_input()
    exchange.write(8 << 20)
    stream.respond(507)
    stream.data(b"the disk is full", end=True)
    stream.reset("OK")
    exchange.read("*")
    exchange.succeeds(507, b"the disk is full")
    plugin.end(1)


@theme.core
def complains_at_length(run: Run) -> None:
    """The client reads standard error all the time, so a long log does not block the plugin."""
    plugin = run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    for _ in range(64):
        plugin.complain(b"a line of a log that is not short\n" * 256)
    stream.respond(200, end=True)
    exchange.succeeds(200)


@theme.case
def others_hold_its_pipes(run: Run) -> None:
    """The plugin exits while another process holds its pipes open: the exchange fails."""
    plugin = run.start()
    exchange = run.open()
    run.accepted(exchange)
    plugin.leave(1)
    exchange.fails("UNAVAILABLE")

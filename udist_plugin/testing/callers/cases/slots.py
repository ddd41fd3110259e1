"""Slots: as many streams at once as the plugin allows, each until the plugin's last frame for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.errors import Unexpected, Unsupported
from udist_plugin.testing.callers.pattern import pattern
from udist_plugin.wire.constants import DECLARED_CREDIT, INITIAL_CREDIT, INITIAL_STREAMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.testing.callers.exchange import Exchange
    from udist_plugin.testing.callers.plugin import Plugin
    from udist_plugin.testing.callers.run import Run
    from udist_plugin.testing.callers.stream import Stream

theme = Theme("slots")


def _open(run: Run, count: int) -> list[Exchange]:
    exchanges = [run.open() for _ in range(count)]
    for exchange in exchanges:
        run.accepted(exchange)
    return exchanges


def _answer(run: Run, exchanges: list[Exchange]) -> None:
    for exchange in exchanges:
        run.accepted(exchange).respond(204, end=True)
        exchange.read("*")
        exchange.succeeds(204)


def _waits(plugin: Plugin, exchange: Exchange) -> None:
    """The request of ``exchange`` is not sent: that it came would be an error by itself, too."""
    for _ in range(100):  # the driver may take its time to carry the command out
        plugin.ping()
    if plugin.find(exchange.target):
        raise Unexpected(f"the request of {exchange} came though all slots were in use")


def _counts(run: Run, begin: Callable[[Run], Stream], last: Callable[[Stream], None]) -> None:
    """The stream that ``begin`` leaves counts until ``last`` has sent the plugin's last frame for it."""
    plugin = run.start()
    stream = begin(run)
    others = _open(run, INITIAL_STREAMS - 1)
    waiting = run.open()
    _waits(plugin, waiting)
    last(stream)
    _answer(run, [waiting, *others])


@theme.case
def sixty_four(run: Run) -> None:
    """The 65th request waits until a slot is free."""
    plugin = run.start()
    exchanges = _open(run, INITIAL_STREAMS)
    waiting = run.open()
    _waits(plugin, waiting)
    _answer(run, exchanges[:1])
    _answer(run, [waiting, *exchanges[1:]])


@theme.case
def more(run: Run) -> None:
    """The plugin's settings allow more."""
    plugin = run.start(max_streams=INITIAL_STREAMS + 6)
    exchanges = _open(run, INITIAL_STREAMS + 6)
    waiting = run.open()
    _waits(plugin, waiting)
    _answer(run, exchanges)
    _answer(run, [waiting])


@theme.case
def little_credit(run: Run) -> None:
    """Beside 64 streams, a request declares at most 16384 bytes of initial credit, and keeps to them; skipped
    if the client has not announced the capability."""
    plugin = run.start(ready=False)
    if DECLARED_CREDIT not in plugin.await_settings().capabilities:
        raise Unsupported(DECLARED_CREDIT)
    plugin.ready(max_streams=INITIAL_STREAMS + 2, heeds_credit=True)
    others = _open(run, INITIAL_STREAMS)
    pushing = run.exchange("PUT", INITIAL_CREDIT)
    stream = run.accepted(pushing)
    declared = stream.request.initial_credit
    stream.await_content(declared)
    stream.grant(INITIAL_CREDIT - declared)
    stream.await_end()
    content = pattern(2 * INITIAL_CREDIT)
    stream.respond(200, {"content-length": str(len(content))})
    stream.data_as_granted(content)
    pushing.succeeds(200, content)
    _answer(run, others)


@theme.case
def fewer(run: Run) -> None:
    """A max_streams below 64 counts as 64."""
    run.start(max_streams=1)
    _answer(run, _open(run, INITIAL_STREAMS))


@theme.case
def before_the_settings(run: Run) -> None:
    """At most 64 requests are sent before the plugin's settings; the others follow."""
    plugin = run.start(ready=False)
    exchanges = [run.open() for _ in range(INITIAL_STREAMS + 6)]
    plugin.await_settings()
    plugin.ready(max_streams=INITIAL_STREAMS + 6)
    for exchange in exchanges:
        run.accepted(exchange)
    _answer(run, exchanges)


@theme.case
def given_up(run: Run) -> None:
    """A stream that the client has reset keeps its slot until the plugin's last frame."""

    def begin(run: Run) -> Stream:
        exchange = run.open()
        stream = run.accepted(exchange)
        exchange.cancel()
        stream.await_reset("CANCELLED")
        return stream

    _counts(run, begin, lambda stream: stream.reset("CANCELLED"))


@theme.case
def given_up_crossing(run: Run) -> None:
    """The same if the reset crossed the end of the response."""

    def begin(run: Run) -> Stream:
        exchange = run.open()
        stream = run.accepted(exchange)
        stream.respond(200)
        exchange.answered(200)
        exchange.cancel()
        stream.await_reset("CANCELLED")
        return stream

    _counts(run, begin, lambda stream: stream.data(b"x", end=True))


@theme.case
def early_answer(run: Run) -> None:
    """A stream whose response ended before its request keeps its slot until reset(OK)."""

    def begin(run: Run) -> Stream:
        exchange = run.open("PUT", "+")
        stream = run.accepted(exchange)
        stream.respond(413, end=True)
        exchange.answered(413)
        return stream

    _counts(run, begin, lambda stream: stream.reset("OK"))


@theme.case
def early_answer_given_up(run: Run) -> None:
    """The same if the client then cancels it."""

    def begin(run: Run) -> Stream:
        exchange = run.open("PUT", "+")
        stream = run.accepted(exchange)
        stream.respond(413, end=True)
        exchange.answered(413)
        exchange.cancel()
        return stream

    _counts(run, begin, lambda stream: stream.reset("OK"))


@theme.case
def faulty(run: Run) -> None:
    """A stream with a stream error keeps its slot until the plugin has answered the client's reset."""

    def begin(run: Run) -> Stream:
        exchange = run.open()
        stream = run.accepted(exchange)
        stream.respond(99)
        exchange.fails("INTERNAL")
        stream.await_reset("INTERNAL")
        return stream

    _counts(run, begin, lambda stream: stream.reset("INTERNAL"))


@theme.case
def refused(run: Run) -> None:
    """A refusal frees the slot."""

    def begin(run: Run) -> Stream:
        return run.accepted(run.open())

    _counts(run, begin, lambda stream: stream.reset("RESOURCE_EXHAUSTED", "no slot", unprocessed=True))


@theme.case
def given_up_while_waiting(run: Run) -> None:
    """A request that is cancelled while it waits for a slot is never sent."""
    plugin = run.start()
    exchanges = _open(run, INITIAL_STREAMS)
    waiting = run.open()
    _waits(plugin, waiting)
    waiting.cancel()
    waiting.fails()
    _answer(run, exchanges)
    run.works()
    if plugin.find(waiting.target):
        raise Unexpected(f"the request of {waiting} came though it had been given up")

"""From the start to the plugin's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.errors import Unexpected
from udist_plugin.wire.constants import VERSION
from udist_plugin.wire.frames import Settings

if TYPE_CHECKING:
    from udist_plugin.testing.callers.run import Run

theme = Theme("handshake")


@theme.core
def ready_at_once(run: Run) -> None:
    """The client sends settings with version 1; after the plugin's, a request is answered."""
    plugin = run.start()
    settings = plugin.await_settings()
    if VERSION not in settings.versions:
        raise Unexpected(f"the client's settings offer the versions {list(settings.versions)}, not {VERSION}")
    exchange = run.exchange()
    run.accepted(exchange).respond(200, end=True)
    exchange.succeeds(200)


@theme.core
def ready_late(run: Run) -> None:
    """A request made before the plugin is ready succeeds once it is."""
    plugin = run.start(ready=False)
    exchange = run.exchange()
    plugin.await_settings()
    plugin.ready()
    run.accepted(exchange).respond(200, end=True)
    exchange.succeeds(200)


@theme.core
def refused(run: Run) -> None:
    """go_away before settings: the exchange fails with the plugin's code and message."""
    plugin = run.start(ready=False)
    exchange = run.exchange()
    plugin.await_settings()
    plugin.go_away(0, "INVALID_ARGUMENT", "storage.filesystem.rootdirectory: expected a path")
    plugin.end(78)
    exchange.fails("INVALID_ARGUMENT", saying="storage.filesystem.rootdirectory: expected a path")


@theme.core
def another_version(run: Run) -> None:
    """The plugin chooses a version that the client has not offered."""
    plugin = run.start(ready=False)
    exchange = run.exchange()
    plugin.await_settings()
    plugin.ready(versions=[VERSION + 1])
    exchange.fails()


@theme.core
def several_versions(run: Run) -> None:
    """The plugin chooses two versions."""
    plugin = run.start(ready=False)
    exchange = run.exchange()
    plugin.await_settings()
    plugin.ready(versions=[VERSION, VERSION + 1])
    exchange.fails()


@theme.core
def text_before_settings(run: Run) -> None:
    """Text on standard output instead of settings: the exchange fails."""
    plugin = run.start(ready=False)
    exchange = run.exchange()
    plugin.await_settings()
    plugin.raw(b"Welcome to the plugin!\n", "text")
    exchange.fails()


@theme.core
def exits_at_once(run: Run) -> None:
    """The plugin exits before it is ready: the exchange fails at once."""
    plugin = run.start(ready=False)
    exchange = run.exchange()
    plugin.end(3)
    exchange.fails()


@theme.case
def says_how_it_ended(run: Run) -> None:
    """If the plugin exits at once, the error has its exit status and the last lines of its standard error."""
    plugin = run.start(ready=False)
    exchange = run.open()
    plugin.complain(b"no such module\n")
    plugin.end(42)
    exchange.fails("UNAVAILABLE", saying="no such module")
    exchange.fails(saying="42")


@theme.case
def says_what_was_printed(run: Run) -> None:
    """The error shows the text that came instead of settings."""
    plugin = run.start(ready=False)
    exchange = run.open()
    plugin.await_settings()
    plugin.raw(b"Welcome to the plugin!\n", "text")
    exchange.fails(saying="Welcome to the plugin!")


@theme.core
def another_program(run: Run) -> None:
    """A program that is not a plugin: it prints its usage and exits."""
    plugin = run.start(ready=False)
    exchange = run.exchange()
    plugin.raw(b"usage: something-else [options]\n", "text")
    plugin.await_written()
    plugin.end(2)
    exchange.fails()


@theme.core
def warnings(run: Run) -> None:
    """Warnings in the plugin's settings do not stop the client."""
    plugin = run.start(ready=False)
    exchange = run.exchange()
    plugin.await_settings()
    plugin.settings_sent()
    plugin.send(Settings([VERSION], 64, warnings=["lgo: unknown key, ignored; did you mean log?"]))
    run.answer(exchange)

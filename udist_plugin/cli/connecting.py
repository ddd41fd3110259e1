"""Connects a command to its registry."""

from __future__ import annotations

from contextlib import contextmanager

from udist_plugin.cli.output import note, printable, say
from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import HandshakeFailed, PluginDied
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from udist_plugin.remote.registry import RemoteRegistry

HASTE: Final = 0.5
"""Seconds that the plugin has to end by itself after a failure or an interrupt: nobody waits for more."""


@contextmanager
def connected(
    arguments: argparse.Namespace, variables: Mapping[str, str] | None = None
) -> Iterator[RemoteRegistry]:
    """Spawns the plugin that ``arguments`` describe and yields its registry; ends the plugin afterwards.

    ``variables`` take the place of this process's ``REGISTRY_*``.
    """
    plugin = _started(arguments, variables)
    try:
        for warning in plugin.warnings:
            note(printable(warning))
        from udist_plugin.remote.registry import RemoteRegistry

        yield RemoteRegistry(plugin)
    except BaseException:
        plugin.close(HASTE)
        raise
    plugin.close()


def _started(arguments: argparse.Namespace, variables: Mapping[str, str] | None) -> Plugin:
    """Raises ``PluginNotFound``, ``HandshakeFailed`` or ``ConfigurationError``."""
    path = arguments.config
    config = _read(path) if path else None
    log = _print_log if arguments.verbose else _drop
    try:
        return Plugin(config, variables, arguments.plugin, log=log, config_name=path or "")
    except PluginDied as error:  # ssh that reached no host, for instance
        raise HandshakeFailed(str(error), code=error.code) from error
    except (OSError, RuntimeError) as error:  # no descriptor or no thread is left
        raise HandshakeFailed(f"cannot start the plugin: {error}") from error


def _read(path: str) -> str:
    from udist_plugin.config.files import read_file

    return read_file(path)


def _print_log(line: str) -> None:
    say(printable(line))


def _drop(_: str) -> None:
    """The log is not asked for; an error still ends with its last lines."""

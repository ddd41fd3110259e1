"""``udist-plugin``: the plugin executable."""

from __future__ import annotations

import gc
import os
import sys

from udist_plugin.cli.streams import is_open, open_closed_streams
from udist_plugin.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping
    from typing import Any, NoReturn

    from udist_plugin.server.log import Log
    from udist_plugin.service import RegistryApp
    from udist_plugin.wire.frames import Settings
else:
    import _signal as signal  # the module proper makes enumerations of the same: a millisecond of every start

USAGE = """\
usage: udist-plugin [--config FILE [--locked]] [--grpc [--keep SECONDS]]

An OCI registry for programs to spawn. It exchanges HTTP requests and responses with its
caller over standard input and output, in a binary protocol.

  --config FILE   configuration file, in distribution's YAML format; REGISTRY_* variables
                  override it
  --locked        use FILE alone: take neither a configuration nor variables from the caller,
                  and no REGISTRY_* variables; for forced commands of ssh, and the like
  --grpc          serve gRPC on a Unix socket instead, for hosts that use HashiCorp's
                  go-plugin, or gRPC in any language: see "udist help grpc"
  --keep SECONDS  outlive the host for so long, so that another can take the server over
  --version       print the version
  --help          print this help

Do not run it in a terminal. For interactive use there is "udist"; for example,
"udist push demo/readme:v1 README.md". Programs start the plugin through a client library,
such as "from udist_plugin import Plugin" in Python.
"""
EX_USAGE = 64


def main(arguments: list[str] | None = None) -> None:
    """Runs the plugin on the standard streams of this process. Does not return."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until serving begins: no traceback of what is imported
    arguments = sys.argv[1:] if arguments is None else arguments
    parent = os.getppid()
    closed = "input" if sys.stdin is None else "" if is_open(1) else "output"
    open_closed_streams()
    options = _parse(arguments)
    if options.grpc:
        _serve_grpc(options, parent)
    if closed:
        problem = f"standard {closed} is closed; expected a pipe to the program that starts it"
        sys.stderr.write(f"udist-plugin: {problem}\n")
        sys.exit(EX_USAGE)
    if os.isatty(0) or os.isatty(1):
        sys.stderr.write(USAGE)
        sys.exit(EX_USAGE)
    gc.disable()  # imports create no garbage; collecting during them takes a tenth of the start-up time
    from udist_plugin.start.bundle import Bundle

    bundle = Bundle("plugin")
    sys.meta_path.insert(0, bundle)
    from udist_plugin.server.streams import take_standard_streams

    source, sink = take_standard_streams()
    from udist_plugin.bootstrap.services import build_service
    from udist_plugin.server.stdio import serve

    def build(settings: Settings, log: Log) -> RegistryApp:
        name = settings.configuration_name
        given = settings.configuration, settings.environment
        app = build_service(options.config, *given, os.environ, name, locked=options.locked)
        _configure(log, app, {})
        return app

    serve(source, sink, build, bundle.save, shares_files=not options.locked)


def _serve_grpc(options: Options, parent: int) -> NoReturn:
    """The same registry for a host that speaks gRPC."""
    from udist_plugin.server.grpc.handshake import NOT_BY_HAND, was_spawned

    if not was_spawned(os.environ):
        sys.stderr.write(NOT_BY_HAND)
        sys.exit(1)
    gc.disable()
    from udist_plugin.start.bundle import Bundle

    bundle = Bundle("grpc")
    sys.meta_path.insert(0, bundle)
    from udist_plugin.bootstrap.services import build_service
    from udist_plugin.server.grpc.serving import Host, serve

    def build(log: Log) -> RegistryApp:
        app = build_service(options.config, None, None, os.environ, locked=options.locked)
        _configure(log, app, {"text": "hclog"})
        return app

    serve(Host(os.environ, parent, options.keep), build, bundle.save)


def _configure(log: Log, app: RegistryApp, formatters: Mapping[str, str]) -> None:
    """As the configuration says; ``formatters`` replace its own."""
    configured = app.configuration.log
    formatter = formatters.get(configured.formatter, configured.formatter)
    log.configure(configured.level, formatter, configured.fields, report_caller=configured.reportcaller)
    app.log_access(log.line)


class Options(NamedTuple):
    """What the command line says; ``keep`` is in seconds."""

    config: str | None = None
    locked: bool = False
    grpc: bool = False
    keep: float = 0.0


def _parse(arguments: list[str]) -> Options:
    match arguments:
        case ["--version"]:
            from udist_plugin.version import __version__

            sys.stdout.write(f"udist-plugin {__version__}\n")
            sys.exit(0)
        case ["--help" | "-h"]:
            sys.stdout.write(USAGE)
            sys.exit(0)
    try:
        return _options(arguments)
    except (ValueError, StopIteration):
        sys.stderr.write(f"udist-plugin: invalid arguments: {' '.join(arguments)}\n\n{USAGE}")
        sys.exit(EX_USAGE)


def _options(arguments: list[str]) -> Options:
    """Raises ``ValueError`` for what is unknown, given twice or without what it belongs to, and
    ``StopIteration`` for a missing value."""
    given: dict[str, Any] = {}
    words = iter(arguments)
    for word in words:
        option, separator, value = word.partition("=")
        name = option.removeprefix("--")
        if name in given or name == option:
            raise ValueError(word)
        if name in ("grpc", "locked") and not separator:
            given[name] = True
        elif name in ("config", "keep"):
            value = value if separator else next(words)
            if not value:  # of a variable that is not set, and not the default store
                raise ValueError(word)
            given[name] = float(value) if name == "keep" else value
        else:
            raise ValueError(word)
    options = Options(**given)
    if not 0 <= options.keep < 1e9 or ("keep" in given and not options.grpc):
        raise ValueError("keep")
    if options.locked and options.config is None:
        raise ValueError("locked")
    return options


if __name__ == "__main__":
    main()

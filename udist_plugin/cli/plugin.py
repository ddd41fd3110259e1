"""``udist-plugin``: the plugin executable."""

from __future__ import annotations

import gc
import os
import sys

from udist_plugin.cli.streams import is_open, open_closed_streams
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import signal

    from udist_plugin.server.log import Log
    from udist_plugin.service import RegistryApp
    from udist_plugin.wire.frames import Settings
else:
    import _signal as signal  # the module proper makes enumerations of the same: a millisecond of every start

USAGE = """\
usage: udist-plugin [--config FILE [--locked]]

An OCI registry for programs to spawn. It exchanges HTTP requests and responses with its
caller over standard input and output, in a binary protocol.

  --config FILE   configuration file, in distribution's YAML format; REGISTRY_* variables
                  override it
  --locked        use FILE alone: take neither a configuration nor variables from the caller,
                  and no REGISTRY_* variables; for forced commands of ssh, and the like
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
    closed = "input" if sys.stdin is None else "" if is_open(1) else "output"
    open_closed_streams()
    path, locked = _options(arguments)
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
    from udist_plugin.bootstrap import build_service
    from udist_plugin.server.stdio import serve

    def build(settings: Settings, log: Log) -> RegistryApp:
        name = settings.configuration_name
        given = settings.configuration, settings.environment
        app = build_service(path, *given, os.environ, name, locked=locked)
        configured = app.configuration.log
        log.configure(configured.level, configured.formatter, configured.fields)
        app.log_access(log.line)
        return app

    serve(source, sink, build, bundle.save, shares_files=not locked)


def _options(arguments: list[str]) -> tuple[str | None, bool]:
    """The configuration file, and whether the plugin is locked to it."""
    locked = arguments.count("--locked") == 1
    match [each for each in arguments if each != "--locked"] if locked else arguments:
        case [] if not locked:
            return None, False
        case ["--version"]:
            from udist_plugin.version import __version__

            sys.stdout.write(f"udist-plugin {__version__}\n")
            sys.exit(0)
        case ["--help" | "-h"]:
            sys.stdout.write(USAGE)
            sys.exit(0)
        case ["--config", path]:
            return path, locked
        case [option] if option.startswith("--config="):
            return option.removeprefix("--config="), locked
        case _:
            sys.stderr.write(f"udist-plugin: invalid arguments: {' '.join(arguments)}\n\n{USAGE}")
            sys.exit(EX_USAGE)


if __name__ == "__main__":
    main()

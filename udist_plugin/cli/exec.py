"""``udist exec``."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress

from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.options import add_config_option, add_json_option, file_path
from udist_plugin.cli.output import note, print_json, printable, say
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from udist_plugin.gateway.process import Gateway, Owner
    from udist_plugin.server.log import Log
    from udist_plugin.service import RegistryApp
    from udist_plugin.wrappers.push_report import PushReport

HOST: Final = re.compile(r"(?<![\w.-])udist\.localhost(?=/)")
"""What stands for the registry in a command's arguments."""

NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
"""As shells have it."""

GONE: Final = 5.0
"""Seconds for a gateway in the background to end."""

DRAIN: Final = 0.2
"""Seconds for the last lines of the log."""

_EPILOG = """\
Opens a port on 127.0.0.1 for as long as the command runs, for tools that need one.
The registry there is the configured one. Only the command gets the credential for
it: in DOCKER_CONFIG, REGISTRY_AUTH_FILE and REGCTL_CONFIG, beside your own entries.
UDIST_REGISTRY holds its address; "udist.localhost/" in arguments is replaced by it.
Ends with the command and its exit code: 127 if there is no such command, 126 if it
cannot be executed, 128 + N in a shell if signal N ended it.

examples:
  udist exec -- crane push image.tar udist.localhost/demo/app:v1
  udist exec -- sh -c 'skopeo copy oci:image docker://$UDIST_REGISTRY/demo/app:v1'
  udist exec --tls -- oras push udist.localhost/demo/readme:v1 README.md
  udist exec --socket /tmp/registry.sock -- sh -c 'curl --unix-socket $UDIST_SOCKET $UDIST_URL/v2/'
  eval "$(udist exec --background)"; docker pull $UDIST_REGISTRY/demo/app; udist exec --stop $UDIST_EXEC_ID

"udist help tools" has more for each tool.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.usage = "udist exec [OPTION...] -- COMMAND [ARGUMENT...]"
    parser.set_defaults(after_dashes="command")
    parser.add_argument(
        "--tls", action="store_true", help="use https, with a throw-away certificate that the command trusts"
    )
    parser.add_argument(
        "--auth",
        action="store_true",
        help="guard the registry by the configuration's access control, not by a credential for the command",
    )
    parser.add_argument("--read-only", action="store_true", help="refuse every push and deletion")
    parser.add_argument(
        "--socket",
        metavar="PATH",
        type=file_path,
        help="listen on a Unix socket instead of a port; UDIST_SOCKET holds it",
    )
    parser.add_argument(
        "--background",
        action="store_true",
        help="run no command: print variables for a shell; ends with the process that started udist",
    )
    parser.add_argument(
        "--owner",
        type=_process,
        metavar="PID",
        help="with --background, the process to end with instead, such as a job's",
    )
    parser.add_argument(
        "--report",
        metavar="FILE",
        type=file_path,
        help="append a line of JSON to FILE for each manifest that is pushed: repository, tag, digest, "
        "mediaType, size, and the bytes of it that were uploaded",
    )
    parser.add_argument("--stop", metavar="ID", help="end what --background started; UDIST_EXEC_ID holds it")
    add_config_option(parser.add_argument_group("registry"))
    add_json_option(parser)
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="show the registry's log on standard error"
    )


def run(arguments: argparse.Namespace) -> int:
    if sum((bool(arguments.command), arguments.background, arguments.stop is not None)) != 1:
        raise WrongCommandLine(arguments.parser, "give one of -- COMMAND, --background and --stop ID")
    if arguments.owner is not None and not arguments.background:
        raise WrongCommandLine(arguments.parser, "--owner goes with --background")
    if arguments.stop is not None:
        return _stop(arguments.stop)
    from udist_plugin.gateway.process import fork

    background = arguments.owner or _starter() if arguments.background else None
    gateway = fork(lambda owner: _serve(owner, arguments), background=background)
    try:
        variables = gateway.variables()
        if variables is not None and arguments.background:
            gateway.leave()
            _print_variables(variables, as_json=arguments.json)
            return 0
        code = None if variables is None else _run(arguments.command, variables, gateway)
    except BaseException:
        gateway.close()
        raise
    ended = gateway.close()
    if variables is None:  # it has said why
        return ended or 1
    if code is None:
        note(f"the registry has ended ({_how(ended)}), so the command was stopped")
        return 1
    if code < 0:
        _leave_no_core()
    return code


def _process(text: str) -> int:
    import argparse

    from udist_plugin.gateway.others import Process

    if not re.fullmatch("[1-9][0-9]{0,9}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"expected the id of a process, not {printable(text)!r}")
    try:
        Process(int(text))
    except (ProcessLookupError, OverflowError):
        raise argparse.ArgumentTypeError(f"no process has the id {text}") from None
    return int(text)


def _starter() -> int:
    from udist_plugin.gateway.others import without_subshells

    return without_subshells(os.getppid())


def _serve(owner: Owner, arguments: argparse.Namespace) -> int:
    """The gateway's process, to its end."""
    from udist_plugin.cli.failures import exit_code_of, report
    from udist_plugin.start.bundle import Bundle

    bundle = Bundle("exec")
    sys.meta_path.insert(0, bundle)
    from udist_plugin.gateway.serving import Options, serve_gateway
    from udist_plugin.server.log import Log

    log = Log()
    options = Options(
        open=arguments.auth,
        tls=arguments.tls,
        socket=arguments.socket,
        background=arguments.background,
        environ=os.environ,
        note=lambda remark: note(printable(remark)),
        loaded=bundle.save,
    )
    try:
        serve_gateway(owner, lambda: _open(arguments, log), options, log)
    except Exception as error:
        report(error, as_json=arguments.json, verbose=arguments.verbose)
        return exit_code_of(error)
    finally:
        log.drain(DRAIN)
    return 0


def _open(arguments: argparse.Namespace, log: Log) -> RegistryApp:
    """Raises ``ConfigurationError`` and ``StorageError``."""
    from udist_plugin.bootstrap.services import build_gateway

    app = build_gateway(
        arguments.config,
        os.environ,
        read_only=arguments.read_only,
        guarded=arguments.auth,
        hear=_report(arguments.report, log),
    )
    configured = app.configuration.log
    log.configure(
        configured.level if arguments.verbose else "warn",
        configured.formatter,
        configured.fields,
        report_caller=configured.reportcaller,
    )
    if arguments.verbose:
        app.log_access(log.line)
    return app


def _report(path: str | None, log: Log) -> PushReport | None:
    """Raises ``OSError``."""
    if path is None:
        return None
    from udist_plugin.wrappers.push_report import PushReport

    return PushReport(path, lambda message: log.record("warn", message))


def _run(command: Sequence[str], variables: Mapping[str, str], gateway: Gateway) -> int | None:
    from udist_plugin.gateway.command import run_command

    words = [HOST.sub(variables["UDIST_REGISTRY"], word) for word in command]
    try:
        return run_command(words, os.environ | variables, gateway)
    except FileNotFoundError:
        say(f"udist: {printable(words[0])}: command not found")
        return NOT_FOUND
    except OSError as error:
        say(f"udist: {printable(words[0])}: {error.strerror}")
        return NOT_EXECUTABLE


def _print_variables(variables: Mapping[str, str], *, as_json: bool) -> None:
    from shlex import quote

    if as_json:
        print_json({"id": variables["UDIST_EXEC_ID"], "environment": dict(variables)})
        return
    for name, value in variables.items():
        print(f"export {name}={quote(value)}")


def _stop(name: str) -> int:
    from udist_plugin.gateway.folder import process_of
    from udist_plugin.gateway.others import end

    gateway = process_of(name, os.environ)
    if gateway is None:
        say(f"udist: no gateway has the id {printable(name)!r}; it may have ended already")
        return 1
    end([gateway], GONE)
    process_of(name, os.environ)  # removes what is left if it had to be killed
    return 0


def _leave_no_core() -> None:
    """The command may have dumped its own; this process only ends by the same signal."""
    with suppress(ImportError, OSError, ValueError):
        from resource import RLIMIT_CORE, setrlimit

        setrlimit(RLIMIT_CORE, (0, 0))


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"

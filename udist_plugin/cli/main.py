"""``udist``: a registry's everyday verbs, each spawning the plugin and speaking to it."""

from __future__ import annotations

import argparse
import io
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final, NoReturn

from udist_plugin.cli.failures import EXIT_CODES, exit_code_of, report

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final = {
    "push": "push files and folders as an artifact",
    "pull": "pull an artifact's files and folders",
    "ls": "list the repositories",
    "tags": "list a repository's tags",
    "inspect": "show a manifest",
    "rm": "delete a tag or a manifest",
    "referrers": "list the manifests that refer to one",
    "doctor": "try whether the configured store can be used",
    "config": "check a configuration, and list its keys",
    "serve": "be the plugin: speak the protocol on standard input and output",
}
"""Each command is a module of its name beside this one, with ``configure(parser)`` and ``run(arguments)``."""

WRONG_COMMAND_LINE: Final = 2
"""argparse's own."""

INTERRUPTED: Final = 130
"""128 + SIGINT, as a shell says it."""


def main(words: Sequence[str] | None = None) -> int:
    """Runs the command that ``words`` name, and returns its exit code; only ``--help`` and its like end with
    ``SystemExit``."""
    words = sys.argv[1:] if words is None else words
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the locale's encoding may lack a name's letters
    arguments = argparse.Namespace(json=False, verbose=False)
    try:
        try:
            _parser(words).parse_args(words, arguments)
            arguments.run(arguments)
        except SystemExit:  # help was printed
            sys.stdout.flush()
            raise
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except WrongCommandLine as error:
        if "--json" not in words:
            argparse.ArgumentParser.error(error.parser, str(error))
        report(error, as_json=True, verbose=False)
        return WRONG_COMMAND_LINE
    except Exception as error:
        if not isinstance(error, BrokenPipeError):  # then whoever read has gone, and needs no word
            report(error, as_json=arguments.json, verbose=arguments.verbose)
        _abandon_output()
        return exit_code_of(error)
    return 0


def _abandon_output() -> None:
    """Where standard output takes nothing more, the interpreter must not stumble over the rest at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


class WrongCommandLine(Exception):
    """What is wrong with the words that ``parser`` was given."""

    def __init__(self, parser: argparse.ArgumentParser, problem: str) -> None:
        self.parser = parser
        super().__init__(problem)


class _Parser(argparse.ArgumentParser):
    """Raises what is wrong instead of printing it, since that may be wanted as JSON."""

    def error(self, message: str) -> NoReturn:
        raise WrongCommandLine(self, message)


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    from udist_plugin.version import __version__

    parser = _Parser(
        prog="udist",
        description="An OCI registry without a server: every command spawns it as a child process.",
        epilog=_EPILOG + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"udist {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if words and words[0] == name:  # the others stay unread
            module = import_module(f"udist_plugin.cli.{name}")
            module.configure(command)
            command.set_defaults(run=module.run)
    return parser


_EPILOG = """\
examples:
  udist push demo/readme:v1 README.md
  udist pull demo/readme:v1 -o out
  udist --help, udist push --help

"""


if __name__ == "__main__":
    sys.exit(main())

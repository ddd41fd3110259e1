"""``udist``: a registry's everyday verbs, each spawning the plugin and speaking to it."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

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
    "serve": "be the plugin: speak the protocol on standard input and output",
}
"""Each command is a module of its name beside this one, with ``configure(parser)`` and ``run(arguments)``."""

INTERRUPTED: Final = 130
"""128 + SIGINT, as a shell says it."""


def main(words: Sequence[str] | None = None) -> int:
    """Runs the command that ``words`` name, and returns its exit code; never raises."""
    words = sys.argv[1:] if words is None else words
    parser = _parser(words)
    arguments = parser.parse_args(words, argparse.Namespace(json=False, verbose=False))
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # whoever read standard output has gone; the interpreter must not stumble over it again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return exit_code_of(BrokenPipeError())
    except Exception as error:
        report(error, as_json=arguments.json, verbose=arguments.verbose)
        return exit_code_of(error)
    return 0


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    from udist_plugin import __version__

    parser = argparse.ArgumentParser(
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

"""``udist``: runs one command, and turns what goes wrong into messages and exit codes."""

from __future__ import annotations

import argparse
import io
import os
import sys
from typing import TYPE_CHECKING, Final

from udist_plugin.cli.commands import WrongCommandLine, build_parser
from udist_plugin.cli.failures import exit_code_of, report

if TYPE_CHECKING:
    from collections.abc import Sequence

WRONG_COMMAND_LINE: Final = 2
"""argparse's own."""

INTERRUPTED: Final = 130
"""128 + SIGINT, as a shell says it."""


def main(words: Sequence[str] | None = None) -> int:
    """Runs the command line ``words`` and returns its exit code.

    Raises ``SystemExit`` where argparse does: for ``--help``, for ``--version`` and, without ``--json``, for
    a wrong command line.
    """
    words = sys.argv[1:] if words is None else words
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for letters that the locale lacks
    arguments = argparse.Namespace(json=False, verbose=False)
    try:
        try:
            build_parser(words).parse_args(words, arguments)
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
        if not isinstance(error, BrokenPipeError):  # whose reader has gone, so nobody would see a message
            report(error, as_json=arguments.json, verbose=arguments.verbose)
        _abandon_output()
        return exit_code_of(error)
    return 0


def _abandon_output() -> None:
    """If standard output takes no more, keeps the interpreter from failing on it again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    sys.exit(main())

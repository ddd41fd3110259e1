"""Runs one command, and turns what goes wrong into messages and exit codes."""

from __future__ import annotations

import argparse
import gc
import io
import sys
from contextlib import suppress

from udist_plugin.cli.commands import build_parser, command_first
from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.failures import exit_code_of, report
from udist_plugin.cli.output import say
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

WRONG_COMMAND_LINE: Final = 2
"""argparse's own."""

READER_GONE: Final = 141
"""128 + SIGPIPE, as a shell says it."""


def run(words: Sequence[str]) -> int:
    """Runs the command line ``words`` and returns its exit code, negative for a signal."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for letters that the locale lacks
    words = command_first(words)
    arguments = argparse.Namespace(json=False, verbose=False)
    code = 0
    try:
        with suppress(SystemExit):  # help or the version was printed
            build_parser(words).parse_args(words, arguments)
            gc.freeze()
            gc.enable()
            code = arguments.run(arguments) or 0
        _flush()
    except WrongCommandLine as error:
        if "--json" in words:
            report(error, as_json=True, verbose=False)
        else:
            say(f"{error.parser.format_usage()}{error.parser.prog}: error: {error}")
        return WRONG_COMMAND_LINE
    except BrokenPipeError:  # the reader of standard output has seen enough
        return READER_GONE
    except Exception as error:
        if isinstance(error.__context__, KeyboardInterrupt):  # argparse's own cleaning up failed after it
            raise error.__context__ from None
        report(_placed(error), as_json=arguments.json, verbose=arguments.verbose)
        return exit_code_of(error)
    return code


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError as error:
        error.filename = "standard output"
        raise


def _placed(error: Exception) -> Exception:
    """``error``, with standard output's name if it is the file that failed."""
    if isinstance(error, OSError) and error.filename is None:
        try:
            _flush()
        except OSError as failed:
            error.filename = failed.filename
    return error

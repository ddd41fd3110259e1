"""The command line."""

from __future__ import annotations

import argparse
import fnmatch
import functools
import json
import sys
from collections import Counter
from typing import TYPE_CHECKING

from udist_plugin.testing.arguments import count, seconds
from udist_plugin.testing.callers.cases import all_cases
from udist_plugin.testing.callers.errors import NotStarted
from udist_plugin.testing.callers.playing import play
from udist_plugin.testing.command_line import end_with

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from udist_plugin.testing.callers.case import Case
    from udist_plugin.testing.callers.playing import Outcome

PROGRAM = "python -m udist_plugin.testing.callers"

USAGE = 64
"""The exit status for a wrong command line (sysexits.h), as the plugin's own."""

MOST_JOBS = 64


class Parser(argparse.ArgumentParser):
    """Exits with ``USAGE`` where argparse would exit with 2."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: error: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the selected cases and prints a line for each. The exit status: 0 if none failed, else 1."""
    parser = _parser()
    options = parser.parse_args(arguments)
    cases = [case for case in all_cases() if _wanted(case, options)]
    if not cases:
        which = "no core case" if options.core else "no case"
        parser.error(f"{which} matches {options.only}; --list shows their names")
    if options.list:
        for case in cases:
            sys.stdout.write(f"{case.name}{' (core)' if case.core else ''}: {case.about}\n")
        return 0
    if not options.command:
        parser.error("the driver's command is missing")
    try:
        counts = _play(cases, options)
    except NotStarted as error:
        parser.error(str(error))
    if not options.json:
        sys.stdout.write(f"{counts['pass']} passed, {counts['fail']} failed, {counts['skip']} skipped\n")
    return 1 if counts["fail"] else 0


def _play(cases: Sequence[Case], options: argparse.Namespace) -> Counter[str]:
    counts: Counter[str] = Counter()
    for outcome in play(options.command, cases, options.timeout, options.jobs):
        counts[outcome.verdict] += 1
        sys.stdout.write(_as_json(outcome) if options.json else _as_text(outcome))
        sys.stdout.flush()
    return counts


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="Checks a client of the udist plugin protocol against well-behaved and faulty plugins.",
        epilog="example: python -m udist_plugin.testing.callers --only 'handshake/*' -- ./driver --verbose; "
        "'udist help callers' describes the driver",
    )
    add = parser.add_argument
    jobs = functools.partial(count, most=MOST_JOBS)
    add("command", nargs="*", metavar="COMMAND", help="the client's driver and its arguments")
    add("--core", action="store_true", help="run only the cases that a minimal driver supports")
    add(
        "--only",
        metavar="PATTERN",
        default="*",
        help="run only the cases whose names match, such as 'slots/*'",
    )
    add("--list", action="store_true", help="list the cases and run none")
    add("--json", action="store_true", help="print a JSON object for each case")
    add("--jobs", type=jobs, default=1, metavar="NUMBER", help="drivers to run in parallel (default: 1)")
    add("--timeout", type=seconds, default=10, metavar="SECONDS", help="bound of each wait (default: 10)")
    return parser


def _wanted(case: Case, options: argparse.Namespace) -> bool:
    return fnmatch.fnmatchcase(case.name, options.only) and (case.core or not options.core)


def _as_text(outcome: Outcome) -> str:
    name = outcome.case.name
    if outcome.verdict == "pass":
        return f"pass {name}\n"
    if outcome.verdict == "skip":
        return f"skip {name}: {outcome.text} is not supported\n"
    text = outcome.text.replace("\n", "\n     ")
    return f"FAIL {name}: {text}\n" + "".join(f"     | {note}\n" for note in outcome.notes)


def _as_json(outcome: Outcome) -> str:
    case = outcome.case
    value = {"name": case.name, "core": case.core, "verdict": outcome.verdict, "text": outcome.text}
    return json.dumps(value | ({"notes": outcome.notes} if outcome.notes else {})) + "\n"


if __name__ == "__main__":
    end_with(main, PROGRAM)

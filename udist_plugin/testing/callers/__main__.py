"""The command line."""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
from typing import TYPE_CHECKING

from udist_plugin.testing.callers.cases import all_cases
from udist_plugin.testing.callers.playing import play

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.testing.callers.case import Case
    from udist_plugin.testing.callers.playing import Outcome

USAGE = 64
"""The exit status for a wrong command line (sysexits.h), as the plugin's own."""


class Parser(argparse.ArgumentParser):
    """Ends with the status that all of udist ends with."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: error: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays the cases that were asked for, and prints a line for each. 0 if none failed, else 1."""
    options = _parser().parse_args(arguments)
    cases = [case for case in all_cases() if _wanted(case, options)]
    if not cases:
        _parser().error(f"no case is named {options.only}; --list shows their names")
    if options.list:
        for case in cases:
            sys.stdout.write(f"{case.name}{' (core)' if case.core else ''}: {case.about}\n")
        return 0
    if not options.command:
        _parser().error("the command of the driver is missing")
    counts = {"pass": 0, "fail": 0, "skip": 0}
    for outcome in play(options.command, cases, options.timeout, options.jobs):
        counts[outcome.verdict] += 1
        sys.stdout.write(_as_json(outcome) if options.json else _as_text(outcome))
        sys.stdout.flush()
    if not options.json:
        sys.stdout.write(f"{counts['pass']} passed, {counts['fail']} failed, {counts['skip']} skipped\n")
    return 1 if counts["fail"] else 0


def _parser() -> Parser:
    parser = Parser(
        prog="python -m udist_plugin.testing.callers",
        description="Checks a client of the udist plugin protocol: plays the plugin, good and bad.",
        epilog="example: python -m udist_plugin.testing.callers --only 'handshake/*' -- ./driver --verbose",
    )
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="the client's driver and its arguments")
    parser.add_argument("--core", action="store_true", help="only cases that the simplest drivers can do")
    parser.add_argument("--only", metavar="PATTERN", default="*", help="only cases with such a name")
    parser.add_argument("--list", action="store_true", help="list the cases, and play none")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each case")
    parser.add_argument(
        "--timeout", type=float, default=10.0, metavar="SECONDS", help="for each wait (default: %(default)g)"
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="NUMBER", help="so many drivers at a time (default: 1)"
    )
    return parser


def _wanted(case: Case, options: argparse.Namespace) -> bool:
    return fnmatch.fnmatchcase(case.name, options.only) and (case.core or not options.core)


def _as_text(outcome: Outcome) -> str:
    name = outcome.case.name
    if outcome.verdict == "pass":
        return f"pass {name}\n"
    if outcome.verdict == "skip":
        return f"skip {name}: the driver does not know {outcome.text}\n"
    text = outcome.text.replace("\n", "\n     ")
    return f"FAIL {name}: {text}\n" + "".join(f"     | {note}\n" for note in outcome.notes)


def _as_json(outcome: Outcome) -> str:
    case = outcome.case
    value = {"name": case.name, "core": case.core, "verdict": outcome.verdict, "text": outcome.text}
    return json.dumps(value | ({"notes": outcome.notes} if outcome.notes else {})) + "\n"


if __name__ == "__main__":
    sys.exit(main())

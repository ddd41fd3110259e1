"""The command line."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from udist_plugin.errors import UdistError
from udist_plugin.testing.arguments import seconds
from udist_plugin.testing.command_line import end_with
from udist_plugin.testing.trace.comparing import compared, summary
from udist_plugin.testing.trace.printing import heading, shown
from udist_plugin.testing.trace.reading import NotATrace, Trace, read
from udist_plugin.testing.trace.replaying import replay

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "python -m udist_plugin.testing.trace"
USAGE = f"""{PROGRAM} [--stream ID]... FILE
       {PROGRAM} --replay [--timeout SECONDS] FILE -- COMMAND..."""


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0, or 1 if a replay went otherwise than recorded. Exits with 2 if there is nothing to
    print or replay."""
    before, command = _divided(arguments)
    parser = argparse.ArgumentParser(prog=PROGRAM, usage=USAGE, description="Prints or replays a trace.")
    parser.add_argument("file", metavar="FILE", help="what UDIST_TRACE or a client has written")
    parser.add_argument("--stream", type=int, action="append", metavar="ID", help="show only this stream")
    parser.add_argument("--replay", action="store_true", help="send the caller's side to the plugin COMMAND")
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=30.0,
        metavar="SECONDS",
        help="bound of each wait of a replay (default: 30)",
    )
    options = parser.parse_args(before)
    if options.replay != bool(command):
        parser.error("--replay needs the command of a plugin after --, and only --replay takes one")
    if options.replay and options.stream:
        parser.error("--stream selects what is printed; a replay takes the whole trace")
    try:
        trace = read(options.file)
        if options.replay:
            return _replay(trace, command, options.timeout)
    except (NotATrace, UdistError) as error:
        parser.exit(2, f"{PROGRAM}: {error}\n")
    _say(heading(trace))
    for line in trace.lines:
        if options.stream is None or line.stream_id in options.stream:
            _say(shown(line))
    _say(trace.ending)
    return 0


def _replay(trace: Trace, command: Sequence[str], timeout: float) -> int:
    results = compared(trace, replay(trace, list(command), timeout))
    for result in results:
        _say(str(result))
    _say(summary(results))
    return int(any(result.verdict == "different" for result in results))


def _divided(arguments: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """What stands before ``--``, and what behind it."""
    place = list(arguments).index("--") if "--" in arguments else len(arguments)
    return arguments[:place], arguments[place + 1 :]


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    end_with(main, PROGRAM)

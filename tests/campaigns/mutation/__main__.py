"""Runs the campaign: see ``tests/campaigns/README.md``.

    uv run --no-sync --with cosmic-ray==8.7.0 --with coverage==7.17.5 python -m tests.campaigns.mutation

It goes on where it was stopped, as long as the working folder is there, and exits with 1 when a room is above
the bar.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from pathlib import Path

from tests.campaigns.mutation.child import warm_up
from tests.campaigns.mutation.reach import Reach
from tests.campaigns.mutation.report import Report
from tests.campaigns.mutation.runs import Runs
from tests.campaigns.mutation.sample import ROOMS, Sessions, survivors
from tests.campaigns.mutation.trees import copy_tree, fresh, refresh_tests


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.mutation", description=__doc__)
    parser.add_argument("rooms", nargs="*", default=ROOMS, help=f"of {', '.join(ROOMS)} (all)")
    parser.add_argument("--sample", type=int, default=1500, help="mutants over all rooms (1500)")
    parser.add_argument("--seed", type=int, default=13, help="which mutants (13)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="at once (one a core)")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "udist-mutation")
    parser.add_argument("--bar", type=float, default=0.10, help="share that may survive (0.10)")
    parser.add_argument(
        "--survivors", action="store_true", help="run those that survived again, with today's tests"
    )
    parser.add_argument("--report", action="store_true", help="run nothing, only print")
    return parser.parse_args()


def main() -> int:
    arguments = parse()
    work: Path = arguments.work
    original = work / "original"
    if not original.exists():
        copy_tree(original)
    elif arguments.survivors:
        refresh_tests(original)
        (work / "reach.json").unlink(missing_ok=True)
    sessions = Sessions(work, original, arguments.sample, arguments.seed)
    if not arguments.report:
        warm_up()
        reach = Reach.measured(work, original)
        trees = [fresh(original, work / str(number)) for number in range(arguments.processes)]
        pending = []
        for room in arguments.rooms:
            session = sessions.of(room)
            items = survivors(session) if arguments.survivors else session.pending_work_items
            pending += [(session, item) for item in items]
        random.Random(arguments.seed).shuffle(pending)  # so that what is done so far tells of every room
        Runs(reach, original, trees).run(pending)
    report = Report({room: sessions.of(room) for room in arguments.rooms}, original)
    print(report)
    return 0 if report.worst <= arguments.bar else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""The table of a campaign, and its survivors."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cosmic_ray.work_item import TestOutcome, WorkerOutcome

from tests.campaigns.mutation.runs import TIMEOUT
from tests.campaigns.mutation.survivors import KINDS, verdicts

if TYPE_CHECKING:
    from pathlib import Path

    from cosmic_ray.work_db import WorkDB
    from cosmic_ray.work_item import WorkItem, WorkResult

LEFT = "left"
COLUMNS = ["room", "mutants", "run", "killed", "by time-out", "survived", "share", *KINDS, LEFT, "share left"]


class Report:
    """Printed as a table; ``worst`` is the largest share of a room's mutants that are left: they survived,
    and are not known as something that no test can be asked to kill."""

    def __init__(self, sessions: dict[str, WorkDB], original: Path) -> None:
        self._package = original / "udist_plugin"
        self._verdicts = verdicts()
        self._rows: list[list[str]] = []
        self._survivors: list[str] = []
        self.worst = 0.0
        for room, session in sessions.items():
            self._add(room, len(session.work_items), list(session.completed_work_items))

    def _add(self, room: str, whole: int, completed: list[tuple[WorkItem, WorkResult]]) -> None:
        run = [each for each in completed if each[1].worker_outcome != WorkerOutcome.SKIPPED]
        alive = [self._told(*each) for each in run if each[1].test_outcome == TestOutcome.SURVIVED]
        timeouts = sum(result.output == TIMEOUT for _, result in run)
        kinds = Counter(kind for kind, _ in alive)
        count = max(1, len(run))
        self.worst = max(self.worst, kinds[LEFT] / count)
        row = [
            room,
            whole,
            len(run),
            len(run) - len(alive),
            timeouts,
            len(alive),
            f"{len(alive) / count:.1%}",
        ]
        row += [*(kinds[kind] for kind in (*KINDS, LEFT)), f"{kinds[LEFT] / count:.1%}"]
        self._rows.append(list(map(str, row)))
        self._survivors += sorted(text for _, text in alive)

    def _told(self, item: WorkItem, result: WorkResult) -> tuple[str, str]:
        """Which kind of survivor it is, and all that is to be said of it."""
        (mutation,) = item.mutations
        changed = [line for line in (result.diff or "").splitlines()[3:] if line[0] in "+-"]
        name = str(mutation.module_path.relative_to(self._package))
        line = "\n".join(line[1:].strip() for line in changed if line[0] == "+")
        kind, reason = self._verdicts.get((name, line), (LEFT, ""))
        title = f"{name}:{mutation.start_pos[0]:04} {mutation.operator_name.removeprefix('core/')}"
        verdict = f"    {kind}: {reason}" if reason else f"    {kind}"
        return kind, "\n".join([title, *(f"    {line}" for line in changed), verdict])

    def __str__(self) -> str:
        table = [COLUMNS, ["---"] * len(COLUMNS), *self._rows]
        return "\n".join([*self._survivors, "", *(f"| {' | '.join(row)} |" for row in table)])

"""The table of a campaign, and its survivors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cosmic_ray.work_item import TestOutcome, WorkerOutcome

from tests.campaigns.mutation.runs import TIMEOUT

if TYPE_CHECKING:
    from pathlib import Path

    from cosmic_ray.work_db import WorkDB
    from cosmic_ray.work_item import WorkItem, WorkResult

HEADER = "| room | mutants | run | killed | by time-out | survived | share |"


class Report:
    """Printed as a table; ``worst`` is the largest share of survivors in a room."""

    def __init__(self, sessions: dict[str, WorkDB], original: Path) -> None:
        self._original = original
        self._rows: list[tuple[str, int, int, int, int, float]] = []
        self._survivors: list[str] = []
        self.worst = 0.0
        for room, session in sessions.items():
            self._add(room, len(session.work_items), list(session.completed_work_items))

    def _add(self, room: str, whole: int, completed: list[tuple[WorkItem, WorkResult]]) -> None:
        run = [each for each in completed if each[1].worker_outcome != WorkerOutcome.SKIPPED]
        alive = [each for each in run if each[1].test_outcome == TestOutcome.SURVIVED]
        timeouts = sum(result.output == TIMEOUT for _, result in run)
        share = len(alive) / max(1, len(run))
        self.worst = max(self.worst, share)
        self._rows.append((room, whole, len(run), len(run) - len(alive), timeouts, share))
        self._survivors += sorted(self._told(item, result) for item, result in alive)

    def _told(self, item: WorkItem, result: WorkResult) -> str:
        (mutation,) = item.mutations
        changed = [line for line in (result.diff or "").splitlines()[3:] if line[0] in "+-"]
        name = mutation.module_path.relative_to(self._original)
        title = f"{name}:{mutation.start_pos[0]:04} {mutation.operator_name.removeprefix('core/')}"
        return "\n".join([title, *(f"    {line}" for line in changed)])

    def __str__(self) -> str:
        lines = [*self._survivors, "", HEADER, "|---|---|---|---|---|---|---|"]
        for room, whole, run, killed, timeouts, share in self._rows:
            lines.append(
                f"| {room} | {whole} | {run} | {killed} | {timeouts} | {run - killed} | {share:.1%} |"
            )
        return "\n".join(lines)

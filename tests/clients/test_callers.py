"""The Go and the Node client pass the conformance runner, each through what its users have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.clients.conftest import TIMEOUT
from udist_plugin.testing.callers.cases import all_cases
from udist_plugin.testing.callers.playing import play

if TYPE_CHECKING:
    from collections.abc import Sequence

WAIT: Final = 20.0  # seconds for each of the runner's waits
"""Far more than any takes, also on a machine that does much else."""

NODE_LACKS: Final = {
    "exchanges/trailers-of-a-request": "trailers",  # neither fetch nor undici can send them
    "timeouts/told": "timeout_ms",  # a signal does not say when it will be aborted
}
FETCH_LACKS: Final = "exchanges/trailers-of-a-response"  # a Response has none

pytestmark = pytest.mark.timeout(TIMEOUT)


def failures(command: Sequence[str], skipped: dict[str, str]) -> dict[str, str]:
    """Plays all cases, of which exactly ``skipped`` are skipped, for these reasons. Why others failed."""
    outcomes = list(play(command, all_cases(), WAIT, jobs=6))
    assert {each.case.name: each.text for each in outcomes if each.verdict == "skip"} == skipped
    return {
        each.case.name: "\n".join([each.text, *each.notes]) for each in outcomes if each.verdict == "fail"
    }


def test_go(go_driver: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the race detector, which ends the driver."""
    monkeypatch.setenv("GORACE", "halt_on_error=1")
    assert failures(go_driver, {}) == {}


def test_node_by_fetch(node_driver: list[str]) -> None:
    failed = failures([*node_driver, "fetch"], NODE_LACKS)
    assert "expected the trailers" in failed.pop(FETCH_LACKS)
    assert failed == {}


def test_node_by_undici(node_driver: list[str]) -> None:
    assert failures([*node_driver, "undici"], NODE_LACKS) == {}

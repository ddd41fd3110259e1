"""All cases, by themes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.testing.callers.cases import (
    closing,
    connection_states,
    death,
    early_answers,
    exchanges,
    files,
    flow,
    giving_up,
    going_away,
    handshake,
    heads,
    right_frames,
    slots,
    stream_states,
    timeouts,
    wrong_frames,
)

if TYPE_CHECKING:
    from udist_plugin.testing.callers.case import Case

THEMES = (
    handshake,
    exchanges,
    heads,
    early_answers,
    giving_up,
    flow,
    files,
    slots,
    timeouts,
    going_away,
    death,
    closing,
    right_frames,
    wrong_frames,
    connection_states,
    stream_states,
)


def all_cases() -> list[Case]:
    """Every case, in the order in which they are played."""
    return [case for module in THEMES for case in module.theme.cases]

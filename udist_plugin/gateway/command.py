"""The command that has a gateway: started, signals passed on, its status found out."""

from __future__ import annotations

import os

from udist_plugin.gateway.others import Process, end
from udist_plugin.gateway.process import GRACE
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping

    from udist_plugin.gateway.process import Gateway
else:
    import _signal as signal  # the module proper makes enumerations of the same

AWAITED: Final = frozenset(
    {
        *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2),
        signal.SIGCHLD,
    }
)
"""The signals that are passed on, and the one that says that a child has ended."""

IGNORED_BY_PYTHON: Final = (signal.SIGPIPE, signal.SIGXFSZ)


def run_command(words: list[str], environ: Mapping[str, str], gateway: Gateway) -> int | None:
    """Runs a command to its end and returns its exit code, negative for a signal; ``None`` if the gateway has
    ended before, and the command was ended as well. Raises ``OSError`` if it cannot be started."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
    try:
        command = os.posix_spawnp(words[0], words, environ, setsigmask=before, setsigdef=IGNORED_BY_PYTHON)
        return _wait(command, Process(command), gateway)
    finally:
        while late := signal.sigpending() & AWAITED:  # they were for a command that has ended meanwhile
            signal.sigwait(late)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait(pid: int, command: Process, gateway: Gateway) -> int | None:
    while (status := _status(pid)) is None:
        number, is_had = _next_signal()
        if number != signal.SIGCHLD:
            if not is_had:
                command.send(number)
        elif gateway.has_ended():
            end([command], GRACE)
            return None
    return os.waitstatus_to_exitcode(status)


def _next_signal() -> tuple[int, bool]:
    """Waits for a signal: its number, and whether the command has had it as well, from the terminal."""
    if not hasattr(signal, "sigwaitinfo"):  # macOS does not tell where one comes from
        number = signal.sigwait(AWAITED)
        return number, number in (signal.SIGINT, signal.SIGQUIT) and os.isatty(0)
    found = signal.sigwaitinfo(AWAITED)
    return found.si_signo, found.si_code > 0  # the kernel's own; what a process sends has 0 or less


def _status(child: int) -> int | None:
    found, status = os.waitpid(child, os.WNOHANG)
    return status if found else None

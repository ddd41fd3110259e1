"""The command that has a gateway: started, signals passed on, its status found out."""

from __future__ import annotations

import os

from udist_plugin.gateway.others import end
from udist_plugin.gateway.process import GRACE
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping

    from udist_plugin.gateway.process import Gateway
else:
    import _signal as signal  # the module proper makes enumerations of the same

PASSED_ON: Final = frozenset(
    {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2}
)
IGNORED_BY_PYTHON: Final = (signal.SIGPIPE, signal.SIGXFSZ)


def run_command(words: list[str], environ: Mapping[str, str], gateway: Gateway) -> int:
    """Runs a command to its end and returns its exit code, negative for a signal. A command does not outlive
    its gateway; ``gateway.ended`` tells when it would have. Raises ``OSError`` if it cannot be started."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON | {signal.SIGCHLD})
    command = os.posix_spawnp(words[0], words, environ, setsigmask=before, setsigdef=IGNORED_BY_PYTHON)
    while (status := _status(command)) is None:
        number, is_had = _next_signal()
        if number != signal.SIGCHLD and not is_had:
            os.kill(command, number)
        elif number == signal.SIGCHLD and gateway.has_ended():
            gateway.ended = True
            end([command], GRACE)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            return os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return os.waitstatus_to_exitcode(status)


def _next_signal() -> tuple[int, bool]:
    """Waits for a signal: its number, and whether the command has had it as well, from the terminal."""
    signals = PASSED_ON | {signal.SIGCHLD}
    if not hasattr(signal, "sigwaitinfo"):  # macOS does not tell where one comes from
        number = signal.sigwait(signals)
        return number, number in (signal.SIGINT, signal.SIGQUIT) and os.isatty(0)
    found = signal.sigwaitinfo(signals)
    return found.si_signo, found.si_code > 0  # the kernel's own; what a process sends has 0 or less


def _status(child: int) -> int | None:
    found, status = os.waitpid(child, os.WNOHANG)
    return status if found else None

"""The program ``udist``: a process that ends as other tools do, whatever happens and whenever.

Nothing else is imported before signals are dealt with: an interrupt ends the process without a traceback at
any instant.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from types import FrameType
    from typing import NoReturn
else:
    import _signal as signal  # the module proper makes enumerations of the same: a millisecond of every start

STOPPING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Signals that end a command, after it has removed what it left half done. Those that whoever started it
ignores, as nohup and a shell's background jobs do, stay ignored."""

SOON = 0.001
"""Seconds until a signal that a finalizer swallowed is raised again, and again if that still runs."""


class Stopped(KeyboardInterrupt):
    """A signal has come, by ``number``."""

    def __init__(self, number: int) -> None:
        self.number = number


def main() -> NoReturn:
    """Runs this process's command line and ends the process, with the command's exit code or by the signal
    that stopped it: a shell's loop goes on after an exit code, but not after an interrupt."""
    heeded = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
    _heed(heeded, signal.SIG_DFL)
    from udist_plugin.cli.streams import open_closed_streams

    open_closed_streams()
    gc.disable()  # until the command runs: imports create no garbage
    from udist_plugin.start.bundle import Bundle

    bundle = Bundle("udist")
    sys.meta_path.insert(0, bundle)
    from udist_plugin.cli.running import READER_GONE, run

    sys.unraisablehook = _raise_again
    try:
        _heed(heeded, _stop)
        code = run(sys.argv[1:])
        bundle.save()
        _heed(heeded, signal.SIG_DFL)
    except Stopped as stopped:
        _die_of(stopped.number)
    if code == READER_GONE:
        _die_of(signal.SIGPIPE)
    if code < 0:
        _die_of(-code)
    os._exit(code)  # whatever a thread still waits for; all is written


def _heed(signals: list[signal.Signals], handler: Callable[[int, FrameType | None], None] | int) -> None:
    for number in signals:
        signal.signal(number, handler)


def _stop(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)  # a second one does not wait for the first to be dealt with
    raise Stopped(number)


def _raise_again(lost: sys.UnraisableHookArgs) -> None:
    """Nobody sees what is raised in a finalizer, or in a callback such as the import system's: a signal that
    was heard there is heard again when it is over."""
    if isinstance(lost.exc_value, Stopped):
        number = lost.exc_value.number
        signal.signal(signal.SIGALRM, lambda *_: _stop(number, None))
        signal.setitimer(signal.ITIMER_REAL, SOON)
    else:
        sys.__unraisablehook__(lost)


def _die_of(number: int) -> NoReturn:
    with suppress(OSError):  # SIGKILL's cannot be set
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # as a shell would say it, where the signal is blocked


if __name__ == "__main__":
    main()

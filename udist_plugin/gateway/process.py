"""The gateway's own process, forked from its owner's: whichever is killed, the other cleans up.

The owner's has one thread, so it takes signals one by one and passes them on to the command. The gateway's is
in a session of its own: what a terminal sends reaches the command alone, which may need its registry until it
ends.
"""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress

from udist_plugin.gateway.others import Process, end, processes_with
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping
    from types import FrameType

    Variables = Mapping[str, str]
else:
    import _signal as signal  # the module proper makes enumerations of the same

ID: Final = "UDIST_EXEC_ID"
"""The variable with the id of a command's gateway."""

DONE: Final = b"done"
"""What an owner says that ends in order."""

GRACE: Final = 0.5
"""Seconds in which a command that is asked to end has to."""

PASSES: Final = 3
"""How often those are looked for that have been started while others were ended."""

CLEANING: Final = 3.0
"""Seconds in which a gateway has to."""

DESCRIPTORS: Final = 1 << 16
"""More than a process has inherited."""


class Gateway:
    """The gateway as its owner sees it."""

    def __init__(self, pid: int, report: int, life: int) -> None:
        self._pid = pid
        self._report = report
        self._life = life

    def variables(self) -> dict[str, str] | None:
        """What the command is to find in its environment, once the gateway listens; ``None`` if it has ended
        instead, and said why."""
        data = b""
        while not data.endswith(b"\0\0"):
            piece = os.read(self._report, 64 << 10)
            if not piece:
                return None
            data += piece
        pairs = (pair.partition("=") for pair in os.fsdecode(data[:-2]).split("\0"))
        return {name: value for name, _, value in pairs}

    def has_ended(self, wait: float = 0) -> bool:
        """Whether the gateway has ended, after at most ``wait`` seconds: that closes its end of a pipe."""
        report = select.poll()
        report.register(self._report, select.POLLIN)
        return bool(report.poll(wait * 1000))

    def leave(self) -> None:
        """Leaves the gateway on its own, in the background."""
        os.close(self._life)
        os.close(self._report)

    def close(self) -> int:
        """Ends the gateway, and returns its exit code: negative for a signal."""
        with suppress(BrokenPipeError):
            os.write(self._life, DONE)
        os.close(self._life)
        if not self.has_ended(CLEANING):
            os.kill(self._pid, signal.SIGKILL)
        os.close(self._report)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


class Owner:
    """Its owner, as the gateway sees it: the process that forked it, or the process ``background``."""

    def __init__(self, report: int, life: int, background: int | None) -> None:
        self._report = report
        self._life = life
        self._background = background
        self._id = ""

    def report(self, variables: Variables) -> None:
        """Tells what the command is to find in its environment."""
        self._id = variables[ID]
        pairs = (f"{name}={value}" for name, value in variables.items())
        try:
            os.write(self._report, os.fsencode("\0".join(pairs)) + b"\0\0")
        except BrokenPipeError:  # it is gone: nobody could ever find this gateway
            raise KeyboardInterrupt from None
        if self._background is not None:
            os.close(self._report)

    def wait(self) -> None:
        """Returns when the owner is gone. If it was killed, its command is ended, and all that this has
        started (Linux): the end of the pipe comes after the command's start, by which its copy is closed."""
        if self._background is not None:
            with suppress(ProcessLookupError):
                Process(self._background).wait()
        elif os.read(self._life, len(DONE)) != DONE and self._id:
            for _ in range(PASSES):
                if not (found := processes_with(ID, self._id)):
                    break
                end(found, GRACE)


def fork(serve: Callable[[Owner], int], *, background: int | None = None) -> Gateway:
    """A process that runs ``serve`` and exits with its status; ``background`` is the process to end with if
    not this one. It has to end when told to by SIGTERM, which raises ``KeyboardInterrupt`` there."""
    report, their_report = os.pipe()
    their_life, life = os.pipe()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, how a child ended gets lost
    sys.stdout.flush()
    sys.stderr.flush()
    if pid := os.fork():
        os.close(their_report)
        os.close(their_life)
        return Gateway(pid, report, life)
    status = 1
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _interrupt)
        _let_go_but(their_report, their_life)
        status = serve(Owner(their_report, their_life, background))
    except KeyboardInterrupt:  # told to end before it could serve
        pass
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        with suppress(OSError):
            sys.stderr.flush()
        os._exit(status)


def _interrupt(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second one does not interrupt what the first has led to
    raise KeyboardInterrupt


def _let_go_but(*kept: int) -> None:
    """Closes what was inherited but ``kept`` and standard error: others may wait for the end of a pipe."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    start = 3
    for descriptor in sorted(kept):
        os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, DESCRIPTORS)

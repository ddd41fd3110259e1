"""What ends a plugin from outside: INT and TERM, and before the ready mark a caller that dies.

Until the ready mark the main thread does nothing but watch for them. Another sets up the service, and may be
in a call that a signal does not end, such as a look-up of the store's name.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress

from udist_plugin.link.fds import reader_gone, wait_for
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from typing import NoReturn

    from udist_plugin.server.link import ServerLink
else:
    import _signal as signal  # the module proper makes enumerations of the same: a millisecond of every start

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
FAREWELL: Final = 1.0
"""Seconds for the go-away to be written: a caller that reads nothing must not hold up the end."""
LOOK: Final = 0.1
"""Seconds between looks at whether the caller still reads."""

TOLD: Final = b"t"
READY: Final = b"r"


class Watch:
    """Heeds signals from now on. ``leave`` ends the process with an exit status.

    ``last_word`` is held while settings or a go-away are sent, the one or the other: nothing may follow a
    go-away before the settings, so whoever sends that leaves without letting go.
    """

    def __init__(self, link: ServerLink, leave: Callable[[int], NoReturn]) -> None:
        self._link = link
        self._leave = leave
        self._ready = False
        self.last_word = threading.Lock()
        self._heard, self._tell = os.pipe()
        for number in SIGNALS:  # a handler interrupts whatever the main thread does, so it takes no lock
            signal.signal(number, lambda *_: os.write(self._tell, TOLD))

    def ready(self) -> None:
        """The settings are sent. While holding ``last_word``."""
        self._ready = True
        os.write(self._tell, READY)

    def until_ready(self) -> None:
        """Returns once the plugin is ready. A signal, or the caller's death, ends the process instead."""
        while True:
            while not wait_for(self._heard, timeout=LOOK):
                if reader_gone(self._link.output.fd):
                    self._leave(1)
            if os.read(self._heard, 1) == READY:
                return
            if not self.last_word.acquire(timeout=FAREWELL):
                self._leave(0)  # something else is the last word, and the caller does not read it
            if not self._ready:
                self._say_farewell()
                self._leave(0)
            self.last_word.release()
            os.write(self._tell, TOLD)  # heard once more, after this

    def then(self, drain: Callable[[], object]) -> None:
        """From now on calls ``drain`` on a signal."""

        def run() -> None:
            os.read(self._heard, 1)
            self._say_farewell()
            drain()

        try:
            threading.Thread(target=run, name="udist-signals", daemon=True).start()
        except RuntimeError:  # the system gives no more threads: then a signal ends the process at once
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)

    def _say_farewell(self) -> None:
        farewell = threading.Thread(target=self._go_away, name="udist-farewell", daemon=True)
        with suppress(RuntimeError):  # the system gives no more threads
            farewell.start()
            farewell.join(FAREWELL)

    def _go_away(self) -> None:
        with suppress(OSError):
            self._link.go_away("UNAVAILABLE", "the plugin was told to end")

"""``Plugin``: a registry in a child process, spoken to over its standard input and output."""

from __future__ import annotations

import _thread
import os
import sys
import threading
import time
import warnings

from udist_plugin.client.command import find_command
from udist_plugin.client.configuration import as_text
from udist_plugin.client.patched import check_patches
from udist_plugin.client.process import PluginProcess
from udist_plugin.client.redirects import CAPABILITY as REDIRECT
from udist_plugin.typed import TYPE_CHECKING, Final
from udist_plugin.version import IMPLEMENTATION, other_release
from udist_plugin.wire.constants import DECLARED_CREDIT, FILES, VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import NoReturn, Self

    from udist_plugin.client.link import ClientLink
    from udist_plugin.client.readers import Body
    from udist_plugin.client.response import Response
    from udist_plugin.client.trace.recorder import Recorder

TRACE: Final = "UDIST_TRACE"

GRACE: Final = 10.0
"""Seconds that closing gives the plugin to end."""

TERMINATED: Final = 2.0
"""Seconds that are kept of it for the plugin to end once it is terminated, or a fifth of it at most."""

RETIRING: Final = 1.0
"""Seconds of it for a thread that is writing to finish its frame."""

SETTLING: Final = 0.5
"""Seconds to wait for a thread that still reads, once the plugin has ended."""

REFUSED: Final = 0.5
"""Seconds that a plugin whose start has failed has to end."""


class Plugin:
    """Spawns a plugin and speaks HTTP to it. Safe for any number of threads.

    ``config`` is the registry's configuration: YAML text, the path of a file (as a ``Path``), or a mapping
    shaped like the file. ``environ`` are its ``REGISTRY_*`` variables, which replace those of this process;
    with neither, the plugin uses its own command line and environment. ``config_name`` is what errors call
    ``config``, if not by its path.
    ``command`` is what to spawn instead of this interpreter's own plugin, for instance
    ``"ssh host udist-plugin"``, as words or as text that is split as a shell does; the environment variable
    ``UDIST_PLUGIN`` may name another, too. ``log`` gets each line of the plugin's standard error. ``timeout``
    bounds the start, in seconds.

    ``trace`` is the path of a new file that records which frames go each way, without content and without
    secrets (``udist help trace``); without it, that of the environment variable ``UDIST_TRACE``, if it is
    set.

    ``warnings`` are the plugin's about its configuration, such as an unknown key. Without ``log`` they also
    go to ``logging``'s logger ``udist_plugin``, which prints them unless the program has set up its own.

    With ``redirects`` the plugin may answer for a blob with where its store has it, and the content is
    fetched there, straight from the bucket. That is for callers that can reach the store over the network;
    it is told what content is wanted, and no credentials.

    With ``files``, this process and the plugin open each other's files instead of sending their content: the
    file of a blob, and a body that is a file. This requires Linux, and a plugin that runs on the same machine
    as the same user. Content that cannot be shared is sent. The default is true for a plugin that this
    library has found, and false for a ``command``.

    Close it, or use it as a context manager. One that is collected as garbage is closed then, with a
    ``ResourceWarning``. It belongs to the process that started it: a forked child gets ``PluginForked``, and
    starts its own.

    Raises ``PluginNotFound``, ``PluginNotStarted``, ``HandshakeFailed`` or ``PluginDied``,
    ``ConfigurationError`` for a configuration that cannot be sent, and ``TransportError`` where gevent or
    eventlet has patched what it waits with.
    """

    status: int | None = None
    _started = False

    def __init__(
        self,
        config: str | os.PathLike[str] | Mapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
        command: str | Sequence[str] | None = None,
        *,
        log: Callable[[str], None] | None = None,
        timeout: float = 30.0,
        redirects: bool = False,
        files: bool | None = None,
        config_name: str = "",
        trace: str | os.PathLike[str] | None = None,
    ) -> None:
        self.redirects = redirects
        self._closing = threading.Lock()
        check_patches()
        configuration, config_name = as_text(config, config_name)
        words, own = find_command(command, os.environ)
        self._process = PluginProcess(words, log, own=own)
        recorder = None
        try:  # imports what it takes to talk while the plugin starts
            from udist_plugin.client.call import Call
            from udist_plugin.client.link import ClientLink
            from udist_plugin.wire.frames import Settings

            self._call = Call
            path = os.environ.get(TRACE, "") if trace is None else os.fspath(trace)
            recorder = _recorder(path, words[0]) if path else None
            self._link = ClientLink(self._process, log, recorder)
        except BaseException:
            now = time.monotonic()
            self._process.end(now + REFUSED, now + 2 * REFUSED, polite=True)
            self._process.close()
            if recorder:
                recorder.close()
            raise
        files = sys.platform == "linux" and (own if files is None else files)
        settings = Settings(
            [VERSION],
            capabilities=[DECLARED_CREDIT, *([REDIRECT] if redirects else []), *([FILES] if files else [])],
            implementation=IMPLEMENTATION,
            process_id=os.getpid(),
            configuration=configuration,
            environment=environ,
            configuration_name=config_name,
        )
        try:
            peer = self._link.shake_hands(settings, timeout)
        except BaseException:
            _end(self._link, self._process, REFUSED)
            raise
        if files and FILES in peer.capabilities and peer.process_id == self.pid:
            self._link.share_files()
        self._started = True
        self.warnings = tuple(peer.warnings)
        if log is None:
            _log_warnings(self.warnings)
        if other := other_release(peer.implementation):
            (log or _log_warning)(other)

    @property
    def link(self) -> ClientLink:
        """What a ``Call`` is made over."""
        return self._link

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: Body = None,
        *,
        timeout: float | None = None,
        patience: float | None = None,
        slot_timeout: float | None = None,
        scheme: str = "http",
        authority: str = "localhost",
        follow: bool = True,
    ) -> Response:
        """Sends a request and returns once its response's head is there; the content is then read from it.

        ``target`` is in origin form (``/v2/``), ``headers`` a mapping or pairs. ``body`` is anything with the
        buffer protocol, text (sent as UTF-8), a file, or an iterable of such pieces. A file is sent to its
        end, as much as a content-length among ``headers`` says, and a real one by the kernel; the answer may
        come first, and sending goes on beside reading it, until the plugin wants no more.

        ``timeout`` bounds the exchange to the end of the response and ``patience`` each wait for the plugin
        within it; ``slot_timeout``, unless given the same as ``patience``, bounds the wait for one of the
        plugin's slots for requests. All are in seconds. Without ``follow`` a redirect to the store is handed
        back and not followed.

        Raises ``TransportError``, whose ``retryable`` says whether the request can be repeated without doing
        anything twice, ``TypeError`` for a body of another kind, and whatever reading the body raises.
        """
        call = self._call(
            self.link,
            self,
            method,
            target,
            headers,
            body,
            timeout=timeout,
            patience=patience,
            slot_timeout=slot_timeout,
            scheme=scheme,
            authority=authority,
            follow=follow and self.redirects,
        )
        return call.response()

    def cancel(self) -> None:
        """Ends all exchanges under way, whichever threads wait for them: each raises ``Cancelled``, and the
        plugin stops its work on it. New requests can be sent."""
        self._link.cancel_all()

    def close(self, timeout: float = GRACE) -> None:
        """Waits for the responses that other threads still read, and ends the plugin.

        That takes ``timeout`` seconds at most: shortly before, a plugin that has not ended by itself is
        terminated, and at the end it is killed. ``status`` is its exit status then. Twice is once. In a child
        that was forked there is nothing to close.
        """
        if self._link.forked:
            return
        with self._closing:
            if self.status is None:
                self.status = _end(self._link, self._process, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if self._started and self.status is None and not self._link.forked:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
            try:  # a finalizer waits for nothing
                _thread.start_new_thread(_end, (self._link, self._process, GRACE))
            except RuntimeError:  # this process has no more threads, or is about to end
                self._process.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Plugin cannot be pickled: start one in each process")

    def __repr__(self) -> str:
        return f"<Plugin of process {self.pid}>"


def _end(link: ClientLink, process: PluginProcess, timeout: float) -> int:
    deadline = time.monotonic() + timeout
    polite_until = deadline - min(TERMINATED, timeout / 5)
    link.drain(polite_until)
    polite = link.output.retire(min(RETIRING, max(0, polite_until - time.monotonic())))
    status = process.end(polite_until, deadline, polite=polite)
    if link.close(SETTLING):
        process.close()
    return status


def _recorder(path: str, program: str) -> Recorder | None:
    from udist_plugin.client.trace.recorder import Recorder

    return Recorder.open(path, IMPLEMENTATION, program)


def _log_warnings(warnings: Iterable[str]) -> None:
    for warning in warnings:
        _log_warning(warning)


def _log_warning(text: str) -> None:
    import logging

    logging.getLogger("udist_plugin").warning("%s", text)

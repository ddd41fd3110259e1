"""Content that stands in files, of the plugin's and of the client's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from udist_plugin.link.files import PeerFiles, described
from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.errors import Unexpected
from udist_plugin.testing.callers.pattern import pattern
from udist_plugin.wire.constants import FILES

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.testing.callers.exchange import Exchange
    from udist_plugin.testing.callers.plugin import Plugin
    from udist_plugin.testing.callers.run import Run
    from udist_plugin.testing.callers.stream import Stream
    from udist_plugin.wire.frames import File

theme = Theme("files")

LENGTH: Final = 1_000_000
CONTENT: Final = pattern(LENGTH)

FAR: Final = 64 << 20
"""Bytes that no client reads ahead."""


def _start(run: Run) -> Plugin:
    """Both sides share files."""
    plugin = run.start(ready=False, sharing=True)
    if FILES not in plugin.await_settings().capabilities:
        raise Unexpected("the client was to share files, and its settings do not offer that")
    plugin.ready(process_id=plugin.pid)
    return plugin


def _held(run: Run, plugin: Plugin, offset: int = 0) -> File:
    """A file with ``CONTENT`` behind ``offset`` bytes of zeros, as the plugin tells of it."""
    file = described(run.file(bytes(offset) + CONTENT), offset, LENGTH)
    assert file
    return file._replace(fd=plugin.hold(file.fd))


def _take_content(run: Run, exchange: Exchange, stream: Stream) -> None:
    """The content of a request comes as data, though it is in a file."""
    stream.grant(LENGTH)
    stream.await_content(LENGTH)
    run.answer(exchange)


def _asked(run: Run, *, accepting: bool) -> None:
    """One more exchange is answered with data, and asks for a file or not."""
    exchange = run.exchange()
    stream = run.accepted(exchange)
    if stream.request.accept_file != accepting:
        raise Unexpected(f"{stream} has accept_file {stream.request.accept_file}, not {accepting}")
    stream.respond(200)
    stream.data(b"hello", end=True)
    exchange.succeeds(200, b"hello")


@theme.case
def not_offered(run: Run) -> None:
    """A client whose user chose the command does not offer to share files unless told to."""
    plugin = run.start()
    if plugin.settings and FILES in plugin.settings.capabilities:
        raise Unexpected("the settings offer to share files")
    _asked(run, accepting=False)


@theme.case
def not_granted(run: Run) -> None:
    """The plugin does not grant it: nothing is asked for or sent in a file."""
    run.start(sharing=True)
    _asked(run, accepting=False)
    exchange = run.send_file(0, LENGTH)
    _take_content(run, exchange, run.accepted(exchange))


@theme.case
def granted_by_another_process(run: Run) -> None:
    """The process id of the plugin's settings is not that of the child: the same."""
    plugin = run.start(ready=False, sharing=True)
    plugin.await_settings()
    plugin.ready(process_id=os.getpid())
    _asked(run, accepting=False)


@theme.case
def pull(run: Run) -> None:
    """A response's content stands in a file: the client opens it, and resets the stream with OK."""
    plugin = _start(run)
    exchange = run.exchange()
    stream = run.accepted(exchange)
    stream.respond_with(_held(run, plugin))
    stream.await_reset("OK")
    stream.reset("OK")
    exchange.succeeds(200, CONTENT)
    _asked(run, accepting=True)


@theme.case
def pull_of_a_part(run: Run) -> None:
    """The content begins within the file, and is read in parts."""
    plugin = _start(run)
    exchange = run.open()
    stream = run.accepted(exchange)
    stream.respond_with(_held(run, plugin, 4097), 206)
    exchange.answered(206)
    stream.await_reset("OK")
    stream.reset("OK")
    exchange.read(10)
    exchange.has_read(CONTENT[:10])
    exchange.read("*")
    exchange.has_read(CONTENT[10:])
    exchange.ends()


@theme.case
def pull_of_no_bytes(run: Run) -> None:
    """The content is no bytes at the end of a file."""
    plugin = _start(run)
    exchange = run.exchange()
    stream = run.accepted(exchange)
    stream.respond_with(_held(run, plugin)._replace(offset=LENGTH, length=0))
    stream.await_reset("OK")
    stream.reset("OK")
    exchange.succeeds(200, b"")
    run.works()


@theme.case
def pull_outlives_the_stream(run: Run) -> None:
    """The plugin resets the stream once the file is open, with whatever code: the response is complete."""
    plugin = _start(run)
    exchange = run.open()
    stream = run.accepted(exchange)
    stream.respond_with(_held(run, plugin))
    exchange.answered(200)
    stream.await_reset("OK")
    stream.reset("UNAVAILABLE")
    run.works()
    exchange.read("*")
    exchange.succeeds(200, CONTENT)


@theme.case
def pull_cut_short(run: Run) -> None:
    """The file is cut once it is open: the exchange fails with DATA_LOSS, and gives nothing as whole."""
    plugin = _start(run)
    exchange = run.open()
    stream = run.accepted(exchange)
    descriptor = run.file(b"")
    os.ftruncate(descriptor, FAR)
    file = described(descriptor, 0, FAR)
    assert file
    stream.respond_with(file._replace(fd=plugin.hold(descriptor)))
    exchange.answered(200)
    stream.await_reset("OK")
    stream.reset("OK")
    os.ftruncate(descriptor, 0)
    exchange.read("*")
    exchange.fails("DATA_LOSS")


def _another(descriptor: Callable[[Run], int]) -> Callable[[Run, Plugin], File]:
    """Tells of a file, and holds something else."""
    return lambda run, plugin: _held(run, plugin)._replace(fd=plugin.hold(descriptor(run)))


def _changed(change: Callable[[File], File]) -> Callable[[Run, Plugin], File]:
    """Holds a file, and tells something else of it."""
    return lambda run, plugin: change(_held(run, plugin))


def _pipe(run: Run) -> int:
    source, sink = os.pipe()
    run.keep(source)
    run.keep(sink)
    return source


UNUSABLE: Final[dict[str, tuple[str, Callable[[Run, Plugin], File]]]] = {
    "another-file": ("another file of the same size", _another(lambda run: run.file(CONTENT))),
    "a-pipe": ("a pipe", _another(_pipe)),
    "a-folder": ("a folder", _another(lambda run: run.keep(os.open("/", os.O_RDONLY)))),
    "a-device": ("a device", _another(lambda run: run.keep(os.open(os.devnull, os.O_RDWR)))),
    "nothing": (
        "closed in the plugin",
        _changed(lambda file: file._replace(fd=999)),
    ),
    "the-largest-number": ("a number beyond all", _changed(lambda file: file._replace(fd=2**32 - 1))),
    "another-inode": (
        "of another inode",
        _changed(lambda file: file._replace(inode=file.inode + 1)),
    ),
    "another-device": ("on another device", _changed(lambda file: file._replace(device=file.device + 1))),
    "another-size": ("of another size", _changed(lambda file: file._replace(size=file.size + 1))),
    "too-short": ("that ends before the content", _changed(lambda file: file._replace(offset=1))),
    "no-size": (
        "with numbers that 64 bits have no sum for",
        _changed(lambda file: file._replace(offset=2**64 - file.length)),
    ),
}
"""What the plugin describes wrongly."""


def _asks_again(tell: Callable[[Run, Plugin], File]) -> Callable[[Run], None]:
    def play(run: Run) -> None:
        plugin = _start(run)
        exchange = run.exchange()
        stream = run.accepted(exchange)
        stream.respond_with(tell(run, plugin))
        stream.await_reset("FAILED_PRECONDITION")
        plugin.shares_files = False  # from now on, asking for a file is an error
        stream.reset("FAILED_PRECONDITION")
        again = plugin.await_next(stream)
        again.respond(200)
        again.data(b"hello", end=True)
        exchange.succeeds(200, b"hello")
        _asked(run, accepting=False)

    return play


for _name, (_about, _tell) in UNUSABLE.items():
    theme.add(
        f"pull-of-{_name}",
        f"The descriptor is {_about}: the client asks again, and for no file any more.",
        _asks_again(_tell),
    )


@theme.case
def not_asked_for(run: Run) -> None:
    """A file in the answer to a HEAD request is a stream error."""
    plugin = _start(run)
    exchange = run.exchange("HEAD")
    stream = run.accepted(exchange)
    stream.respond_with(_held(run, plugin))
    stream.in_file = False
    exchange.fails("INTERNAL")
    stream.await_reset("INTERNAL")
    stream.reset("INTERNAL")
    run.works()


@theme.case
def with_data(run: Run) -> None:
    """Data beside a file is a stream error, unless the file is open by then."""
    plugin = _start(run)
    exchange = run.open()
    stream = run.accepted(exchange)
    stream.respond_with(_held(run, plugin))
    stream.data(b"x", end=True)
    run.works()
    exchange.cancel()


@theme.case
def push(run: Run) -> None:
    """The content of a request stands in a file, from its middle on."""
    plugin = _start(run)
    exchange = run.send_file(4097, LENGTH)
    stream = run.accepted(exchange)
    if not stream.request.file:
        raise Unexpected(f"{stream} has no file")
    assert plugin.settings
    _compare(PeerFiles(plugin.settings.process_id), stream.request.file)
    stream.respond(201, end=True)
    exchange.succeeds(201)


def _compare(files: PeerFiles, file: File) -> None:
    try:
        files.check_readable(file)
        with open(files.open(file), "rb") as opened:
            opened.seek(file.offset)
            content = opened.read(file.length)
    except OSError as error:
        raise Unexpected(f"the client's file is unusable: {error}") from None
    finally:
        files.close()
    if content != CONTENT:
        raise Unexpected("the client's file has other content")


@theme.case
def push_refused(run: Run) -> None:
    """The plugin cannot open the file: the client sends the content, and offers no file any more."""
    plugin = _start(run)
    exchange = run.send_file(0, LENGTH)
    stream = run.accepted(exchange)
    plugin.shares_files = False
    stream.reset("FAILED_PRECONDITION", "unusable", unprocessed=True)
    _take_content(run, exchange, plugin.await_next(stream))
    exchange = run.send_file(0, LENGTH)
    _take_content(run, exchange, run.accepted(exchange))


@theme.case
def push_that_fails(run: Run) -> None:
    """The plugin resets the stream with another code: the exchange fails, and files are still shared."""
    _start(run)
    exchange = run.send_file(0, LENGTH)
    run.accepted(exchange).reset("UNAVAILABLE", "the disk is full")
    exchange.fails("UNAVAILABLE", saying="the disk is full")
    _asked(run, accepting=True)


@theme.case
def push_that_may_have_happened(run: Run) -> None:
    """The plugin resets with FAILED_PRECONDITION, but not as unprocessed: nothing is sent again."""
    _start(run)
    exchange = run.send_file(0, LENGTH)
    run.accepted(exchange).reset("FAILED_PRECONDITION", "the file was usable")
    exchange.fails("FAILED_PRECONDITION", saying="the file was usable")
    run.works()


@theme.case
def data_refused(run: Run) -> None:
    """The plugin resets a request whose content is data with FAILED_PRECONDITION: no file was to blame."""
    _start(run)
    exchange = run.exchange("PUT", LENGTH)
    stream = run.accepted(exchange)
    stream.grant(LENGTH)
    stream.await_content(LENGTH)
    stream.reset("FAILED_PRECONDITION", "not now", unprocessed=True)
    exchange.fails("FAILED_PRECONDITION", saying="not now")
    _asked(run, accepting=True)

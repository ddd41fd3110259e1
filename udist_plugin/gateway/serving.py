"""What the gateway's process does: it listens, tells the tools of the command how to find it, and serves."""

from __future__ import annotations

import os
import threading
from contextlib import suppress

from udist_plugin.errors import UdistError
from udist_plugin.exhaustion import raise_descriptor_limit
from udist_plugin.gateway import listener
from udist_plugin.gateway.clients.files import write_files
from udist_plugin.gateway.clients.place import Place
from udist_plugin.gateway.credential import Credential, Guarded
from udist_plugin.gateway.folder import Folder
from udist_plugin.gateway.process import CLEANING, ID
from udist_plugin.typed import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    import signal
    import ssl
    from collections.abc import Callable, Iterable, Mapping

    from udist_plugin.gateway.process import Owner

    class Log(Protocol):
        """A log that is usable as ``wsgi.errors`` as well."""

        def record(self, level: str, message: str) -> None: ...

        def write(self, text: str) -> int: ...

    class App(Protocol):
        """A WSGI application, and what runs beside its requests."""

        def __call__(
            self, environ: dict[str, Any], start_response: Callable[..., Any], /
        ) -> Iterable[bytes]: ...

        def start(self, record: Callable[[str, str], object], /) -> None: ...

        def warm_up(self) -> None: ...

        def close(self) -> None: ...
else:
    import _signal as signal  # the module proper makes enumerations of the same


REGISTRY: Final = "UDIST_REGISTRY"
"""The variable with what stands before a repository's name, such as ``127.0.0.1:40123``."""

URL: Final = "UDIST_URL"
"""The variable with the registry's URL, which has the credential in it."""

SOCKET: Final = "UDIST_SOCKET"
"""The variable with the path of the Unix socket."""


class Options(NamedTuple):
    """``open`` is for an application that guards itself, so that the gateway has no credential of its own.
    ``socket`` is the path to listen at instead of a port, ``environ`` the command's environment as it is
    without the gateway, ``note`` what takes a remark for the user. In the ``background`` standard error
    becomes a file in the folder. ``loaded`` is called when all modules are."""

    open: bool
    tls: bool
    socket: str | None
    background: bool
    environ: Mapping[str, str]
    note: Callable[[str], object]
    loaded: Callable[[], object]


def serve_gateway(owner: Owner, open_app: Callable[[], App], options: Options, log: Log) -> None:
    """Serves what ``open_app`` returns until the owner is gone, and leaves nothing behind. Raises what
    ``open_app`` raises, and ``OSError`` if there is no place to listen or to write to."""
    ended = threading.Event()
    threading.Thread(target=_end_with, args=(owner, ended), daemon=True).start()
    raise_descriptor_limit()
    folder: Folder | None = None
    app: App | None = None
    try:
        app = open_app()
        folder = Folder.make(options.environ)
        _serve(owner, app, options, folder, log)
    except KeyboardInterrupt:
        pass
    finally:
        if folder:
            folder.remove()
        ended.set()
        if app:
            app.close()


def _end_with(owner: Owner, ended: threading.Event) -> None:
    try:
        owner.wait()
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
    if not ended.wait(CLEANING):  # a thread of the store's, perhaps; the next start removes what is left
        os._exit(1)


def _serve(owner: Owner, app: App, options: Options, folder: Folder, log: Log) -> None:
    credential = None if options.open else Credential.random()
    authority, context = _tls(folder) if options.tls else ("", None)
    with listener.on_path(options.socket) if options.socket else listener.on_loopback() as listening:
        if options.socket:
            folder.note_socket(options.socket)
            host = "localhost"
        else:
            host = f"127.0.0.1:{listening.getsockname()[1]}"
        place = Place(host, credential, authority, folder, options.environ, options.note)
        scheme = "https" if context else "http"
        variables = write_files(place) | {
            REGISTRY: host,
            URL: f"{scheme}://{credential.user}:{credential.password}@{host}"
            if credential
            else f"{scheme}://{host}",
            ID: folder.id,
        }
        if options.socket:
            variables[SOCKET] = os.path.abspath(options.socket)
        if options.background:
            _log_into(folder)
        owner.report(variables)
        from udist_plugin.gateway.server import Server  # while the command starts: its connections wait

        app.start(log.record)
        guarded = Guarded(app, credential, log.record) if credential else app
        server = Server(listening, guarded, log.record, log, context)
        threading.Thread(target=_warm_up, args=(app, options.loaded), daemon=True).start()
        server.serve()


def _warm_up(app: App, loaded: Callable[[], object]) -> None:
    app.warm_up()
    loaded()


def _log_into(folder: Folder) -> None:
    descriptor = os.open(folder.write("log", ""), os.O_WRONLY | os.O_APPEND)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _tls(folder: Folder) -> tuple[str, ssl.SSLContext]:
    """The certificate to trust, in PEM, and what the server needs. Raises ``UdistError``."""
    import ssl

    try:
        from udist_plugin.gateway.certificates import make_certificates
    except ImportError as error:
        raise UdistError(str(error)) from error
    made = make_certificates()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    path = folder.write("server.pem", made.server + made.server_key)
    context.load_cert_chain(path)
    with suppress(OSError):
        os.unlink(path)
    return made.authority.decode(), context

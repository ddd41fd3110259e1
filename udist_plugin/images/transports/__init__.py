"""The transports by name (containers/image's ``transports`` and ``alltransports``).

Each is imported when it is first asked for. Other packages add theirs as entry points of the group
``udist.transports``, each a subclass of ``ImageTransport`` by its transport's name.
"""

from __future__ import annotations

import threading
from importlib import import_module

from udist_plugin.errors import ReferenceInvalid
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

    from udist_plugin.images.transports.base import ImageReference, ImageTransport, Repositories

GROUP: Final = "udist.transports"

BUILT_IN: Final = {
    "dir": "udist_plugin.images.directory.transport:DirectoryTransport",
    "docker": "udist_plugin.images.docker.transport:DockerTransport",
    "docker-archive": "udist_plugin.images.archive.transports:DockerArchiveTransport",
    "oci": "udist_plugin.images.layout.transport:LayoutTransport",
    "oci-archive": "udist_plugin.images.archive.transports:OCIArchiveTransport",
    "udist": "udist_plugin.images.transports.udist:UdistTransport",
}


class Transports:
    """A table of transports. Safe for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._transports: dict[str, ImageTransport] = {}

    def register(self, transport: ImageTransport) -> None:
        """Adds ``transport``, or puts it in the place of the built-in one of its name.

        Raises ``ReferenceInvalid`` if another one of its name was registered.
        """
        with self._lock:
            if self._transports.setdefault(transport.name, transport) is not transport:
                raise ReferenceInvalid("a transport of this name is registered already", transport.name)

    def deregister(self, name: str) -> None:
        """Removes the transport, if there is one. Its references keep working."""
        with self._lock:
            self._transports.pop(name, None)

    def get(self, name: str) -> ImageTransport | None:
        """The transport of this ``name``."""
        with self._lock:
            found = self._transports.get(name)
            if found is None and (kind := _load(name)) is not None:
                found = self._transports[name] = kind()
            return found

    def names(self) -> list[str]:
        """All names, in lexical order."""
        with self._lock:
            return sorted({*BUILT_IN, *self._transports, *(point.name for point in _entry_points())})


TRANSPORTS: Final = Transports()
"""This process's table, as in containers/image. A program may have others."""


def parse_image_name(text: str, transports: Transports = TRANSPORTS) -> ImageReference:
    """The image that ``text``, ``transport:reference``, refers to (``alltransports.ParseImageName``).

    Raises ``ReferenceInvalid``, which says what is wrong and what is expected.
    """
    transport, within = _divided(text, transports)
    return transport.parse_reference(within)


def open_repositories(
    text: str, transports: Transports = TRANSPORTS, system: SystemContext = THIS_SYSTEM
) -> Repositories:
    """The repositories at ``text``, ``transport:place``: one of them, or all that are there.

    Raises ``ReferenceInvalid``, and what opening the place raises.
    """
    transport, within = _divided(text, transports)
    return transport.open_repositories(within, system)


def _divided(text: str, transports: Transports) -> tuple[ImageTransport, str]:
    name, colon, within = text.partition(":")
    transport = transports.get(name) if colon else None
    if transport is None:
        problem = f"there is no transport {name!r}" if colon else "it names no transport"
        known = ", ".join(transports.names())
        raise ReferenceInvalid(f"{problem}; expected TRANSPORT:REFERENCE with one of {known}", text)
    return transport, within


def _load(name: str) -> type[ImageTransport] | None:
    if name in BUILT_IN:
        module, _, kind = BUILT_IN[name].partition(":")
        found: type[ImageTransport] = getattr(import_module(module), kind)
        return found
    return next((point.load() for point in _entry_points() if point.name == name), None)


def _entry_points() -> EntryPoints:
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)

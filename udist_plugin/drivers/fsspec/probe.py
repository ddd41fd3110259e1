"""What keeps a file system from being used, and what mends it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from udist_plugin.drivers.fsspec.place import entries, info
from udist_plugin.errors import ConfigurationError
from udist_plugin.redaction import shown, without_login

if TYPE_CHECKING:
    from udist_plugin.drivers.fsspec.connections import Connections
    from udist_plugin.drivers.fsspec.settings import Settings

_INSTALL = "install what fsspec needs for it, such as paramiko for sftp"


def probe(connections: Connections, settings: Settings) -> None:
    """Connects, and lists the folder. One that is missing is made by the first write."""
    where = without_login(settings.url)
    try:
        with connections.one() as connection, suppress(FileNotFoundError):
            _list(connection.system, connection.root or "/")
    except NotADirectoryError as error:
        raise ConfigurationError(f"expected a folder: {where} is a file", key="storage.fsspec.url") from error
    except PermissionError as error:
        problem = f"{where} may not be read: check the owner and mode of the folder"
        raise ConfigurationError(problem, key="storage.fsspec.url") from error
    except ImportError as error:
        raise ConfigurationError(f"{error}; {_INSTALL}", key="storage.fsspec.url") from error
    except TypeError as error:
        problem = f"{where} does not take these options: {error}"
        raise ConfigurationError(problem, key="storage.fsspec.options") from error
    except Exception as error:  # each library has its own
        problem = f"{where} cannot be used: {type(error).__name__}: {shown(error)}"
        raise ConfigurationError(problem, key="storage.fsspec.url") from error


def _list(system: Any, folder: str) -> None:
    try:
        entries(system, folder)
    except FileNotFoundError:  # which SFTP says of a file, too
        if info(system, folder)["type"] != "directory":
            raise NotADirectoryError from None

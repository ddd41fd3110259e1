"""What fsspec leaves out of SFTP: whom to trust, and how long to wait."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.fsspec.library import address, open_system

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paramiko import MissingHostKeyPolicy, PKey, SSHClient

PORT: Final = 22

CONNECT: Final = 15
"""Seconds for a connection, a banner or a login."""
ANSWER: Final = 60
"""Seconds for an answer."""


def connect(url: str, known_hosts: str, options: Mapping[str, object]) -> tuple[Any, str]:
    """The file system, and the path of ``url`` there. Raises what socket and paramiko do."""
    from socket import create_connection

    host, port = address(url)
    line = create_connection((host, int(str(options.get("port", port or PORT)))), CONNECT)
    waits = dict.fromkeys(("banner_timeout", "auth_timeout"), CONNECT)
    ours = {"sock": line, "host_key_policy": _policy(known_hosts), **waits}
    try:
        system, root = open_system(url, {**ours, **options})
        system.ftp.get_channel().settimeout(ANSWER)
    except BaseException:
        line.close()  # else paramiko's thread would keep it
        raise
    return system, root


def _policy(known_hosts: str) -> MissingHostKeyPolicy:
    """Asked for every host, as fsspec's client reads no file of known hosts."""
    import logging

    import paramiko

    log = logging.getLogger("paramiko")
    if not log.handlers:  # without any, Python prints errors that paramiko raises as well
        log.addHandler(logging.NullHandler())

    class KnownHosts(paramiko.MissingHostKeyPolicy):
        def missing_host_key(self, _client: SSHClient, hostname: str, key: PKey) -> None:
            path = os.path.expanduser(known_hosts)
            keys = paramiko.HostKeys(path if os.path.isfile(path) else None)
            if not keys.check(hostname, key):
                problem = f"the {key.get_name()} key of {hostname} is not in {path}"
                raise paramiko.SSHException(f"{problem}: compare it, and add it with ssh-keyscan")

    return KnownHosts()


def close(system: Any) -> None:
    """Ends the connection."""
    system.ftp.close()
    system.client.close()

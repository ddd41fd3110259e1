"""A registry on the network, with all that it takes to get on with it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from udist_plugin.images.docker.verifying import VerifyingRegistry
from udist_plugin.images.system import THIS_SYSTEM
from udist_plugin.remote.authentication.transport import AuthenticatedTransport
from udist_plugin.remote.credentials.keyring import Keyring
from udist_plugin.remote.network.network import Network
from udist_plugin.remote.network.patience import PatientTransport
from udist_plugin.remote.network.redirects import FollowingTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.images.system import SystemContext
    from udist_plugin.remote.credentials.credential import Credential
    from udist_plugin.remote.network.origin import Origin
    from udist_plugin.remote.registry import RemoteRegistry


@contextmanager
def open_registry(
    host: str, repository: str = "", system: SystemContext = THIS_SYSTEM
) -> Iterator[RemoteRegistry]:
    """The registry at ``host``, ``HOST[:PORT]``, until the block ends.

    It is used as whoever is logged in there, for ``repository`` if there is a login for that alone, and over
    TLS, but for loopback or where ``system`` says otherwise. Raises ``TransportError``.
    """
    registry, close = connect(host, repository, system)
    try:
        yield registry
    finally:
        close()


def connect(host: str, repository: str, system: SystemContext) -> tuple[RemoteRegistry, Callable[[], None]]:
    """The registry at ``host``, as the user who is logged in for ``repository``, and what ends its use.

    Raises ``TransportError``.
    """
    keyring = Keyring(system.environ, system.warn, system.tell)
    return connect_with(lambda: system.login or keyring.find(host, repository), host, system)


def connect_with(
    find: Callable[[], Credential | None], host: str, system: SystemContext
) -> tuple[RemoteRegistry, Callable[[], None]]:
    """The same with what ``find`` finds, which is called once the registry asks for it."""
    network = Network(system.environ, system.certificates)
    try:
        sockets = network.registry(host, insecure=system.insecure)
    except BaseException:
        network.close()
        raise

    def token_server(origin: Origin) -> PatientTransport:
        return PatientTransport(network.transport(origin, insecure=system.insecure))

    transport = AuthenticatedTransport(
        PatientTransport(FollowingTransport(sockets, network)),
        sockets.origin,
        find,
        token_server,
    )
    return VerifyingRegistry(transport), network.close

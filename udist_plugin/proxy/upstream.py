"""A registry that is cached: where it is, who asks, and its troubles told as those of an upstream."""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.errors import (
    DeadlineExceeded,
    DigestInvalid,
    ManifestInvalid,
    RegistryError,
    SizeInvalid,
    TransportError,
    UpstreamFailed,
    UpstreamTimeout,
)
from udist_plugin.proxy.restraint import RestrainedTransport
from udist_plugin.remote.authentication.transport import AuthenticatedTransport
from udist_plugin.remote.credentials.credential import Credential
from udist_plugin.remote.credentials.helpers import HelperFailed, ask_program
from udist_plugin.remote.network.origin import Origin
from udist_plugin.remote.network.redirects import FollowingTransport
from udist_plugin.remote.registry import RemoteRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.remote.network.network import Network


class Login(NamedTuple):
    """Who asks. The helper ``command``, if there is one, is asked for it, and again after ``lifetime``
    seconds, if that is given."""

    username: str = ""
    password: str = ""
    command: str = ""
    lifetime: float | None = None


class Upstream:
    """The registry at ``url``, whose repositories are here below ``prefix``, and stay for ``ttl`` seconds.

    Nothing is sent before the first request. Safe for any number of threads.
    """

    def __init__(
        self,
        url: str,
        network: Network,
        login: Login | None = None,
        *,
        prefix: str = "",
        ttl: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ttl = ttl
        self.prefix = f"{prefix}/" if prefix else ""
        self._origin = Origin.of(url)
        self._network = network
        self._login = login or Login()
        self._clock = clock
        self._lock = threading.Lock()
        self._transport: RestrainedTransport | None = None
        self._registry: RemoteRegistry | None = None
        self._until = math.inf

    def has(self, name: str) -> bool:
        """Whether a repository is one of the upstream's."""
        return name.startswith(self.prefix)

    def name(self, name: str) -> str:
        """What the upstream calls a repository."""
        return name.removeprefix(self.prefix)

    @contextmanager
    def asked(self) -> Iterator[RemoteRegistry]:
        """The registry. Within the block, what is wrong with it is raised as ``UpstreamFailed`` and
        ``UpstreamTimeout``, and what it refuses as it says."""
        try:
            yield self._connected()
        except DeadlineExceeded as error:
            raise UpstreamTimeout(str(error)) from error
        except (TransportError, HelperFailed) as error:
            raise UpstreamFailed(str(error)) from error
        except (DigestInvalid, ManifestInvalid, SizeInvalid) as error:
            raise UpstreamFailed(f"{self._origin}: {error}") from error
        except RegistryError as error:
            if type(error) is not RegistryError:
                raise
            raise UpstreamFailed(f"{self._origin}: {error}") from error

    def _connected(self) -> RemoteRegistry:
        """Tokens that were got with one login are not used with the next."""
        with self._lock:
            if self._registry is None or self._clock() >= self._until:
                if self._transport is None:
                    inner = FollowingTransport(self._network.transport(self._origin), self._network)
                    self._transport = RestrainedTransport(inner)
                transport = AuthenticatedTransport(
                    self._transport, self._origin, self._credential, self._token_server
                )
                self._registry = RemoteRegistry(transport)
                if self._login.command and self._login.lifetime is not None:
                    self._until = self._clock() + self._login.lifetime
            return self._registry

    def _credential(self) -> Credential | None:
        login = self._login
        if login.command:
            return ask_program(login.command, self._origin.authority)
        return Credential.of_login(login.username, login.password, "proxy") if login.username else None

    def _token_server(self, origin: Origin) -> RestrainedTransport:
        return RestrainedTransport(self._network.transport(origin))

    def __str__(self) -> str:
        return str(self._origin)

"""Where a server is (RFC 6454)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.errors import TransportError

if TYPE_CHECKING:
    from typing import Self

PORTS: Final = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """``scheme://host:port``."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """Raises ``TransportError`` for what is no http or https URL with a host."""
        from urllib.parse import urlsplit

        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise TransportError(f"{url[:200]!r} is no URL: {error}") from None
        if parts.scheme not in PORTS or not parts.hostname:
            raise TransportError(f"{url[:200]!r} is no http or https URL")
        return cls(parts.scheme, parts.hostname, port or PORTS[parts.scheme])

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine can be there."""
        import ipaddress

        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def authority(self) -> str:
        """The host, with the port where it is not the scheme's."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"

"""Strings in Redis, by redis-py: one server, the master that Sentinels name, or a cluster."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from redis import Connection, ConnectionPool, Redis, SSLConnection, UnixDomainSocketConnection
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry
from redis.sentinel import Sentinel

from udist_plugin.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.storage.sizes.settings import RedisSettings

PORT = 6379
SENTINEL_PORT = 26379
LONGEST = 200
"""Characters of an error: that of Sentinels holds each one's every option."""


class RedisClient:
    """Gets, sets and deletes strings. Connects on first use.

    Every verb may be called from any thread, ends within the timeouts of ``settings``, and raises
    ``StorageError`` when Redis does not do it.
    """

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self._redis: Redis | RedisCluster | None = None
        self._lock = threading.Lock()
        self._free = threading.Semaphore(settings.pool_size)  # Sentinels' and clusters' pools do not wait

    def get(self, key: str) -> bytes | None:
        with self._connected() as redis:
            value: bytes | None = redis.get(key)
        return value

    def set(self, key: str, value: bytes, lifetime: int) -> None:
        """``lifetime`` is in seconds."""
        with self._connected() as redis:
            redis.set(key, value, ex=lifetime)

    def delete(self, key: str) -> None:
        with self._connected() as redis:
            redis.delete(key)

    def close(self) -> None:
        with self._lock:
            redis, self._redis = self._redis, None
        if redis is not None:
            redis.close()

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        if not self._free.acquire(timeout=self._settings.pool_timeout):
            raise StorageError("no connection became available in time", driver="redis")
        try:
            with self._lock:
                if self._redis is None:
                    self._redis = _connect(self._settings)
                redis = self._redis
            yield redis
        except Exception as error:  # of a cluster, TLS and strange replies more than the library's own errors
            raise StorageError(str(error)[:LONGEST] or type(error).__name__, driver="redis") from error
        finally:
            self._free.release()


def _connect(settings: RedisSettings) -> Redis | RedisCluster:
    options: dict[str, Any] = _options(settings)
    login = _login(settings.username, settings.password)
    if settings.master:
        count = len(settings.addresses)  # they are asked one after another
        times = {
            "socket_connect_timeout": settings.dial_timeout / count,
            "socket_timeout": settings.answer_timeout / count,
        }
        theirs = options | times | _login(settings.sentinel_username, settings.sentinel_password)
        sentinels = Sentinel(  # type: ignore[no-untyped-call]
            [_host_port(address, SENTINEL_PORT) for address in settings.addresses],
            sentinel_kwargs=theirs,
            db=settings.database,
            max_connections=settings.pool_size,
            **options,
            **login,
        )
        master: Redis = sentinels.master_for(settings.master)  # type: ignore[no-untyped-call]
        return master
    options.update(login)
    if len(settings.addresses) > 1:
        nodes = [_host_port(address, PORT) for address in settings.addresses]
        return RedisCluster(
            startup_nodes=[ClusterNode(*node) for node in nodes],  # type: ignore[no-untyped-call]
            require_full_coverage=False,
            max_connections=settings.pool_size,
            **options,
        )
    return Redis(connection_pool=_pool(settings, options))


def _pool(settings: RedisSettings, options: dict[str, Any]) -> ConnectionPool:
    tls = options.pop("ssl", False)
    address = settings.addresses[0]
    kind: type[Connection | UnixDomainSocketConnection]
    if address.startswith("/"):
        kind = UnixDomainSocketConnection
        options["path"] = address
    else:
        kind = SSLConnection if tls else Connection
        options["host"], options["port"] = _host_port(address, PORT)
    return ConnectionPool(kind, settings.pool_size, db=settings.database, **options)


def _options(settings: RedisSettings) -> dict[str, Any]:
    """What servers, Sentinels and nodes have in common."""
    options: dict[str, Any] = {
        "client_name": settings.client_name or None,
        "protocol": 2,  # every server speaks it, and three verbs need no more
        "socket_connect_timeout": settings.dial_timeout,
        "socket_timeout": settings.answer_timeout,
        "retry": Retry(NoBackoff(), 0),  # the store answers sooner
        "driver_info": None,  # saying what the library is called takes two exchanges a connection
    }
    if settings.tls:
        options["ssl"] = True
        options["ssl_certfile"] = settings.certificate or None
        options["ssl_keyfile"] = settings.key or None
        options["ssl_ca_data"] = "\n".join(map(_read, settings.root_cas)) or None
    return options


def _login(username: str, password: str) -> dict[str, str | None]:
    return {"username": username or None, "password": password or None}


def _read(path: str) -> str:
    with open(path, encoding="ascii", errors="backslashreplace") as file:
        return file.read()


def _host_port(address: str, default: int) -> tuple[str, int]:
    """The parts of ``host:port``, ``[::1]:port``, ``:port`` or ``host``."""
    host, colon, port = address.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = address, str(default)
    return host.strip("[]") or "localhost", int(port)

"""Sizes of blobs remembered in Redis, for every plugin that shares it.

The keys are udist's own, so distribution may use the same database; what it wrote there is never read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.errors import ConfigurationError
from udist_plugin.storage.sizes.outages import Outages
from udist_plugin.storage.sizes.settings import ANSWER_MAX, DIAL_MAX, POOL_SIZE
from udist_plugin.storage.sizes.sizes import Sizes

if TYPE_CHECKING:
    from udist_plugin.oci.digest import Digest
    from udist_plugin.storage.sizes.redis_client import RedisClient
    from udist_plugin.storage.sizes.settings import RedisSettings
    from udist_plugin.storage.sizes.sizes import Record

PREFIX: Final = "udist:blob-size:"
LIFETIME: Final = 24 * 3600
"""Seconds an entry stays after it was learned: what nobody asks for leaves Redis by itself."""
SIZE_DIGITS: Final = 19
"""No size has more: 64 bits, signed."""


class RedisSizes(Sizes):
    """Sizes in Redis. Without it, before ``start`` too, it remembers nothing, and says so once.

    Raises ``ConfigurationError`` for settings that cannot work: whether a server is there is seen later.
    """

    local = False

    def __init__(self, settings: RedisSettings) -> None:
        from importlib.util import find_spec

        if find_spec("redis") is None:
            raise ConfigurationError(
                "needs the package redis; pip install '.[redis]' in a checkout of udist",
                key="storage.cache.blobdescriptor",
            )
        for key, paths in (
            ("certificate", (settings.certificate,)),
            ("key", (settings.key,)),
            ("rootcas", settings.root_cas),
        ):
            for path in filter(None, paths):
                _check_readable(f"redis.tls.{key}", path)
        self._settings = settings._replace(
            dial_timeout=min(settings.dial_timeout or DIAL_MAX, DIAL_MAX),
            answer_timeout=min(settings.answer_timeout or ANSWER_MAX, ANSWER_MAX),
            pool_timeout=min(settings.pool_timeout or ANSWER_MAX, ANSWER_MAX),
            pool_size=settings.pool_size or POOL_SIZE,
        )
        self._client: RedisClient | None = None
        self._outages: Outages | None = None

    def start(self, record: Record) -> None:
        from udist_plugin.storage.sizes.redis_client import RedisClient

        self._outages = Outages(record, "redis", "sizes of blobs are not cached", self.failed)
        self._client = RedisClient(self._settings)

    def size(self, digest: Digest) -> int | None:
        if (client := self._client) is None or (outages := self._outages) is None:
            return None
        text = outages.ask(lambda: client.get(PREFIX + digest))
        return int(text) if text and len(text) <= SIZE_DIGITS and text.isdigit() else None

    def learn(self, digest: Digest, size: int) -> None:
        if (client := self._client) is not None and (outages := self._outages) is not None:
            outages.ask(lambda: client.set(PREFIX + digest, b"%d" % size, LIFETIME))

    def forget(self, digest: Digest) -> None:
        if (client := self._client) is not None and (outages := self._outages) is not None:
            outages.ask(lambda: client.delete(PREFIX + digest))

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def _check_readable(key: str, path: str) -> None:
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; expected a file in PEM form", key=key) from None

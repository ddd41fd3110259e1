"""How Redis is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

DIAL_MAX: Final = 1.0
ANSWER_MAX: Final = 0.25
"""Seconds a request waits for Redis at most. Longer ones can be configured: distribution's defaults are three
seconds, four times over."""
POOL_SIZE: Final = 64
"""Connections at once unless told otherwise: as many as there are requests at once."""


class RedisSettings(NamedTuple):
    """distribution's ``redis`` section. Times are in seconds; 0, or more than a default, is the default: the
    store, which is asked instead, answers as soon.

    ``addresses`` are ``host:port``, or the path of a Unix-domain socket. With ``master`` they are Sentinels
    that know the server by this name; else several are nodes of a Redis Cluster, as distribution 3's client
    has it, where ``database`` says nothing. ``answer_timeout`` is for each piece of an exchange. Without
    ``root_cas`` the system's are trusted.
    """

    addresses: Sequence[str]
    username: str = ""
    password: str = ""
    database: int = 0
    client_name: str = ""
    master: str = ""
    sentinel_username: str = ""
    sentinel_password: str = ""
    dial_timeout: float = DIAL_MAX
    answer_timeout: float = ANSWER_MAX
    pool_size: int = POOL_SIZE
    pool_timeout: float = ANSWER_MAX
    tls: bool = False
    certificate: str = ""
    key: str = ""
    root_cas: Sequence[str] = ()

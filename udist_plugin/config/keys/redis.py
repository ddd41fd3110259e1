"""``redis``: the server of the descriptor cache, by distribution's names of its version 2 (``addr``,
``pool``) and 3 (go-redis's options). Durations are seconds."""

from __future__ import annotations

from typing import Final

from udist_plugin.config.part import Part
from udist_plugin.keys import NO_EFFECT, Key
from udist_plugin.kinds import Boolean, Duration, Integer, Secret, Text

_FLAG = Boolean()
_TEXT = Text()
_SECRET = Secret()
_TIME = Duration()
_ENDLESS = Duration(endless=True)
_COUNT = Integer(0, 1 << 16)
_ADDRESS = Text(
    "an address such as localhost:6379", r"/[^\0]+|(?=.)([^][\s,@/:]*|\[[0-9A-Fa-f:.]+(%\w+)?\])(:\d{1,5})?"
)

KEYS: Final = (
    Key("addrs[]", _ADDRESS, None, "host:port; several are a cluster, or with mastername its sentinels"),
    Key("addr", _ADDRESS, None, "addrs with one entry, version 2's way"),
    Key("mastername", _TEXT, "", "the name that sentinels know the master by"),
    Key("username", _TEXT, "", "the user"),
    Key("password", _SECRET, "", "the user's password"),
    Key("sentinelusername", _TEXT, "", "the user, for sentinels"),
    Key("sentinelpassword", _SECRET, "", "the user's password, for sentinels"),
    Key("db", _COUNT, 0, "the database"),
    Key("clientname", _TEXT, "", "what connections call themselves"),
    Key("protocol", Integer(2, 3), 3, "the version of Redis's protocol", NO_EFFECT),
    Key("tls.enabled", _FLAG, False, "TLS, version 2's way; version 3 has it with any key beside this one"),
    Key("tls.certificate", _TEXT, "", "the client certificate's file"),
    Key("tls.key", _TEXT, "", "its private key's file"),
    Key("tls.rootcas[]", _TEXT, None, "files of authorities that the server's certificate is from"),
    Key("maxretries", Integer(-1, 1 << 16), 3, "tries after the first; -1: none", NO_EFFECT),
    Key("minretrybackoff", _ENDLESS, 0.008, "the first wait before another try", NO_EFFECT),
    Key("maxretrybackoff", _ENDLESS, 0.512, "the longest wait before another try", NO_EFFECT),
    Key("dialtimeout", _TIME, 1.0, "time for a connection, a second at most"),
    Key("readtimeout", _ENDLESS, 0.25, "time for a reply, 250ms at most"),
    Key("writetimeout", _ENDLESS, 0.25, "time for a command, 250ms at most"),
    Key("poolsize", _COUNT, 0, "connections at once; 0: as many as suit"),
    Key("pooltimeout", _TIME, 0.25, "time for a connection to come free, 250ms at most"),
    Key("maxredirects", _COUNT, 3, "redirections followed in a cluster", NO_EFFECT),
    Key("pool.maxactive", _COUNT, None, "poolsize, version 2's way"),
    Key("pool.maxidle", _COUNT, None, "maxidleconns, version 2's way", NO_EFFECT),
    Key("pool.idletimeout", _ENDLESS, None, "connmaxidletime, version 2's way", NO_EFFECT),
    Key("minidleconns", _COUNT, 0, "idle connections made ahead", NO_EFFECT),
    Key("maxidleconns", _COUNT, 0, "idle connections kept", NO_EFFECT),
    Key("maxactiveconns", _COUNT, 0, "connections at once, of a cluster's node", NO_EFFECT),
    Key("connmaxidletime", _ENDLESS, 1800.0, "when an idle connection is closed", NO_EFFECT),
    Key("connmaxlifetime", _ENDLESS, 0.0, "when any connection is closed", NO_EFFECT),
    Key("poolfifo", _FLAG, False, "which idle connection is taken first", NO_EFFECT),
    Key("contexttimeoutenabled", _FLAG, False, "deadlines by Go's contexts", NO_EFFECT),
    Key("readonly", _FLAG, False, "reads from a cluster's replicas", NO_EFFECT),
    Key("routebylatency", _FLAG, False, "reads from a cluster's nearest node", NO_EFFECT),
    Key("routerandomly", _FLAG, False, "reads from any of a cluster's nodes", NO_EFFECT),
    Key("disableidentity", _FLAG, False, "no CLIENT SETINFO", NO_EFFECT),
    Key("identitysuffix", _TEXT, "", "added to CLIENT SETINFO", NO_EFFECT),
    Key("unstableresp3", _FLAG, False, "go-redis's unfinished features", NO_EFFECT),
)


class Tls(Part):
    enabled: bool
    certificate: str
    key: str
    rootcas: tuple[str, ...]

    @property
    def wanted(self) -> bool:
        """Whether connections use TLS: by version 2's switch, or by any of version 3's files."""
        return bool(self.enabled or self.certificate or self.key or self.rootcas)


class Redis(Part):
    """By version 3's names, whichever were given."""

    addrs: tuple[str, ...]
    mastername: str
    username: str
    password: str
    sentinelusername: str
    sentinelpassword: str
    db: int
    clientname: str
    tls: Tls
    dialtimeout: float
    readtimeout: float
    writetimeout: float
    poolsize: int
    pooltimeout: float


MODELS: Final = {"": Redis, "tls": Tls}

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
    Key("addrs[]", _ADDRESS, None, "host:port; several name a cluster, or with mastername its sentinels"),
    Key("addr", _ADDRESS, None, "version 2's name for a single entry of addrs"),
    Key("mastername", _TEXT, "", "the master's name at the sentinels"),
    Key("username", _TEXT, "", "the user"),
    Key("password", _SECRET, "", "the user's password"),
    Key("sentinelusername", _TEXT, "", "the user at the sentinels"),
    Key("sentinelpassword", _SECRET, "", "that user's password"),
    Key("db", _COUNT, 0, "the database"),
    Key("clientname", _TEXT, "", "the client name of connections"),
    Key("protocol", Integer(2, 3), 3, "the version of Redis's protocol", NO_EFFECT),
    Key("tls.enabled", _FLAG, False, "use TLS, as in version 2; in version 3 any other tls key turns it on"),
    Key("tls.certificate", _TEXT, "", "the client certificate's file"),
    Key("tls.key", _TEXT, "", "the private key's file"),
    Key("tls.rootcas[]", _TEXT, None, "files of CA certificates for the server's certificate"),
    Key("maxretries", Integer(-1, 1 << 16), 3, "retries; -1 for none", NO_EFFECT),
    Key("minretrybackoff", _ENDLESS, 0.008, "the shortest wait before a retry", NO_EFFECT),
    Key("maxretrybackoff", _ENDLESS, 0.512, "the longest wait before a retry", NO_EFFECT),
    Key("dialtimeout", _TIME, 1.0, "the time allowed for connecting, 1s at most"),
    Key("readtimeout", _ENDLESS, 0.25, "the time allowed for a reply, 250ms at most"),
    Key("writetimeout", _ENDLESS, 0.25, "the time allowed for sending a command, 250ms at most"),
    Key("poolsize", _COUNT, 0, "the most connections; 0 for a suitable number"),
    Key("pooltimeout", _TIME, 0.25, "the time allowed for a connection to come free, 250ms at most"),
    Key("maxredirects", _COUNT, 3, "redirects followed in a cluster", NO_EFFECT),
    Key("pool.maxactive", _COUNT, None, "version 2's name of poolsize"),
    Key("pool.maxidle", _COUNT, None, "version 2's name of maxidleconns", NO_EFFECT),
    Key("pool.idletimeout", _ENDLESS, None, "version 2's name of connmaxidletime", NO_EFFECT),
    Key("minidleconns", _COUNT, 0, "the fewest idle connections", NO_EFFECT),
    Key("maxidleconns", _COUNT, 0, "the most idle connections", NO_EFFECT),
    Key("maxactiveconns", _COUNT, 0, "the most connections to a node of a cluster", NO_EFFECT),
    Key("connmaxidletime", _ENDLESS, 1800.0, "the age at which an idle connection is closed", NO_EFFECT),
    Key("connmaxlifetime", _ENDLESS, 0.0, "the age at which any connection is closed", NO_EFFECT),
    Key("poolfifo", _FLAG, False, "take the idle connection that was used longest ago", NO_EFFECT),
    Key("contexttimeoutenabled", _FLAG, False, "use the deadlines of Go's contexts", NO_EFFECT),
    Key("readonly", _FLAG, False, "read from a cluster's replicas", NO_EFFECT),
    Key("routebylatency", _FLAG, False, "read from a cluster's nearest node", NO_EFFECT),
    Key("routerandomly", _FLAG, False, "read from any node of a cluster", NO_EFFECT),
    Key("disableidentity", _FLAG, False, "do not send CLIENT SETINFO", NO_EFFECT),
    Key("identitysuffix", _TEXT, "", "added to CLIENT SETINFO", NO_EFFECT),
    Key("unstableresp3", _FLAG, False, "use go-redis's unstable features", NO_EFFECT),
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

"""``health``: what is checked while the registry runs, and how often. Durations are seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.config.part import Part
from udist_plugin.keys import REQUIRED, Key
from udist_plugin.kinds import Boolean, Duration, Integer, Secret, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT = Text()
_URL = Text("a URL such as https://registry.example/", r"https?://[^/?#\s]+\S*")
_ADDRESS = Text("a host and a port such as redis.example:6379", r"\S*:\w+")
_COUNT = Integer(0, 1 << 31)
_INTERVAL = Duration(unset=10.0)
_FIELD_VALUE = Secret("a field value on one line (RFC 9110, section 5.5)", r"[\t\x20-\x7e\x80-\xff]*")

KEYS: Final = (
    Key("storagedriver.enabled", Boolean(), False, "check the store"),
    Key("storagedriver.interval", _INTERVAL, 10.0, "the time between checks"),
    Key("storagedriver.threshold", _COUNT, 0, "consecutive failures that make it unhealthy; 0 means 1"),
    Key("file[].file", _TEXT, REQUIRED, "a file whose existence makes the registry unhealthy"),
    Key("file[].interval", _INTERVAL, 10.0, "the time between checks"),
    Key("file[].threshold", _COUNT, 0, "consecutive failures that make it unhealthy; 0 means 1"),
    Key("http[].uri", _URL, REQUIRED, "the URL to request"),
    Key("http[].headers.*[]", _FIELD_VALUE, None, "fields added to the request"),
    Key("http[].statuscode", Integer(0, 599, unset=200), 200, "the expected status"),
    Key("http[].timeout", _INTERVAL, 10.0, "the time allowed for the response"),
    Key("http[].interval", _INTERVAL, 10.0, "the time between checks"),
    Key("http[].threshold", _COUNT, 0, "consecutive failures that make it unhealthy; 0 means 1"),
    Key("tcp[].addr", _ADDRESS, REQUIRED, "the host:port to connect to"),
    Key("tcp[].timeout", _INTERVAL, 10.0, "the time allowed for the connection"),
    Key("tcp[].interval", _INTERVAL, 10.0, "the time between checks"),
    Key("tcp[].threshold", _COUNT, 0, "consecutive failures that make it unhealthy; 0 means 1"),
)

VARIABLES: Final = {"FILECHECKERS": "file", "HTTPCHECKERS": "http", "TCPCHECKERS": "tcp"}


class DriverCheck(Part):
    """Every ``interval`` the store is asked; ``threshold`` failures in a row make the registry unhealthy."""

    enabled: bool
    interval: float
    threshold: int


class FileCheck(Part):
    """The registry is unhealthy while ``file`` is there."""

    file: str
    interval: float
    threshold: int


class HttpCheck(Part):
    """``uri`` must answer with ``statuscode`` within ``timeout``."""

    uri: str
    headers: Mapping[str, tuple[str, ...]]
    statuscode: int
    timeout: float
    interval: float
    threshold: int


class TcpCheck(Part):
    """``addr``, host:port, must accept a connection within ``timeout``."""

    addr: str
    timeout: float
    interval: float
    threshold: int


class Health(Part):
    """``health``, as it was given; there is none where the section is not."""

    storagedriver: DriverCheck
    file: tuple[FileCheck, ...]
    http: tuple[HttpCheck, ...]
    tcp: tuple[TcpCheck, ...]


MODELS: Final = {
    "": Health,
    "storagedriver": DriverCheck,
    "file[]": FileCheck,
    "http[]": HttpCheck,
    "tcp[]": TcpCheck,
}

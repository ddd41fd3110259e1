"""The frames as values. Codes are gRPC's names; field values are bytes, field names lower-case text."""

from collections.abc import Mapping, Sequence

from udist_plugin.typed import NamedTuple

Fields = Sequence[tuple[str, bytes]]


class Settings(NamedTuple):
    versions: Sequence[int] = ()
    max_streams: int = 0
    capabilities: Sequence[str] = ()
    implementation: str = ""
    process_id: int = 0
    configuration: str | None = None
    environment: Mapping[str, str] | None = None
    configuration_name: str = ""
    warnings: Sequence[str] = ()


class File(NamedTuple):
    """``length`` bytes from ``offset`` on, of a file that the sender has open as ``fd``."""

    fd: int
    offset: int
    length: int
    device: int
    inode: int
    size: int


class Request(NamedTuple):
    method: str
    scheme: str
    authority: str
    target: str
    fields: Fields = ()
    timeout_ms: int = 0
    accept_file: bool = False
    file: File | None = None
    initial_credit: int = 0


class Response(NamedTuple):
    status: int
    fields: Fields = ()
    file: File | None = None


class End(NamedTuple):
    trailers: Fields = ()


class WindowUpdate(NamedTuple):
    credit: int


class Reset(NamedTuple):
    code: str
    message: str = ""
    unprocessed: bool = False


class Ping(NamedTuple):
    token: int
    ack: bool = False


class GoAway(NamedTuple):
    last_stream_id: int
    code: str
    message: str = ""


class Log(NamedTuple):
    level: str
    message: str
    fields: Fields = ()


Body = Settings | Request | Response | End | WindowUpdate | Reset | Ping | GoAway | Log


class Frame(NamedTuple):
    stream_id: int
    body: Body | None
    end_stream: bool = False

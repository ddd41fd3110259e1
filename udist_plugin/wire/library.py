"""Frames by the protobuf library: the rules for every shape that ``decoding`` does not read itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from udist_plugin.errors import RemoteProtocolError
from udist_plugin.wire.constants import code_name
from udist_plugin.wire.frames import (
    Body,
    End,
    File,
    Frame,
    GoAway,
    Log,
    Ping,
    Request,
    Reset,
    Response,
    Settings,
    WindowUpdate,
)
from udist_plugin.wire.generated import frame_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable

    from udist_plugin.wire.frames import Fields


def decode_with_library(message: bytes) -> tuple[Frame, bytes | None]:
    """As ``decoding.decode``, by the generated code alone."""
    try:
        frame = pb.Frame.FromString(message)
    except DecodeError as error:
        raise RemoteProtocolError(f"{len(message)} bytes that are not a Frame: {error}") from None
    kind = frame.WhichOneof("body")
    if kind is None:
        raise RemoteProtocolError("a frame without a body known to version 1")
    if kind == "data":
        return Frame(frame.stream_id, None, frame.end_stream), frame.data
    return Frame(frame.stream_id, _body(frame, kind), frame.end_stream), None


def _body(frame: pb.Frame, kind: str) -> Body:
    match kind:
        case "settings":
            return _settings(frame.settings)
        case "request":
            head = frame.request
            return Request(
                head.method,
                head.scheme,
                head.authority,
                head.target,
                _fields(head.fields),
                head.timeout_ms,
                head.accept_file,
                _file(head.file) if head.HasField("file") else None,
                head.initial_credit,
            )
        case "response":
            answer = frame.response
            file = _file(answer.file) if answer.HasField("file") else None
            return Response(answer.status, _fields(answer.fields), file)
        case "end":
            return End(_fields(frame.end.trailers))
        case "window_update":
            return WindowUpdate(frame.window_update.credit)
        case "reset":
            return Reset(code_name(frame.reset.code), frame.reset.message, frame.reset.unprocessed)
        case "ping":
            return Ping(frame.ping.token, frame.ping.ack)
        case "go_away":
            away = frame.go_away
            return GoAway(away.last_stream_id, code_name(away.code), away.message)
        case _:
            return Log(frame.log.level, frame.log.message, _fields(frame.log.fields))


def _settings(settings: pb.Settings) -> Settings:
    return Settings(
        list(settings.versions),
        settings.max_streams,
        list(settings.capabilities),
        settings.implementation,
        settings.process_id,
        settings.configuration if settings.HasField("configuration") else None,
        dict(settings.environment.variables) if settings.HasField("environment") else None,
        settings.configuration_name,
        list(settings.warnings),
    )


def _file(file: pb.File) -> File:
    return File(file.fd, file.offset, file.length, file.device, file.inode, file.size)


def _fields(fields: Iterable[pb.Field]) -> Fields:
    return [(field.name, field.value) for field in fields]


def normalized_part(message: bytes, *, request: bool) -> bytes:
    """The same message in the form that senders use: fields in their order, each once, none unknown.

    Raises ``RemoteProtocolError`` when it is not a message of a call.
    """
    from udist_plugin.wire.generated import plugin_pb2 as calls

    kind = calls.RoundTripRequest if request else calls.RoundTripResponse
    try:
        part = kind.FromString(message)
    except DecodeError as error:
        raise RemoteProtocolError(f"{len(message)} bytes that are not a {kind.DESCRIPTOR.name}") from error
    part.DiscardUnknownFields()
    return part.SerializeToString()

"""Frames as a trace has them: the notation of ``tests/vectors``, less what ``allowed`` does not show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from udist_plugin.client.trace.allowed import length, shown_message, shown_url, shown_value
from udist_plugin.wire.frames import (
    End,
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

if TYPE_CHECKING:
    from udist_plugin.wire.frames import Body, Fields, File

    Json = dict[str, Any]


def as_json(frame: Frame, payload: int | None = None) -> Json:
    """``frame`` for a line of a trace. ``payload`` is the length of a data frame's, in bytes."""
    head = _given(stream_id=frame.stream_id, end_stream=frame.end_stream)
    if payload is not None:
        return head | {"data": payload}
    assert frame.body is not None
    return head | _body(frame.body)


def _body(body: Body) -> Json:
    match body:
        case Settings():
            return {"settings": _settings(body)}
        case Request():
            return {
                "request": _given(
                    method=body.method,
                    scheme=body.scheme,
                    authority=body.authority,
                    target=shown_url(body.target),
                    fields=_fields(body.fields),
                    timeout_ms=body.timeout_ms,
                    accept_file=body.accept_file,
                    file=_file(body.file),
                    initial_credit=body.initial_credit,
                )
            }
        case Response():
            shown = _given(status=body.status, fields=_fields(body.fields), file=_file(body.file))
            return {"response": shown}
        case End():
            return {"end": _given(trailers=_fields(body.trailers))}
        case WindowUpdate():
            return {"window_update": _given(credit=body.credit)}
        case Reset():
            message = shown_message(body.message)
            return {"reset": _given(code=_code(body.code), message=message, unprocessed=body.unprocessed)}
        case Ping():
            return {"ping": _given(token=body.token, ack=body.ack)}
        case GoAway():
            return {
                "go_away": _given(
                    last_stream_id=body.last_stream_id, code=_code(body.code), message=length(body.message)
                )
            }
        case Log():
            return {
                "log": _given(level=body.level, message=length(body.message), fields=_fields(body.fields))
            }


def _settings(body: Settings) -> Json:
    shown = _given(
        versions=list(body.versions),
        max_streams=body.max_streams,
        capabilities=list(body.capabilities),
        implementation=body.implementation,
        process_id=body.process_id,
    )
    if body.configuration is not None:
        shown["configuration"] = length(body.configuration)
    if body.environment is not None:
        shown["environment"] = {name: length(value) for name, value in sorted(body.environment.items())}
    return shown | _given(
        configuration_name=length(body.configuration_name), warnings=list(map(length, body.warnings))
    )


def _fields(fields: Fields) -> list[list[str | int]]:
    return [[name, shown_value(name, value)] for name, value in fields]


def _file(file: File | None) -> Json:
    """As text, as in protobuf's own JSON, what not every reader's numbers have room for."""
    if file is None:
        return {}
    fd, *wide = file
    names = file._fields[1:]
    texts = {name: str(number) for name, number in zip(names, wide, strict=True) if number}
    return _given(fd=fd) | texts


def _code(code: str) -> str:
    return "" if code == "OK" else code


def _given(**members: object) -> Json:
    """Without those that have their default values."""
    return {name: value for name, value in members.items() if value}

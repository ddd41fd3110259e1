"""The golden vectors of the gRPC service, run by the plugin's side; and messages by the library's rules."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from tests.vectors import generate
from tests.vectors.notation import Json, expand
from tests.wire.test_vectors import by_name, value_of
from udist_plugin.errors import LocalProtocolError, RemoteProtocolError, TransportError
from udist_plugin.wire.call import PluginCall
from udist_plugin.wire.frames import End, Response
from udist_plugin.wire.generated import plugin_pb2 as pb
from udist_plugin.wire.parts import MAX_PART, Part, decode_request_part, decode_response_part, encode_part
from udist_plugin.wire.windows import Budget

MESSAGES = generate.load("messages.json")
CALLS = generate.load("calls.json")
DECODE = {"caller": decode_request_part, "plugin": decode_response_part}
MEMORY = 1 << 20


def part_of(side: str, meaning: Json) -> Part:
    """What the vectors' notation of a message stands for."""
    head: Any = None
    end: Any = None
    if "head" in meaning:
        kind = "request" if side == "caller" else "response"
        defaults = {"method": "", "scheme": "", "authority": "", "target": ""} if side == "caller" else {}
        head = value_of({kind: defaults | meaning["head"]})[0].body
    if "end" in meaning:
        end = value_of({"end": meaning["end"]})[0].body
    return Part(head, meaning.get("credit", 0), end, expand(meaning.get("data", [])))


@by_name(MESSAGES)
def test_message(vector: Json) -> None:
    data, decode = expand(vector["bytes"]), DECODE[vector["from"]]
    if vector["message"] is None:
        with pytest.raises(RemoteProtocolError):
            decode(data)
        return
    part = part_of(vector["from"], vector["message"])
    assert decode(data) == part
    if vector["canonical"]:
        assert encode_part(part) == data


@by_name(CALLS)
def test_call(vector: Json) -> None:
    """As the plugin: what the caller sends is taken in, what the plugin sends comes out."""
    call = PluginCall(1, Budget(MEMORY))
    begun = False
    for step in vector["steps"]:
        if "status" in step:
            break
        if step["from"] == "plugin":
            if isinstance(step["event"], dict):
                return  # what a plugin must not send
            _send(call, part_of("plugin", step["message"]))
        elif isinstance(step["event"], dict):
            with pytest.raises(TransportError) as caught:
                _receive(call, step, begun=begun)
            assert (caught.value.code, caught.value.retryable) == (
                step["event"]["status"],
                step["event"].get("unprocessed", False),
            )
        else:
            _receive(call, step, begun=begun)
        begun = True
        if "plugin_credit" in step:
            assert call.credit == step["plugin_credit"]
        if "caller_credit" in step:
            assert call.stream.receive_window.credit == step["caller_credit"]


def _receive(call: PluginCall, step: Json, *, begun: bool) -> None:
    if step.get("half_close"):
        call.receive_half_close()
        return
    message = expand(step["bytes"])
    data = call.receive(message) if begun else call.receive_head(message)[1]
    assert data == expand(step["message"].get("data", []))


def _send(call: PluginCall, part: Part) -> None:
    if part.head is not None:
        assert isinstance(part.head, Response)
        call.respond(part.head, end=part.end is not None and not part.data)
    if part.data:
        call.send_data(len(part.data), end=part.end is not None)
    if part.credit:  # granted as the consumer reads; how much is up to the implementation
        call.stream.receive_window.credit = part.credit


def test_a_message_with_more_than_there_may_be_is_not_sent() -> None:
    with pytest.raises(LocalProtocolError, match="exceeds the limit"):
        encode_part(Part(end=End(), data=bytes(MAX_PART)))


@given(st.binary(max_size=64))
def test_any_bytes_mean_what_the_library_says(message: bytes) -> None:
    try:
        known = pb.RoundTripRequest.FromString(message)
    except DecodeError:
        with pytest.raises(RemoteProtocolError):
            decode_request_part(message)
        return
    part = decode_request_part(message)
    assert (part.credit, bytes(part.data)) == (known.credit, known.data)
    assert (part.head is None, part.end is None) == (not known.HasField("head"), not known.HasField("end"))

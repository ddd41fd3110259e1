"""PROTOCOL.md says of the messages, constants and codes what the code has."""

from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor

from tests.vectors import generate
from tests.vectors.notation import expand
from tests.vectors.protocol_text import TEXT, block, hexdump, table
from tests.vectors.whole import listing
from tests.wire.categories import CATEGORIES
from udist_plugin.server.grpc.handshake import COOKIE
from udist_plugin.wire import constants, heads
from udist_plugin.wire.call import CALL_CREDIT
from udist_plugin.wire.generated import frame_pb2 as pb
from udist_plugin.wire.generated import plugin_pb2

KINDS = {
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_UINT64: "uint64",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_BOOL: "bool",
}


def kind_of(field: FieldDescriptor) -> str:
    if field.message_type and field.message_type.GetOptions().map_entry:
        return "map<string, string>"
    named = field.message_type or field.enum_type
    kind = named.name if named else KINDS[field.type]
    if field.is_repeated:
        return f"repeated {kind}"
    return f"optional {kind}" if field.containing_oneof else kind


def test_frames() -> None:
    described = {row["frame"]: int(row["number"]) for row in table("frame", "number", "sent by")}
    assert described == {field.name: field.number for field in pb.Frame.DESCRIPTOR.oneofs[0].fields}


def test_messages() -> None:
    described = [
        (row["message"], row["field"], int(row["number"]), row["type"])
        for row in table("message", "field", "number")
    ]
    assert described == [
        (message.name, field.name, field.number, kind_of(field))
        for message in pb.DESCRIPTOR.message_types_by_name.values()
        if message.name != "Frame"
        for field in message.fields
    ]


def test_messages_of_calls() -> None:
    rows = table("field of a message", "number", "type")
    described = [(row["field of a message"], int(row["number"])) for row in rows]
    for message in (plugin_pb2.RoundTripRequest, plugin_pb2.RoundTripResponse):
        assert described == [(field.name, field.number) for field in message.DESCRIPTOR.fields]


def test_calls_begin_with_the_credit_that_is_written() -> None:
    assert f"It\nstarts at {CALL_CREDIT}," in TEXT
    name, value = COOKIE
    assert f"| `{name}` | the magic cookie: `{value}` |" in TEXT


def test_limits() -> None:
    assert [int(row["value"]) for row in table("limit", "value")] == [
        constants.MAX_DATA,
        constants.MAX_CONTROL,
        constants.INITIAL_CREDIT,
        constants.SMALL_CREDIT,
        constants.MAX_CREDIT,
        constants.INITIAL_STREAMS,
        constants.MAX_STREAM_ID,
        constants.MAX_MESSAGE,
    ]


def test_codes() -> None:
    described = {row["code"]: int(row["number"]) for row in table("code", "number")}
    assert described == {code: number for number, code in enumerate(constants.CODES)}
    assert list(described.values()) == list(pb.Code.values())


def test_errors() -> None:
    assert {row["name"] for row in table("name", "what the peer did")} == set(CATEGORIES)


def test_fields_that_never_travel() -> None:
    assert all(f"`{name}`" in TEXT for name in heads.HOP_BY_HOP)


def test_the_hex_dump_is_a_vector() -> None:
    (vector,) = (vector for vector in generate.load("conversations.json") if vector["name"] == "get")
    assert hexdump() == [(step["from"], expand(step["bytes"])) for step in vector["steps"]]


def test_the_listing_is_a_vector() -> None:
    (vector,) = (
        vector for vector in generate.load("conversations.json") if vector["name"] == "push-and-pull"
    )
    assert listing(vector) == block("frames")

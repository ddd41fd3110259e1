from udist_plugin.wire.generated import frame_pb2 as _frame_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RoundTripRequest(_message.Message):
    __slots__ = ("head", "credit", "end", "data")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    head: _frame_pb2.Request
    credit: int
    end: _frame_pb2.End
    data: bytes
    def __init__(self, head: _Optional[_Union[_frame_pb2.Request, _Mapping]] = ..., credit: _Optional[int] = ..., end: _Optional[_Union[_frame_pb2.End, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class RoundTripResponse(_message.Message):
    __slots__ = ("head", "credit", "end", "data")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    head: _frame_pb2.Response
    credit: int
    end: _frame_pb2.End
    data: bytes
    def __init__(self, head: _Optional[_Union[_frame_pb2.Response, _Mapping]] = ..., credit: _Optional[int] = ..., end: _Optional[_Union[_frame_pb2.End, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

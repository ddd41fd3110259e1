"""A host with nothing but grpcio and the generated messages, as any gRPC language has them."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import grpc

from udist_plugin.server.grpc.handshake import COOKIE
from udist_plugin.wire.generated import frame_pb2, plugin_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

PLUGIN: Final = (sys.executable, "-m", "udist_plugin", "--grpc")
APPS: Final = (sys.executable, "-m", "tests.server.grpc.apps")
ROUND_TRIP: Final = "/udist.plugin.v1.PluginService/RoundTrip"
SHUTDOWN: Final = "/plugin.GRPCController/Shutdown"
STDIO: Final = "/plugin.GRPCStdio/StreamStdio"
CREDIT: Final = 64 << 10
TIMEOUT: Final = 60.0
"""Seconds that a test waits for what must come."""


def environment(**more: str) -> dict[str, str]:
    """What a host gives a plugin with a registry in memory."""
    name, value = COOKIE
    return {**os.environ, name: value, "REGISTRY_STORAGE": "inmemory", **more}


class Answer(NamedTuple):
    status: int
    fields: dict[str, str]
    content: bytes


class Call:
    """One call of ``RoundTrip``: messages to send, and what comes back."""

    def __init__(self, channel: grpc.Channel, timeout: float | None = TIMEOUT) -> None:
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        method = channel.stream_stream(ROUND_TRIP, None, plugin_pb2.RoundTripResponse.FromString)
        self.rpc: Any = method(iter(self._outgoing.get, None), timeout=timeout)

    def send(self, message: bytes | None = None, **fields: Any) -> None:
        """A message of these fields, or of any bytes."""
        if message is None:
            message = plugin_pb2.RoundTripRequest(**fields).SerializeToString()
        self._outgoing.put(message)

    def half_close(self) -> None:
        self._outgoing.put(None)

    def receive(self) -> plugin_pb2.RoundTripResponse:
        """The next message. Raises ``grpc.RpcError``, and ``StopIteration`` at the end."""
        message: plugin_pb2.RoundTripResponse = next(self.rpc)
        return message

    def failure(self) -> tuple[str, str, bool]:
        """The status that ends the call, its message, and whether the application saw nothing of it."""
        try:
            for _ in self.rpc:
                pass
        except grpc.RpcError:
            pass
        metadata = dict(self.rpc.trailing_metadata() or ())
        return self.rpc.code().name, self.rpc.details(), metadata.get("udist-unprocessed") == "true"


def head(method: str, target: str, *fields: tuple[str, str]) -> frame_pb2.Request:
    """A request's head."""
    return frame_pb2.Request(
        method=method,
        scheme="http",
        authority="localhost",
        target=target,
        fields=[frame_pb2.Field(name=name, value=value.encode()) for name, value in fields],
    )


class Host:
    """A plugin and a channel to it."""

    def __init__(
        self, command: Sequence[str] = PLUGIN, environ: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        self.process = subprocess.Popen(
            command, env=environ or environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **options
        )
        assert self.process.stdout
        self.line = self.process.stdout.readline().decode()
        self.path = self.line.split("|")[3] if self.line.startswith("1|") else ""
        self.channel = grpc.insecure_channel(f"unix:{self.path}")

    def call(self, timeout: float | None = TIMEOUT) -> Call:
        return Call(self.channel, timeout)

    def exchange(
        self, method: str, target: str, *fields: tuple[str, str], content: bytes = b"", piece: int = 1 << 20
    ) -> Answer:
        """A whole exchange: sends as credit allows, and grants what it has read."""
        call = self.call()
        call.send(head=head(method, target, *fields), end=None if content else frame_pb2.End())
        return self.finish(call, content, piece)

    def finish(self, call: Call, content: bytes = b"", piece: int = 1 << 20) -> Answer:
        """The rest of an exchange whose head was sent."""
        credit, left = CREDIT, memoryview(content)
        answer, received, unannounced, done = frame_pb2.Response(), [], 0, False
        while not done:
            while left and credit:
                data = left[: min(piece, credit)]
                left, credit = left[len(data) :], credit - len(data)
                call.send(data=bytes(data), end=None if left else frame_pb2.End())
            message = call.receive()
            credit += message.credit
            if message.HasField("head"):
                answer = message.head
            received.append(message.data)
            unannounced += len(message.data)
            if unannounced >= CREDIT // 2:
                call.send(credit=unannounced)
                unannounced = 0
            done = message.HasField("end")
        call.half_close()
        assert call.failure()[0] == "OK"
        fields = {field.name: field.value.decode("latin-1") for field in answer.fields}
        return Answer(answer.status, fields, b"".join(received))

    def unary(self, method: str, message: bytes = b"") -> bytes:
        """A call of another service."""
        answer: bytes = self.channel.unary_unary(method)(message, timeout=TIMEOUT)
        return answer

    def stdio(self) -> Iterator[bytes]:
        """The messages of go-plugin's ``GRPCStdio``."""
        stream: Iterator[bytes] = self.channel.unary_stream(STDIO)(b"", timeout=TIMEOUT)
        return stream

    def close(self) -> int:
        """Has the plugin end; its exit status."""
        if self.process.poll() is None:
            self.unary(SHUTDOWN)
        return self.process.wait(TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.channel.close()
        self.process.kill()
        with self.process:
            pass

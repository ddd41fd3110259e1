"""grpcio: the server, and its calls as the rest of this folder sees them.

Messages are bytes both ways. ``experimental_non_blocking`` hands a method the function that sends, where it
would otherwise have to be a generator: so the thread that serves a call can grant credit in the middle of
reading. grpcio-health-checking uses it for the same reason.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Final

import grpc

from udist_plugin.errors import Cancelled, TransportError
from udist_plugin.link.errors import late
from udist_plugin.wire.parts import MAX_PART

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from threading import Event

    Method = Callable[["Call"], None]

ROUND_TRIP: Final = "/udist.plugin.v1.PluginService/RoundTrip"
MAX_DETAILS: Final = 2048
"""Bytes of a status message: clients refuse more than 8 KiB of metadata, and each may take three there."""
OTHERS: Final = 16
"""Threads for what is not the registry's: go-plugin's services, health and reflection."""


class Call:
    """One call. All but ``finish`` raise ``TransportError`` once it is over."""

    def __init__(
        self, messages: Iterator[bytes], context: grpc.ServicerContext, send: Callable[[bytes | None], None]
    ) -> None:
        self._messages = messages
        self._context = context
        self._send = send

    def receive(self) -> bytes | None:
        """The caller's next message; ``None`` once it has closed its side."""
        try:
            return next(self._messages)
        except StopIteration:
            self._check()
            return None
        except grpc.RpcError:
            raise self._error() from None

    def send(self, message: bytes) -> None:
        """Returns when gRPC has taken the message."""
        self._send(message)
        self._check()

    def finish(self, code: str, message: str, *, unprocessed: bool) -> None:
        """Ends the call with a status."""
        if code != "OK":
            self._context.set_code(grpc.StatusCode[code])
            self._context.set_details(message.encode()[:MAX_DETAILS].decode(errors="ignore"))
        if unprocessed:
            self._context.set_trailing_metadata((("udist-unprocessed", "true"),))
        self._send(None)

    def on_end(self, act: Callable[[], None]) -> bool:
        """Has ``act`` called when the call is over; ``False`` if it is."""
        return bool(self._context.add_callback(act))

    def _check(self) -> None:
        if not self._context.is_active():
            raise self._error()

    def _error(self) -> TransportError:
        if self._context.time_remaining() <= 0:
            return late()
        return Cancelled("the caller has cancelled the call, or is gone")


class Server:
    """``methods`` by their path, each called with its call in a thread of its own; ``streams`` is how many
    calls a connection may have open, and all connections together. Health and reflection beside them."""

    def __init__(self, methods: Mapping[str, Method], streams: int) -> None:
        workers = streams + OTHERS
        self._server = grpc.server(
            ThreadPoolExecutor(workers, "udist-worker"),
            handlers=[_Methods(methods, self)],
            options=[
                ("grpc.max_receive_message_length", MAX_PART),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_concurrent_streams", workers),
                ("grpc.so_reuseport", 0),
            ],
            maximum_concurrent_rpcs=workers,
        )

    def listen(self, path: str) -> bool:
        """Whether the socket at ``path`` could be made."""
        try:
            return bool(self._server.add_insecure_port(f"unix:{path}"))
        except RuntimeError:
            return False

    def start(self) -> None:
        """Calls are taken from now on."""
        self._server.start()

    def stop(self, grace: float) -> Event:
        """No more calls are taken; those that are open have so many seconds. The event is set at the end."""
        stopped: Event = self._server.stop(grace)
        return stopped

    @cached_property
    def extras(self) -> Mapping[str, grpc.RpcMethodHandler]:
        """The methods of health and reflection, which take as long to load as half of the start."""
        from udist_plugin.server.grpc.extras import handlers

        return handlers()


class _Methods(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, methods: Mapping[str, Method], server: Server) -> None:
        self._handlers = {path: _handler(method) for path, method in methods.items()}
        self._server = server

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        if handler := self._handlers.get(details.method):
            return handler
        return self._server.extras.get(details.method) if details.method.startswith("/grpc.") else None


def _handler(method: Method) -> grpc.RpcMethodHandler:
    def serve(
        messages: Iterator[bytes], context: grpc.ServicerContext, send: Callable[[bytes | None], None]
    ) -> None:
        method(Call(messages, context, send))

    serve.experimental_non_blocking = True  # type: ignore[attr-defined]
    return grpc.stream_stream_rpc_method_handler(serve, None, None)

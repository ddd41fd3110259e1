"""A bare grpcio server, which sends first messages back: ``python tests/bench/grpc_echo.py SOCKET``."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from collections.abc import Iterator


def echo(messages: Iterator[bytes], _: grpc.ServicerContext) -> Iterator[bytes]:
    yield next(messages)


def main() -> None:
    server = grpc.server(ThreadPoolExecutor(32))
    method = grpc.stream_stream_rpc_method_handler(echo, None, None)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Echo", {"Echo": method}),))
    server.add_insecure_port(f"unix:{sys.argv[1]}")
    server.start()
    print("listening", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()

"""The applications of ``tests.server.apps``, served over gRPC: ``python -m tests.server.grpc.apps``."""

from __future__ import annotations

import os
import sys

from tests.server.apps import Service
from udist_plugin.server.grpc.serving import Host, serve

if __name__ == "__main__":
    serve(Host(os.environ, os.getppid(), 0), lambda _: Service(*map(int, sys.argv[1:])))

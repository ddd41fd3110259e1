"""The applications of ``apps`` behind a gate whose holder is waited for: ``python -m tests.server.gated``."""

from __future__ import annotations

from tests.server.apps import Service
from udist_plugin.server import gate
from udist_plugin.server.stdio import serve
from udist_plugin.server.streams import take_standard_streams


class Gated(Service):
    def wait_within(self, context: object) -> bool:
        return True


if __name__ == "__main__":
    vars(gate).update(HELD=3600.0, PATIENCE=3600.0)
    serve(*take_standard_streams(), lambda *_: Gated())

from __future__ import annotations

from tests.server.conftest import plugin

__all__ = ["plugin"]

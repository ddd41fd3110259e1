"""Programs that some tests need beside Python."""

from __future__ import annotations

import os
import shutil

import pytest


def require_tool(name: str) -> str:
    """The path of the program ``name``.

    Without it the test that asks is skipped, with the reason; where ``CI`` is set it fails, because there
    nothing may be missing.
    """
    path = shutil.which(name)
    if path is not None:
        return path
    reason = f"{name} is not installed"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)

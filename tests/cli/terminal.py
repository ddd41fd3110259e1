"""A pseudo-terminal that a command writes to."""

from __future__ import annotations

import os


def shown_on(screen: int) -> bytes:
    """What is written until the last writer is gone; closes ``screen``."""
    shown = b""
    try:
        while data := os.read(screen, 4096):
            shown += data
    except OSError:  # EIO: the last writer has gone
        pass
    finally:
        os.close(screen)
    return shown

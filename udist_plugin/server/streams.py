"""The standard streams, taken away from everything else in the process.

Descriptors 0 and 1 are duplicated for the protocol; then 0 becomes the null device and 1 standard error. No
print, library or child process can reach the wire.
"""

from __future__ import annotations

import os
import sys

from udist_plugin.link.fds import grow_pipe


def take_standard_streams() -> tuple[int, int]:
    """The protocol's two descriptors, to read from and to write to; neither is inherited by children."""
    source, sink = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    grow_pipe(source)
    grow_pipe(sink)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(source, os.O_BINARY)
        msvcrt.setmode(sink, os.O_BINARY)
    return source, sink

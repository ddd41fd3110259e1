"""Runs a command that can open no Internet socket: ``python tests/clients/without_network.py COMMAND...``.

The kernel refuses ``socket(AF_INET...)`` and ``socket(AF_INET6...)`` to the command and to all that it starts
(seccomp(2), with a filter). Unlike a network namespace that needs no privilege, and is to be had within a
container as well. Linux on x86-64 and arm64.
"""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import struct
import sys
from errno import EACCES
from typing import Final

SOCKET: Final = {"x86_64": 41, "aarch64": 198}
"""The number of socket(2) by machine."""

NO_NEW_PRIVILEGES: Final = 38
SET_SECCOMP: Final = 22
FILTER: Final = 2
"""Numbers of prctl(2)."""

LOAD: Final = 0x20
JUMP_IF_EQUAL: Final = 0x15
RETURN: Final = 0x06
"""Operations of the filter's machine (linux/filter.h)."""

ALLOW: Final = 0x7FFF0000
REFUSE: Final = 0x00050000 | EACCES
"""What a filter says (linux/seccomp.h)."""

NUMBER: Final = 0
FIRST_ARGUMENT: Final = 16
"""Where a call's number and its first argument stand in ``struct seccomp_data``."""


def forbid_internet() -> None:
    """No Internet socket from now on, in this process and its children. Raises ``OSError``."""
    program = b"".join(
        struct.pack("=HBBI", *instruction)
        for instruction in (
            (LOAD, 0, 0, NUMBER),
            (JUMP_IF_EQUAL, 0, 3, SOCKET[platform.machine()]),
            (LOAD, 0, 0, FIRST_ARGUMENT),
            (JUMP_IF_EQUAL, 2, 0, socket.AF_INET),
            (JUMP_IF_EQUAL, 1, 0, socket.AF_INET6),
            (RETURN, 0, 0, ALLOW),
            (RETURN, 0, 0, REFUSE),
        )
    )
    instructions = ctypes.create_string_buffer(program)
    loaded = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((NO_NEW_PRIVILEGES, 1, 0), (SET_SECCOMP, FILTER, loaded)):
        if libc.prctl(*arguments, 0, 0):
            raise OSError(ctypes.get_errno(), f"prctl{arguments[:2]}")


if __name__ == "__main__":
    forbid_internet()
    os.execvp(sys.argv[1], sys.argv[1:])

"""How the programs here end."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

FAILED = 1

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells report it."""


def end_with(main: Callable[[Sequence[str]], int], program: str) -> NoReturn:
    """Runs ``main`` with this process's arguments, and exits with its status.

    Ctrl-C, a reader that leaves early and standard output without room are no stack traces.
    """
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = INTERRUPTED
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"{program}: {error}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still in its buffer
        status = FAILED
    sys.exit(status)

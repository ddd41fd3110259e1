"""Azurite in memory."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tests.drivers.processes import free_port, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT: Final = "devstoreaccount1"
KEY: Final = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's own, which its documentation gives."""


@contextmanager
def azurite(*options: str) -> Iterator[str]:
    """Its URL, the account included; ``options`` are further arguments."""
    port = free_port()
    arguments = ["--inMemoryPersistence", "--silent", "--disableTelemetry"]
    arguments += ["--skipApiVersionCheck", "--blobHost=127.0.0.1", f"--blobPort={port}"]
    with serving("azurite-blob", [*arguments, *options], port):
        yield f"http://127.0.0.1:{port}/{ACCOUNT}"

"""fake-gcs-server in memory."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.drivers.processes import free_port, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def fake_gcs(scheme: str = "http") -> Iterator[str]:
    """Its URL, for ``STORAGE_EMULATOR_HOST``."""
    port = free_port()
    url = f"{scheme}://127.0.0.1:{port}"
    arguments = [
        f"-scheme={scheme}",
        "-host=127.0.0.1",
        f"-port={port}",
        "-backend=memory",
        "-log-level=error",
    ]
    with serving(
        "fake-gcs-server", [*arguments, f"-external-url={url}", f"-public-host=127.0.0.1:{port}"], port
    ):
        yield url

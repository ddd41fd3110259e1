"""Runs a server for as long as somebody uses it: ``python -m tests.storage.keeper KIND FOLDER``.

The command returns when the server's address is in ``FOLDER/address``; the server goes on. It ends when no
process holds ``FOLDER/users`` any longer: the kernel takes a lock from a process that is killed, too.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.drivers.azure.server import azurite
from tests.drivers.gcs.server import fake_gcs
from tests.drivers.s3.server import minio, versitygw
from tests.drivers.swift.server import all_in_one
from tests.remote.loopback import stock_registry
from tests.workers import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager


@contextmanager
def _minio(folder: Path) -> Iterator[str]:
    with minio(folder) as server:
        yield server.url


@contextmanager
def _docker_registry(folder: Path) -> Iterator[str]:
    with stock_registry(folder / "store") as port:
        yield str(port)


@contextmanager
def _versitygw(folder: Path) -> Iterator[str]:
    with versitygw(folder) as server:
        yield server.url


@contextmanager
def _swift(folder: Path) -> Iterator[str]:
    with all_in_one(folder) as server:
        yield server.url


KINDS: Final[dict[str, Callable[[Path], AbstractContextManager[str]]]] = {
    "azurite-blob": lambda _: azurite(),
    "docker-registry": _docker_registry,
    "fake-gcs-server": lambda _: fake_gcs(),
    "minio": _minio,
    "swift-python": _swift,
    "versitygw": _versitygw,
}
"""Starts each program on a folder and gives its address: a URL or a port."""


def keep(kind: str, folder: Path, ready: int) -> None:
    """Runs the server until nobody uses it; a byte to the descriptor ``ready`` says that it can be used."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    address = folder / "address"
    with locked(folder / "server"):
        with KINDS[kind](data) as found:
            address.write_text(found)
            os.write(ready, b"\n")
            os.close(ready)
            with locked(folder / "users"):
                address.unlink()
        shutil.rmtree(data)


def main(kind: str, folder: str) -> int:
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        return 0 if os.read(reading, 1) else 1
    os.close(reading)
    os.setsid()  # Ctrl-C is for the tests, which let go of the server when they end
    keep(kind, Path(folder), writing)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

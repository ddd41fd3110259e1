"""What ``udist doctor`` tries of more than one object store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from udist_plugin.errors import PathBusy, StorageError

if TYPE_CHECKING:
    from udist_plugin.drivers.objects.store import ObjectStore


def try_exclusive(store: ObjectStore, key: str, remedy: str) -> None:
    """Makes an object twice, of which the second time has to fail. Raises ``StorageError`` with the remedy if
    it does not."""
    try:
        for attempt in range(2):
            writer = store.writer(key, mark=os.urandom(16).hex())
            writer.write(b"x")
            try:
                writer.commit()
            except PathBusy:
                if attempt:
                    return
                raise
        problem = f"an object was replaced though that was forbidden: {remedy}"
        raise StorageError(problem, driver=store.name, path=key)
    finally:
        store.delete([key])

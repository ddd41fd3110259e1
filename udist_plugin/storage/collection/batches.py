"""Looks many things up in a store, as many at once as it is good for, in batches."""

from __future__ import annotations

from itertools import islice

from udist_plugin.helpers import Helpers
from udist_plugin.typed import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from udist_plugin.drivers.base import StorageDriver

AT_ONCE: Final = 256
"""Lookups asked for before the first of them is awaited."""

Item = TypeVar("Item")
Found = TypeVar("Found")


def looked_up(
    driver: StorageDriver, look: Callable[[Item], Found], items: Iterable[Item]
) -> Iterator[Iterable[Found]]:
    """What ``look`` finds for each item, in order. Each batch is to be read before the next one."""
    left = iter(items)
    with Helpers(max(1, driver.lookups), "udist-lookups") as pool:
        while batch := list(islice(left, AT_ONCE)):
            yield pool.map(look, batch) if driver.lookups > 1 else map(look, batch)

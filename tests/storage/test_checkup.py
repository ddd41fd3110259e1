"""What a look at a store leaves behind, and says, when something is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import ConfigurationError, StorageError
from udist_plugin.storage.upkeep.checkup import check

if TYPE_CHECKING:
    from udist_plugin.drivers.base import FileWriter


class Failing(InMemoryDriver):
    """Takes no appended file, and breaks in ``delete`` as a library does that is told nonsense."""

    deletions = 0

    def writer(self, path: str, *, append: bool = False) -> FileWriter:
        raise StorageError("denied", driver=self.name, path=path)

    def delete(self, path: str, *, durable: bool = True) -> None:
        self.deletions += 1
        raise KeyError("LastModified")


class Unreachable(Failing):
    def probe(self) -> None:
        raise ConfigurationError("not there", key="storage.inmemory")


def test_what_fails_while_it_is_cleaned_up_hides_nothing() -> None:
    driver = Failing()
    steps = list(check(driver))
    assert [step.name for step in steps] == ["reach", "write", "upload"]
    assert str(steps[-1].error).endswith("denied")
    assert driver.deletions == 1


def test_nothing_is_deleted_where_nothing_was_written() -> None:
    driver = Unreachable()
    (step,) = check(driver)
    assert step.error is not None
    assert driver.deletions == 0

"""What a look at a store leaves behind, and says, when something is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers.memory_store import MemoryObjects
from udist_plugin.drivers.base import SMALL_FILE_MAX
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import ConfigurationError, PathNotFound, StorageError
from udist_plugin.storage import paths
from udist_plugin.storage.upkeep.checkup import check

if TYPE_CHECKING:
    from udist_plugin.drivers.base import FileInfo, FileWriter

Names = list[str]


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


class Forgetful(InMemoryDriver):
    """Does not list what was committed."""

    def list(self, path: str) -> Names:
        return [name for name in super().list(path) if name != "blob"]


class Mangling(InMemoryDriver):
    def get_content(self, path: str, limit: int = SMALL_FILE_MAX) -> bytes:
        return super().get_content(path, limit)[:-1]


class Keeping(InMemoryDriver):
    def delete(self, path: str, *, durable: bool = True) -> None:
        pass


@pytest.mark.parametrize(
    ("driver", "last", "problem"),
    [
        (Mangling(), "read", "differs from the content written"),
        (Forgetful(), "list", "not listed"),
        (Keeping(), "delete", "still exists"),
    ],
)
def test_a_store_that_does_not_keep_its_word_is_found_out(
    driver: InMemoryDriver, last: str, problem: str
) -> None:
    *steps, failed = check(driver)
    assert [step.error for step in steps] == [None] * len(steps)
    assert failed.name == last
    assert 0 <= failed.seconds < 60
    assert problem in str(failed.error)


def test_a_good_store_has_every_step_and_nothing_left() -> None:
    driver = InMemoryDriver()
    steps = list(check(driver))
    assert [step.name for step in steps][:5] == ["reach", "write", "upload", "commit", "read"]
    assert [step.error for step in steps] == [None] * len(steps)
    assert all(0 <= step.seconds < 60 for step in steps)
    with pytest.raises(PathNotFound):
        driver.list(paths.SCRATCH)
    assert [step.name for step in check(driver, writing=False)] == ["reach"]


def test_nothing_is_deleted_where_nothing_was_written() -> None:
    driver = Unreachable()
    (step,) = check(driver)
    assert step.error is not None
    assert driver.deletions == 0


class Hidden(InMemoryDriver):
    """A tree that this user may neither look into nor write to."""

    def stat(self, path: str) -> FileInfo:
        raise StorageError("denied", driver=self.name, path=path)

    def put_content(self, path: str, content: bytes, *, durable: bool = True) -> None:
        raise StorageError("denied", driver=self.name, path=path)


def test_folders_that_may_not_be_looked_at_fail_a_step() -> None:
    *_, failed = check(Hidden())
    assert failed.name == "write"
    assert str(failed.error).endswith("denied")


def test_an_object_store_is_not_asked_for_folders() -> None:
    driver = MemoryObjects()
    assert [step.error for step in check(driver)] == [None] * 7
    first = driver.objects.requests[0]
    assert first.startswith("put "), first

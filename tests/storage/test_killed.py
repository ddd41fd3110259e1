"""What is pushed just before somebody deletes it who is then killed, in every order."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.storage.interleaving import HOUR, Killed, Turns, store
from tests.storage.samples import image, push, push_image, read_blob
from udist_plugin.errors import ManifestUnknown
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.collection.collect import collect
from udist_plugin.storage.collection.mark import mark
from udist_plugin.storage.collection.notes import Notes
from udist_plugin.storage.collection.retention import Policy, Retention, TagRule
from udist_plugin.storage.leases import Leases
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.scrubbing.scrub import Repair, scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.collection.mark import Marked

LAYER = b"layer"
IMAGE = image(LAYER)
DAY = 24 * HOUR
UNTAGGED = Retention((Policy(untagged=True),))
OLD_TAGS = Retention((Policy(untagged=True, rules=(TagRule(pushed_within=DAY),)),))
WINDOW = 5
"""Steps after the deed within which the one who works is killed."""


class Order(Turns):
    """Does ``deed`` before the step ``at``, and kills whoever works before the step ``end``."""

    def __init__(self, at: int, end: int) -> None:
        super().__init__(0, jumps=False)
        self.count = 0
        self.done = False
        self.deed: Callable[[], object] = lambda: None
        self.working = False
        self._at = at
        self._end = end

    def step(self) -> None:
        if not self.working:
            return
        if self.count == self._at:
            self.working = False
            self.pass_time(1.0)
            self.deed()
            self.done = self.working = True
        if self.count == self._end:
            self.working = False
            raise Killed
        self.count += 1

    def work(self, steps: Iterator[object]) -> bool:
        """Whether the deed was done; the time passes afterwards."""
        self.working = True
        with suppress(Killed):
            for _ in steps:
                pass
        self.working = False
        self.pass_time(1.0)
        return self.done


class Case:
    """A store in which somebody works, who is killed, and somebody else does one thing."""

    def __init__(self, order: Order, driver: StorageDriver) -> None:
        self.order = order
        self.driver = driver
        self.registry = StorageRegistry(driver)
        push_image(self.registry, "a", LAYER, tags=["v1"])
        order.pass_time(2 * DAY)

    def repair(self) -> Iterator[object]:
        return scrub(self.driver, repair=Repair(links=True, blobs=True))

    def collect(self, retention: Retention) -> Iterator[object]:
        return collect(self.driver, apply=True, retention=retention, pause=self.order.pass_time)

    def push(self) -> None:
        push_image(StorageRegistry(self.driver), "a", LAYER, tags=["v1"])

    def check(self, target: str) -> None:
        """All of the image is there, now that the next has come and looked, and for ever."""
        Notes(self.driver).finish()
        for _ in range(2):
            registry = StorageRegistry(self.driver)
            assert registry.get_manifest("a", target).content == IMAGE.content
            for blob in (b"{}", LAYER):
                assert read_blob(registry, "a", Digest.of(blob)) == blob
            self.order.pass_time(2 * DAY)
            for _ in self.collect(Retention()):
                pass


def every(objects: bool, run: Callable[[Case], None]) -> int:
    """Runs it with the deed before each step, and a kill at each of the next ones; the number of orders."""
    tried = at = 0
    while True:
        for end in (at + 10_000, *range(at, at + WINDOW)):
            order = Order(at, end)
            with store(order, objects=objects) as driver:
                run(Case(order, driver))
            if not order.done:
                return tried
            tried += 1
        at += 1


@pytest.fixture(params=[False, True], ids=["files", "objects"])
def objects(request: pytest.FixtureRequest) -> bool:
    given: bool = request.param
    return given


def test_links_that_are_pushed_again_while_a_repair_deletes_them(objects: bool) -> None:
    def run(case: Case) -> None:
        for digest in (IMAGE.digest, Digest.of(LAYER)):
            case.driver.delete(paths.blob_data(digest))
        case.order.deed = case.push
        if case.order.work(case.repair()):
            assert case.registry.get_manifest("a", IMAGE.digest).content == IMAGE.content
            case.check("v1")

    assert every(objects, run) > 100


def test_a_tag_that_is_pushed_again_while_a_repair_deletes_it(objects: bool) -> None:
    """The manifest is in the store, but no longer in the repository."""

    def run(case: Case) -> None:
        push_image(case.registry, "b", LAYER)
        case.driver.delete(paths.link(paths.revision("a", IMAGE.digest)))
        case.order.deed = case.push
        if case.order.work(case.repair()):
            case.check("v1")

    assert every(objects, run) > 100


def test_a_torn_link_that_is_pushed_again_while_a_repair_deletes_it(objects: bool) -> None:
    def run(case: Case) -> None:
        case.driver.delete(paths.blob_data(IMAGE.digest))
        case.driver.put_content(paths.link(paths.revision("a", IMAGE.digest)), b"")
        case.order.deed = case.push
        if case.order.work(case.repair()):
            case.check("v1")

    assert every(objects, run) > 100


def test_a_blob_that_is_pushed_again_while_a_repair_moves_it_aside(objects: bool) -> None:
    def run(case: Case) -> None:
        case.driver.put_content(paths.blob_data(Digest.of(LAYER)), b"lay-r")
        case.order.pass_time(1.0)
        case.order.deed = lambda: case.registry.push_blob("a", Digest.of(LAYER), io.BytesIO(LAYER))
        if case.order.work(case.repair()):
            case.check("v1")

    assert every(objects, run) > 100


def test_a_manifest_that_is_deleted_and_pushed_again_while_it_is_collected(objects: bool) -> None:
    def run(case: Case) -> None:
        def deed() -> None:
            case.registry.delete_manifest("a", IMAGE.digest)
            push(StorageRegistry(case.driver), "a", IMAGE)

        case.registry.delete_tag("a", "v1")
        case.order.deed = deed
        if case.order.work(case.collect(UNTAGGED)):
            assert case.registry.get_manifest("a", IMAGE.digest).content == IMAGE.content
            case.check(IMAGE.digest)

    assert every(objects, run) > 100


def test_a_tag_that_is_pushed_again_while_it_is_removed(objects: bool) -> None:
    def run(case: Case) -> None:
        case.order.deed = case.push
        if case.order.work(case.collect(OLD_TAGS)):
            case.check("v1")

    assert every(objects, run) > 100


def test_a_tag_that_gets_a_lease_while_it_is_removed(objects: bool) -> None:
    """If the lease is granted, the tag stays."""

    def run(case: Case) -> None:
        leased = False

        def deed() -> None:
            nonlocal leased
            with suppress(ManifestUnknown):
                leased = bool(Leases(case.driver).create(case.registry, "owner", ["a:v1"]))

        case.order.deed = deed
        case.order.work(case.collect(OLD_TAGS))
        if leased:
            case.check("v1")

    assert every(objects, run) > 100


def test_a_manifest_that_gets_a_lease_while_it_is_collected(objects: bool) -> None:
    def run(case: Case) -> None:
        leased = False

        def deed() -> None:
            nonlocal leased
            with suppress(ManifestUnknown):
                reference = f"a@{IMAGE.digest}"
                leased = bool(Leases(case.driver).create(case.registry, "owner", [reference]))

        for _ in case.collect(OLD_TAGS):
            pass
        case.order.pass_time(2 * DAY)
        case.order.deed = deed
        case.order.work(case.collect(UNTAGGED))
        if leased:
            case.check(IMAGE.digest)

    assert every(objects, run) > 100


@pytest.mark.parametrize("goes", [True, False], ids=["to quarantine", "back"])
def test_a_link_that_moves_while_it_is_marked_counts(objects: bool, goes: bool) -> None:
    def run(case: Case) -> None:
        marked: Marked | None = None

        def marking() -> Iterator[None]:
            nonlocal marked
            marked = mark(case.driver)
            yield

        def collect() -> None:
            for _ in case.collect(UNTAGGED):
                pass

        case.registry.delete_tag("a", "v1")
        if not goes:
            collect()
        case.order.deed = collect if goes else lambda: case.registry.get_manifest("a", IMAGE.digest)
        case.order.work(marking())
        assert marked is None or Digest.of(LAYER) in marked

    assert every(objects, run) > 10

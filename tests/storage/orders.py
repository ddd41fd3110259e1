"""One order of everything that plugins, owners of leases, a stock server and collectors do to a store."""

from __future__ import annotations

import io
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from tests.storage.actors import DEEDS, Content, Plugin, Stock
from tests.storage.interleaving import HOUR, Role, Turns, store
from tests.storage.owners import LEASED, Owner, Promises
from tests.storage.samples import push, push_image
from udist_plugin.errors import StorageError
from udist_plugin.patterns.pattern import Pattern
from udist_plugin.storage import paths
from udist_plugin.storage.collection.collect import collect, undo
from udist_plugin.storage.collection.retention import Policy, Retention, TagRule
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.scrubbing.scrub import Repair, scrub

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.drivers.base import StorageDriver

UNTAGGED = Policy(untagged=True)
OLD_TAGS = Policy((Pattern(LEASED),), untagged=True, rules=(TagRule(pushed_within=HOUR),))


def collector(turns: Turns, driver: StorageDriver, retention: Retention | None = None) -> None:
    for _ in range(DEEDS):
        if turns.random.randrange(8):
            # A push that was held up for days may have its link, and no data until it looks again.
            with suppress(StorageError):
                for _ in collect(driver, apply=True, retention=retention, pause=turns.pause):
                    pass
        else:
            for _ in undo(driver):
                pass
        turns.happen()


def scrubber(turns: Turns, driver: StorageDriver) -> None:
    for _ in range(DEEDS):
        with suppress(StorageError):  # no blob is in its place
            for damage in scrub(driver, repair=Repair(links=True, blobs=True)):
                assert damage.kind != "blob"
        turns.happen()


def litter(
    turns: Turns, driver: StorageDriver, found: Mapping[str, Content], retention: Retention, *, untagged: bool
) -> None:
    """Garbage that pushes are about to use again, old or in quarantine, and due or not."""
    registry = StorageRegistry(driver)
    push_image(registry, "others", b"a store in which no repository is left is not collected", tags=["v1"])
    for name, content in found.items():
        for digest, blob in content.blobs.items():
            registry.push_blob(name, digest, io.BytesIO(blob))
        for document in content.images:
            driver.put_content(paths.blob_data(document.digest), document.content)
            if untagged and name != Stock.name:  # and children of an index that is about to be pushed
                push(registry, name, document)
    turns.pass_time(30 * HOUR)
    if turns.random.randrange(2):
        for _ in collect(driver, apply=True, retention=retention):
            turns.pass_time(turns.random.choice([0.0, 10 * HOUR]))


def interleave(seed: int) -> None:
    """One order of everything. Raises ``AssertionError`` or ``UdistError`` if any of this does not hold:

    - What a plugin was told it has pushed can be read by its digest, with all its blobs, until its deletion
      begins, and at the end. Where untagged manifests are collected, that is said of tagged ones.
    - What is under a lease can be read, from when the lease was granted until its release begins.
    - A tag stands for as long as the policy says, counted from when its last push began.
    - What a stock server was told it has pushed is there at the end, each blob in its place.

    Collectors and repairs are killed at any step, and begin anew. Every second seed is an object store. In a
    third of them the store's clock jumps, but not where there is a stock server, whose promise needs it.

    Every third seed collects untagged manifests, too. Then there is no stock server: it cannot see that the
    manifest in quarantine stands that it refers to. Half of the seeds have leases, and tags that get old. In
    half nobody pushes what others do, so that none keeps another's blobs. In half the store is repaired.
    """
    shape = seed % 6
    untagged = seed // 6 % 3 == 0
    leasing = seed // 18 % 2 == 1
    alone = seed // 36 % 2 == 0
    scrubbing = seed // 72 % 2 == 1
    retention = Retention((OLD_TAGS,) * leasing + (UNTAGGED,) * untagged)
    jumps = shape < 2  # a stock server's promise needs a clock that can be believed
    turns = Turns(seed, jumps=jumps)
    with turns.told(), store(turns, objects=bool(seed % 2)) as driver:
        found = {name: Content(name * alone) for name in ("a", "b", Stock.name, LEASED)}
        litter(turns, driver, found, retention, untagged=untagged)
        plugins = [Plugin(turns, driver, name, found[name], untagged=untagged) for name in ("a", "b")]
        promises = Promises()
        plugins += [Owner(turns, driver, owner, found[LEASED], promises) for owner in ("x", "y") if leasing]
        stock = Stock(turns, driver, found[Stock.name], cache=shape < 4)
        roles = [Role(f"plugin {plugin.name}", plugin.work) for plugin in plugins]
        if not (jumps or untagged):
            roles.append(Role("stock server", stock.work))
        collecting = partial(collector, turns, driver, retention)
        roles += [Role(f"collector {number}", collecting, is_mortal=True) for number in (1, 2)]
        if scrubbing:
            roles.append(Role("repair", partial(scrubber, turns, driver), is_mortal=True))
        turns.run(roles)
        for _ in range(3):
            turns.pass_time(30 * HOUR)
            for _ in collect(driver, apply=True, retention=retention, pause=turns.pause):
                pass
        registry = StorageRegistry(driver)
        for plugin in plugins:
            plugin.check(registry)
        for document in stock.kept:
            assert driver.get_content(paths.blob_data(document.digest)) == document.content
            for digest in stock.content.blobs_of(document):
                assert driver.get_content(paths.blob_data(digest)) == stock.content.blobs[digest]

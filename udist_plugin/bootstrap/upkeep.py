"""Looks after a store, without a registry: what the commands ``gc``, ``du`` and ``scrub`` do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import contextmanager

from udist_plugin.bootstrap.apps import record
from udist_plugin.bootstrap.services import with_variables
from udist_plugin.bootstrap.store import check_writable, driver_of, sizes_of
from udist_plugin.config import load
from udist_plugin.config.files import read_document, read_file
from udist_plugin.errors import ConfigurationError
from udist_plugin.storage.collection.collect import GRACE, collect
from udist_plugin.storage.collection.collect import undo as restore
from udist_plugin.storage.collection.retention import Policy, Retention
from udist_plugin.storage.collection.retention_file import read_retention
from udist_plugin.storage.scrubbing.scrub import NOTHING, Repair, scrub
from udist_plugin.storage.usage import Usage, usage
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from udist_plugin.config import Configuration
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.collection.step import Step
    from udist_plugin.storage.scrubbing.damage import Damage

    Config = str | os.PathLike[str] | Mapping[str, object] | None


def collect_garbage(
    config: Config = None,
    environ: Mapping[str, str] | None = None,
    *,
    apply: bool = False,
    grace: float = GRACE,
    untagged: bool = False,
    retention: os.PathLike[str] | Mapping[str, object] | None = None,
    undo: bool = False,
    progress: Callable[[str, int], object] = lambda *_: None,
) -> Generator[Step]:
    """``udist gc`` for this process: each step as it is done, or without ``apply`` as it would be.

    ``config`` and ``environ`` are those of ``create_app``. ``grace`` is in seconds, at least a day's.
    ``untagged`` also removes manifests that no tag leads to; ``retention`` are policies as those of
    ``udist gc --retention``, a file or a mapping shaped like it, and take its place. ``undo`` restores
    everything that is in quarantine instead, and goes with none of these options. ``progress`` is called with
    what is being counted, such as ``"manifests read"``, and how many there have been.

    Iterate to the end, or close the generator: then the run is closed, too. Raises ``ConfigurationError``,
    also if the store is read-only and would be changed, and ``StorageError`` before the first step if a link
    or manifest cannot be read.
    """
    policies = _policies(retention, untagged=untagged)
    if undo and (apply, grace, untagged, retention) != (False, GRACE, False, None):
        problem = "restores everything; leave apply, grace, untagged and retention out"
        raise ConfigurationError(problem, key="undo")
    impossible = "garbage cannot be collected" if apply or undo else ""
    with _opened(config, environ, impossible=impossible) as (driver, configuration):
        sizes = sizes_of(configuration)
        try:
            sizes.start(record)
            if undo:
                yield from restore(driver, progress)
                return
            yield from collect(
                driver, apply=apply, grace=grace, retention=policies, progress=progress, forget=sizes.forget
            )
        finally:
            sizes.close()


def disk_usage(config: Config = None, environ: Mapping[str, str] | None = None) -> Usage:
    """``udist du`` for this process: what each repository, tag and owner of leases needs, in bytes.

    ``config`` and ``environ`` are those of ``create_app``. Raises ``ConfigurationError``, and
    ``StorageError`` if a link or manifest cannot be read.
    """
    with _opened(config, environ) as (driver, _):
        return usage(driver)


def find_damage(
    config: Config = None,
    environ: Mapping[str, str] | None = None,
    *,
    repair: bool = False,
    aside: bool = False,
    sparse: bool = False,
) -> Iterator[Damage]:
    """``udist scrub`` for this process: what is damaged, each as it is found.

    ``config`` and ``environ`` are those of ``create_app``. ``repair`` repairs what is safe to repair, and
    with it ``aside`` moves damaged blobs aside, so that they can be pushed again. With ``sparse`` an index
    may lack some of its manifests. Raises ``ConfigurationError``, also for ``aside`` without ``repair`` and
    if the store is read-only and would be repaired, and ``StorageError`` if the store cannot be listed.
    """
    if aside and not repair:
        raise ConfigurationError("is true, but repair is not; set both", key="aside")
    with _opened(config, environ, impossible="the store cannot be repaired" if repair else "") as opened:
        yield from scrub(opened[0], repair=Repair(repair, aside) if repair else NOTHING, sparse=sparse)


def _policies(retention: object, *, untagged: bool) -> Retention:
    if retention is None:
        return Retention((Policy(untagged=True),) if untagged else ())
    if isinstance(retention, os.PathLike):
        return read_retention(read_document(os.fspath(retention)), os.fspath(retention))
    if not isinstance(retention, Mapping):
        raise ConfigurationError("expected a mapping or a Path", key="retention")
    return read_retention(dict(retention))


@contextmanager
def _opened(
    config: Config, environ: Mapping[str, str] | None, *, impossible: str = ""
) -> Iterator[tuple[StorageDriver, Configuration]]:
    """The driver of a store, and the configuration. See ``check_writable``."""
    given = read_file(os.fspath(config)) if isinstance(config, os.PathLike) else config
    configuration = load(given, with_variables(os.environ, environ or {}), on_pipes=True).configuration
    check_writable(configuration, impossible)
    driver = driver_of(configuration)
    try:
        driver.probe()
        yield driver, configuration
    finally:
        driver.close()

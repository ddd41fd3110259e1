"""Registries of this process."""

from __future__ import annotations

import os

from udist_plugin.bootstrap.parts import Listeners
from udist_plugin.bootstrap.services import configured, open_app, with_variables
from udist_plugin.bootstrap.store import driver_of, sizes_of
from udist_plugin.config import Configuration, Loaded
from udist_plugin.errors import ConfigurationError
from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from udist_plugin.service import RegistryApp
    from udist_plugin.storage.collection.retention import Retention
    from udist_plugin.storage.collection.step import Step


_DAY = 24 * 3600.0


def create_app(
    config: str | os.PathLike[str] | Mapping[str, object] | Configuration | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    on_event: Callable[[dict[str, Any]], object] | None = None,
) -> RegistryApp:
    """A registry for this process: udistribution's ``NewClient`` and ``ServeHTTP``.

    ``config`` is YAML text, the path of a file (as a ``Path``), a mapping shaped like the file, or what
    ``udist_plugin.config.load`` gave; none stands for the defaults. ``environ`` are ``REGISTRY_*`` variables
    that go over it; the process's own are not looked at. Logs go to ``logging``'s logger ``udist_plugin``,
    and of requests to ``udist_plugin.access``: level and form are the process's to set there.
    ``on_event`` is called in a thread with each event, as distribution's notifications have it (``udist help
    notifications``); after an exception it is called with the same event again.
    Raises ``ConfigurationError`` and ``StorageError``.
    """
    if isinstance(config, Configuration):
        if environ:
            raise ConfigurationError("expected no variables beside a configuration that is already typed")
        app = open_app(Loaded(config, [], []), Listeners(on_event))
    else:
        path = os.fspath(config) if isinstance(config, os.PathLike) else None
        given = None if isinstance(config, os.PathLike) else config
        variables = with_variables(os.environ, environ or {})
        app = configured(path, given, variables, "configuration", listeners=Listeners(on_event))
    app.log_access(_access)
    app.start(_record)
    app.warm_up()
    return app


def collect_garbage(
    config: str | os.PathLike[str] | Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    apply: bool = False,
    grace: float = _DAY,
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
    from udist_plugin.bootstrap.upkeep import configuration_of
    from udist_plugin.storage.collection import collect as collecting

    policies = _policies(retention, untagged=untagged)
    if undo and (apply, grace, untagged, retention) != (False, _DAY, False, None):
        problem = "restores everything; leave apply, grace, untagged and retention out"
        raise ConfigurationError(problem, key="undo")
    impossible = "garbage cannot be collected" if apply or undo else ""
    configuration = configuration_of(config, environ, impossible=impossible)
    driver, sizes = driver_of(configuration), sizes_of(configuration)
    try:
        driver.probe()
        sizes.start(_record)
        if undo:
            yield from collecting.undo(driver, progress)
            return
        yield from collecting.collect(
            driver, apply=apply, grace=grace, retention=policies, progress=progress, forget=sizes.forget
        )
    finally:
        sizes.close()
        driver.close()


def _policies(retention: object, *, untagged: bool) -> Retention:
    from collections.abc import Mapping

    from udist_plugin.config.files import read_document
    from udist_plugin.storage.collection.retention import Policy, Retention
    from udist_plugin.storage.collection.retention_file import read_retention

    if retention is None:
        return Retention((Policy(untagged=True),) if untagged else ())
    if isinstance(retention, os.PathLike):
        return read_retention(read_document(os.fspath(retention)), os.fspath(retention))
    if not isinstance(retention, Mapping):
        raise ConfigurationError("expected a mapping or a Path", key="retention")
    return read_retention(dict(retention))


def _access(line: str) -> None:
    import logging

    logging.getLogger("udist_plugin.access").info("%s", line)


def _record(level: str, message: str) -> None:
    import logging

    logging.getLogger("udist_plugin").log(
        logging.getLevelNamesMapping()[level.upper()], "%s", message, stacklevel=2
    )

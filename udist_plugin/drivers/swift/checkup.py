"""What ``udist config check`` and ``udist doctor`` ask of the ``swift`` section beyond what serving does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.objects.checkup import try_exclusive
from udist_plugin.drivers.section import every_error
from udist_plugin.drivers.swift.settings import settings
from udist_plugin.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.drivers.swift.store import SwiftStore
    from udist_plugin.errors import ConfigurationError

NO_CONDITIONS: Final = "the service, or a proxy before it, ignores If-None-Match"
NO_LARGE: Final = "no large object was made of its segments: enable static large objects (slo) in the service"
NO_URLS: Final = (
    "there are no temporary URLs: enable tempurl, and let the user set the key, or remove secretkey"
)
REFUSED: Final = "a temporary URL is refused: compare the clocks, and see that nobody else sets another key"


def problems(parameters: Mapping[str, object]) -> list[ConfigurationError]:
    """See ``drivers.problems``. A token is not asked for."""
    return every_error(settings, parameters)


def steps(driver: StorageDriver, folder: str) -> list[tuple[str, Callable[[], object]]]:
    """See ``drivers.further_steps``."""
    from udist_plugin.drivers.swift.driver import SwiftDriver
    from udist_plugin.drivers.swift.store import SwiftStore

    assert isinstance(driver, SwiftDriver)
    store = driver.store
    assert isinstance(store, SwiftStore)
    names = ("multipart", "exclusive", "redirect")
    large, exclusive, redirect = (driver.key(f"{folder}/{each}/data") for each in names)
    found: list[tuple[str, Callable[[], object]]] = [
        ("multipart", lambda: _try_large(store, large)),
        ("exclusive", lambda: try_exclusive(store, exclusive, NO_CONDITIONS)),
    ]
    if store.client.settings.secret_key:
        found.append(("redirect", lambda: _try_redirect(store, redirect)))
    return found


def _try_large(store: SwiftStore, key: str) -> None:
    """Makes a large object of two small segments, and reads it."""
    from udist_plugin.drivers.swift.segments import SegmentedObject

    large = SegmentedObject(store.client, key)
    try:
        large.send(b"1")
        large.send(b"2")
        large.commit()
        with store.get(key) as content:
            is_whole = content.read() == b"12"
        if not is_whole:
            store.client.delete(key)  # it is the manifest itself
            raise StorageError(NO_LARGE, driver=store.name, path=key)
    finally:
        large.cancel()
        store.delete([key])


def _try_redirect(store: SwiftStore, key: str) -> None:
    """Reads an object by a temporary URL."""
    try:
        store.put(key, b"x")
        if (url := store.url_for(key)) is None:
            raise StorageError(NO_URLS, driver=store.name, path=key)
        answer, _ = store.client.attempt("GET", key, accept={200, 401, 403}, url=url, authenticated=False)
        if answer.status_code != 200:
            raise StorageError(REFUSED, driver=store.name, path=key)
    finally:
        store.delete([key])

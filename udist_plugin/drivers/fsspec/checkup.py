"""What ``udist config check`` and ``udist doctor`` ask of the ``fsspec`` section beyond what serving does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.fsspec.library import look_up
from udist_plugin.drivers.fsspec.settings import NAME, settings
from udist_plugin.drivers.section import every_error
from udist_plugin.errors import ConfigurationError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.drivers.fsspec.settings import Settings


SAID: Final = {
    "replace": "files can be replaced",
    "grow": "files can be written in pieces",
}
"""See ``drivers.step_words``."""


def problems(parameters: Mapping[str, object]) -> list[ConfigurationError]:
    """See ``drivers.problems``."""
    return every_error(settings, parameters, _implementation)


def steps(driver: StorageDriver, folder: str) -> list[tuple[str, Callable[[], object]]]:
    """See ``drivers.further_steps``: what file systems differ in, and a registry needs."""
    return [
        ("replace", lambda: _replace(driver, f"{folder}/replaced")),
        ("grow", lambda: _grow(driver, f"{folder}/grown")),
    ]


def _implementation(found: Settings) -> None:
    try:
        look_up(found.protocol)
    except (ImportError, ValueError) as error:
        problem = f"{error}; fsspec's documentation says what to install for {found.protocol}"
        raise ConfigurationError(problem, key=f"storage.{NAME}.url") from error


def _replace(driver: StorageDriver, path: str) -> None:
    """A file that stands is replaced by another one, and by an empty one."""
    for content in (b"a long content", b"short", b""):
        driver.put_content(path, content)
        if driver.get_content(path) != content:
            raise StorageError("a file that was replaced holds what it held before", driver=NAME, path=path)


def _grow(driver: StorageDriver, path: str) -> None:
    """A file in two pieces is put together."""
    for piece in (b"one ", b"two"):
        with driver.writer(path, append=True) as writer:
            writer.write(piece)
    with driver.writer(path, append=True) as writer:
        writer.commit(f"{path}-whole")
    if driver.get_content(f"{path}-whole") != b"one two":
        raise StorageError("a file written in pieces is not whole", driver=NAME, path=path)

"""A storage driver whose verbs are timed, by distribution's names for them."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.drivers.base import StorageDriver

    Observe = Callable[[str, float], object]
    """Takes the name of an action and the seconds that it took."""

ACTIONS: Final = {
    "get_content": "GetContent",
    "put_content": "PutContent",
    "put_contents": "PutContent",
    "stat": "Stat",
    "exists": "Stat",
    "stands": "Stat",
    "appended_size": "Stat",
    "list": "List",
    "move": "Move",
    "delete": "Delete",
    "delete_if": "Delete",
    "url_for": "RedirectURL",
}
LISTINGS: Final = ("names", "folders", "folders_with", "files", "files_with_md5")
"""Verbs that fetch names as they are asked for."""


def timed(driver: StorageDriver, observe: Observe) -> StorageDriver:
    """``driver``; ``observe`` is told of each action, also if it fails. As in distribution, readers and
    writers are not timed: they take as long as whoever reads or writes."""
    return cast("StorageDriver", _Timed(driver, observe))


class _Timed:
    """A verb that calls others of the same driver counts as one action."""

    def __init__(self, driver: StorageDriver, observe: Observe) -> None:
        self._driver = driver
        for verb, action in ACTIONS.items():
            setattr(self, verb, _timed(getattr(driver, verb), action, observe))
        for verb in LISTINGS:
            setattr(self, verb, _timed_listing(getattr(driver, verb), observe))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)


def _timed(act: Callable[..., Any], action: str, observe: Observe) -> Callable[..., Any]:
    def verb(*arguments: Any, **options: Any) -> Any:
        begun = perf_counter()
        try:
            return act(*arguments, **options)
        finally:
            observe(action, perf_counter() - begun)

    return verb


def _timed_listing(begin: Callable[..., Iterator[Any]], observe: Observe) -> Callable[..., Iterator[Any]]:
    def verb(*arguments: Any, **options: Any) -> Iterator[Any]:
        begun = perf_counter()
        try:
            names = begin(*arguments, **options)
        except BaseException:
            observe("List", perf_counter() - begun)
            raise
        return _listed(names, perf_counter() - begun, observe)

    return verb


def _listed(names: Iterator[Any], taken: float, observe: Observe) -> Iterator[Any]:
    """``names``, without counting the time between them, which is the reader's."""
    try:
        while True:
            begun = perf_counter()
            try:
                name = next(names)
            except StopIteration:
                return
            finally:
                taken += perf_counter() - begun
            yield name
    finally:
        observe("List", taken)

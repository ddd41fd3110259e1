"""A registry that is made when it is first asked: a plugin is ready, and answers a ping, before that."""

from __future__ import annotations

import threading

from udist_plugin.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.registry import Registry


class LazyRegistry:
    """Stands for the registry that ``make`` returns."""

    def __init__(self, make: Callable[[], Registry]) -> None:
        self._make = make
        self._making = threading.Lock()
        self._registry: Registry | None = None

    def __getattr__(self, verb: str) -> object:
        """Any of the registry's verbs, which is an attribute like others from then on."""
        found: object = getattr(self.load(), verb)
        setattr(self, verb, found)
        return found

    def load(self) -> Registry:
        with self._making:
            if self._registry is None:
                self._registry = self._make()
            return self._registry

    def as_registry(self) -> Registry:
        return cast("Registry", self)

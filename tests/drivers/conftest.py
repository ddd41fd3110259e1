from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from udist_plugin.drivers.filesystem import calls

if TYPE_CHECKING:
    from collections.abc import Callable

    Before = Callable[[str, Callable[[], object]], None]

pytest.register_assert_rewrite("udist_plugin.testing.storage_driver")


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Before:
    """``before(call, action)`` does ``action`` once, before the next such call of the operating system."""

    def arrange(name: str, action: Callable[[], object]) -> None:
        call = getattr(calls, name)

        def overtaken(*arguments: str) -> None:
            monkeypatch.setattr(calls, name, call)
            action()
            call(*arguments)

        monkeypatch.setattr(calls, name, overtaken)

    return arrange

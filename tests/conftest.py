"""What holds for every test: nothing of the user's machine goes in, and nothing is left there."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile("udist", deadline=None)  # a busy machine is slow, not wrong
settings.load_profile("udist")


def pytest_configure() -> None:
    """What a shell runs in the background ignores Ctrl-C, and so would what the tests start and interrupt."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No ``REGISTRY_*`` of the shell's, and a data folder of the test run's own, for plugins spawned too."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("REGISTRY_")]:
            patch.delenv(name)
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield

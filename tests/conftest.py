"""What holds for every test: nothing of the user's machine goes in, and nothing is left there."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests import workers
from tests.storage import shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.drivers.s3.server import S3Server

settings.register_profile("udist", deadline=None)  # a busy machine is slow, not wrong
settings.load_profile("udist")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """The whole suite runs on every core; what is named on the command line runs here, one by one."""
    return None if config.args_source is pytest.Config.ArgsSource.TESTPATHS else 0


def pytest_configure(config: pytest.Config) -> None:
    """What a shell runs in the background ignores Ctrl-C and SIGQUIT, and so would what the tests start and
    interrupt."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if not _is_worker(config):
        workers.begin()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not _is_worker(config):
        shared.await_ends()
        workers.end()


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.fixture(scope="session", autouse=True)
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No ``REGISTRY_*``, no ``UDIST_PLUGIN``, and a data folder of the test run's own, for plugins
    spawned too."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("REGISTRY_")]:
            patch.delenv(name)
        patch.delenv("UDIST_PLUGIN", raising=False)
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def minio_server() -> Iterator[S3Server]:
    with shared.shared_s3("minio") as server:
        yield server


@pytest.fixture(scope="session")
def versitygw_server() -> Iterator[S3Server]:
    with shared.shared_s3("versitygw") as server:
        yield server


@pytest.fixture(scope="session")
def stock_port() -> Iterator[int]:
    """That of Debian's docker-registry."""
    with shared.shared("docker-registry") as port:
        yield int(port)


@pytest.fixture(scope="session")
def azurite_server() -> Iterator[str]:
    """Its URL."""
    with shared.shared("azurite-blob") as url:
        yield url


@pytest.fixture(scope="session")
def swift_server() -> Iterator[str]:
    """Its URL."""
    with shared.shared("swift-python") as url:
        yield url


@pytest.fixture(scope="session")
def gcs_server() -> Iterator[str]:
    """Its URL."""
    with shared.shared("fake-gcs-server") as url:
        yield url


@pytest.fixture
def refusing() -> Iterator[Callable[[], str]]:
    """Gives addresses that refuse connections, each another: held, so that no server takes them."""
    with ExitStack() as stack:

        def address() -> str:
            held = stack.enter_context(socket.socket())
            held.bind(("127.0.0.1", 0))
            return f"127.0.0.1:{held.getsockname()[1]}"

        yield address

"""The Go and the Node client over a real ssh; ``tests/carriers`` has the Python client."""

from __future__ import annotations

import sys
import zlib
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from tests.carriers.blobs import INMEMORY
from tests.carriers.sshd import PLUGIN, Sshd, remote, serving
from tests.clients.conftest import TIMEOUT
from udist_plugin.testing.callers.driver import Driver
from udist_plugin.testing.callers.pattern import pattern
from udist_plugin.testing.callers.pump import Pump

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UPLOADS = "/v2/demo/blobs/uploads/"
CONTENT = pattern(16 << 20)
"""More than a client, ssh and all buffers between take of a response that nobody reads."""

pytestmark = [
    pytest.mark.timeout(TIMEOUT),
    pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc"),
]


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with serving(tmp_path_factory.mktemp("sshd")) as sshd:
        yield sshd


class Told:
    """A driver, and what it has reported."""

    def __init__(self, command: list[str]) -> None:
        self._pump = Pump(60)
        self._driver = Driver(command, self._pump)
        self._reports: list[list[str]] = []
        self._driver.on_report = self._reports.append
        self.send = self._driver.send

    def wait_for(self, *words: str) -> list[str]:
        """The rest of the first report that begins with ``words``."""

        def found() -> list[list[str]]:
            return [each[len(words) :] for each in self._reports if each[: len(words)] == [*words]]

        self._pump.until(found, f"{' '.join(words)}, not {self._reports}")
        return found()[0]

    def close(self) -> None:
        self._driver.end(5)
        self._pump.close()


@pytest.fixture(params=["go", "node"])
def driver(request: pytest.FixtureRequest) -> Iterator[Told]:
    command = request.getfixturevalue(f"{request.param}_driver")
    told = Told([*command, "undici"] if request.param == "node" else command)
    yield told
    told.close()


def test_requests_and_a_dropped_connection(driver: Told, sshd: Sshd, tmp_path: Path) -> None:
    """Of a locked plugin, which takes nothing of what clients may send."""
    config = tmp_path / "udist.yml"
    config.write_text(INMEMORY)
    forced = remote(*PLUGIN, "--locked", "--config", str(config))
    driver.send("start", *sshd.login(f'restrict,command="{forced}"'))
    push = f"{UPLOADS}?digest=sha256:{sha256(CONTENT).hexdigest()}"
    driver.send("exchange", "1", "POST", push, str(len(CONTENT)))
    location = next(each for each in driver.wait_for("head", "1", "201") if each.startswith("location:"))
    pull = location.removeprefix("location:")
    driver.send("exchange", "2", "GET", pull, "-")
    assert driver.wait_for("content", "2") == [str(len(CONTENT)), f"{zlib.crc32(CONTENT):08x}"]

    driver.send("open", "3", "GET", pull, "-", "0")
    driver.send("read", "3", "1")
    driver.wait_for("content", "3", "1")
    driver.send("open", "4", "POST", push, str(len(CONTENT)), "0")
    driver.send("write", "4", "1000")
    driver.wait_for("written", "4")
    sshd.drop()
    driver.send("read", "3", "*")
    for number, repeatable in (("3", "yes"), ("4", "no")):
        code, may_repeat, message = driver.wait_for("error", number)
        assert (code, may_repeat) == ("UNAVAILABLE", repeatable)
        assert "exit status 255" in message
    driver.send("close")
    driver.wait_for("closed")


def test_text_of_a_login_script_is_named(driver: Told, sshd: Sshd) -> None:
    forced = f"echo Welcome to the store; exec {remote(*PLUGIN)}"
    driver.send("start", *sshd.login(f'restrict,command="{forced}"'))
    code, message = driver.wait_for("failed")
    assert code == "INTERNAL"
    assert "Welcome to the store" in message

"""What the section says, and what a probe says of a file system that cannot be used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.conformance.plugin import MOST, check
from tests.drivers.sections import section
from udist_plugin import Plugin
from udist_plugin.drivers import further_steps, open_driver, problems
from udist_plugin.drivers.fsspec.settings import Settings, settings
from udist_plugin.errors import ConfigurationError, HandshakeFailed, StorageError
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.drivers.fsspec.conftest import SftpServer


def test_parameters() -> None:
    given = {
        "url": "sftp://me@host:2222/a/b/",
        "connections": "3",
        "knownhosts": "/hosts",
        "options": {"compress": "true", "timeout": "5", "password": "007", "key_filename": "1"},
    }
    options = {"compress": True, "timeout": 5, "password": "007", "key_filename": "1"}
    found, _ = settings(section("fsspec", given))
    assert found == Settings("sftp://me@host:2222/a/b", options, True, 3, "/hosts")
    assert settings({"url": "sftp://host"})[0].known_hosts == "~/.ssh/known_hosts"
    assert settings({"url": "memory://a"})[0] == Settings("memory://a", {}, False, 1)
    assert not settings({"url": "s3://bucket"})[0].renames
    assert settings({"url": "hdfs://host/a", "publish": "rename"})[0].renames


@pytest.mark.parametrize(
    ("values", "key", "problem"),
    [
        ({}, "url", "but found nothing"),
        ({"url": "/srv"}, "url", "expected a URL"),
        ({"url": "zip://a::file:///b"}, "url", "not a chain"),
        ({"url": "hdfs://host/a"}, "publish", "does not know hdfs: set rename if"),
        ({"url": "file:///a", "publish": "never"}, "publish", "expected one of rename, whole"),
        ({"url": "file:///a", "connections": 0}, "connections", "from 1 to 64"),
    ],
)
def test_wrong_parameters_are_named(values: dict[str, object], key: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as caught:
        settings(section("fsspec", values))
    assert caught.value.key == f"storage.fsspec.{key}"


@pytest.mark.parametrize("section", [{}, {"url": ""}, {"uri": "sftp://host/a"}])
def test_a_missing_url_is_the_only_error(section: dict[str, object]) -> None:
    assert [error.key for error in problems("fsspec", section)] == ["storage.fsspec.url"]


@pytest.mark.parametrize("protocol", ["nosuch", "smb"])
def test_a_protocol_that_is_not_installed(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smbprotocol", None)
    parameters = {"url": f"{protocol}://host/a", "publish": "rename"}
    (found,) = problems("fsspec", parameters)
    assert found.key == "storage.fsspec.url"
    assert protocol in found.problem
    with pytest.raises(ConfigurationError) as caught:
        open_driver("fsspec", parameters, scratch=paths.SCRATCH).probe()
    assert caught.value.key == "storage.fsspec.url"


def test_all_that_is_wrong_is_listed() -> None:
    assert problems("fsspec", {"url": "memory://a"}) == []
    found = problems("fsspec", {"url": "zip://a::file:///b"})
    assert [error.key for error in found] == ["storage.fsspec.url"]


def probed(values: dict[str, object]) -> ConfigurationError:
    driver = open_driver("fsspec", section("fsspec", values), scratch=paths.SCRATCH)
    with pytest.raises(ConfigurationError) as caught:
        driver.probe()
    driver.close()
    return caught.value


def test_a_host_that_is_not_known_is_refused(sftp: SftpServer, tmp_path: Path) -> None:
    error = probed({**sftp.section(tmp_path), "knownhosts": str(tmp_path / "none")})
    assert error.key == "storage.fsspec.url"
    assert f"key of [127.0.0.1]:{sftp.sshd.port} is not in {tmp_path}/none" in error.problem
    assert "ssh-keyscan" in error.problem


def test_a_login_that_is_refused(sftp: SftpServer, tmp_path: Path) -> None:
    values = sftp.section(tmp_path)
    options = {"password": "wrong secret", "look_for_keys": "false", "allow_agent": "false"}
    error = probed({**values, "options": options})
    assert "cannot be used" in error.problem
    assert "wrong secret" not in str(error)


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "is a file" in probed({"url": f"file://{tmp_path}/file"}).problem


def test_a_file_in_place_of_the_folder_of_a_server(sftp: SftpServer, tmp_path: Path) -> None:
    """SFTP does not tell a file that is listed from one that is missing."""
    (tmp_path / "file").touch()
    assert "is a file" in probed(sftp.section(tmp_path / "file")).problem


def test_a_folder_that_cannot_be_made_is_named(sftp: SftpServer, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    driver = open_driver("fsspec", sftp.section(tmp_path / "file/store"), scratch=paths.SCRATCH)
    problem = rf"{tmp_path}/file/store.*: the folder cannot be made: No such file"
    with closing(driver), pytest.raises(StorageError, match=problem):
        driver.put_content("/a", b"b")


def test_what_paramiko_logs_is_not_printed() -> None:
    code = (
        "import logging; from udist_plugin.drivers.fsspec import sftp; sftp._policy('x');"
        "logging.getLogger('paramiko.transport').error('Socket exception')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_a_service_that_cannot_be_reached(refusing: Callable[[], str]) -> None:
    error = probed({"url": f"sftp://me:hidden@{refusing()}/a"})
    assert "cannot be used" in error.problem
    assert "hidden" not in str(error)


def test_an_option_that_there_is_not(sftp: SftpServer, tmp_path: Path) -> None:
    values = sftp.section(tmp_path)
    error = probed({**values, "options": {"nosuch": "1"}})
    assert error.key == "storage.fsspec.options"
    assert "nosuch" in error.problem


def test_the_steps_of_a_doctor(tmp_path: Path) -> None:
    driver = open_driver("fsspec", {"url": f"file://{tmp_path}", "connections": 2}, scratch=paths.SCRATCH)
    steps = further_steps(driver, "/try")
    assert [name for name, _ in steps] == ["replace", "grow"]
    for _, step in steps:
        step()
    assert driver.get_content("/try/grown-whole") == b"one two"
    assert driver.get_content("/try/replaced") == b""


def test_a_missing_library_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("udist_plugin.drivers.fsspec.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ConfigurationError, match=r"pip install '\.\[fsspec\]' in a checkout"):
        open_driver("fsspec", {"url": "memory://a"}, scratch=paths.SCRATCH)


def test_a_plugin_says_at_start_what_is_wrong(sftp: SftpServer, tmp_path: Path) -> None:
    storage = {"fsspec": {**sftp.section(tmp_path), "knownhosts": os.devnull}}
    with pytest.raises(HandshakeFailed, match=r"storage\.fsspec\.url .*ssh-keyscan"):
        Plugin(json.dumps({"version": 0.1, "storage": storage})).close()


@pytest.mark.parametrize(("version", "sparse", "least"), MOST)
def test_conforms(version: str, sparse: bool, least: int, sftp: SftpServer, tmp_path: Path) -> None:
    check({"fsspec": sftp.section(tmp_path / "store")}, version, sparse, least, tmp_path)

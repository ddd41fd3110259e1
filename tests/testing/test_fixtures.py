"""The pytest plugin, as a project that has installed udist meets it."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from udist_plugin import Plugin

pytest_plugins = ["pytester"]

PROJECT = """
import io

def test_a_plugin(udist_plugin):
    with udist_plugin.request("POST", "/v2/a/blobs/uploads/") as response:
        assert response.status == 202

def test_each_test_has_its_own(udist_plugin):
    with udist_plugin.request("GET", "/v2/_catalog") as response:
        assert response.read().split() == [b'{"repositories":[]}']

def test_an_application(udist_app):
    started = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/v2/", "QUERY_STRING": "", "wsgi.input": io.BytesIO()}
    content = udist_app(environ, lambda status, headers: started.append(status))
    assert started == ["200 OK"]
    assert b"".join(content) == b"{}"
"""

PORT = """
import os
import urllib.request

import pytest

@pytest.fixture(params=["mapping", "text"])
def udist_config(request):
    if request.param == "text":
        return "version: 0.1\\nstorage: {inmemory: {}}"
    return {"version": 0.1, "storage": {"inmemory": {}}}

def test_a_port(udist_url):
    scheme, _, rest = udist_url.partition("://")
    login, _, host = rest.rpartition("@")
    assert host == os.environ["UDIST_REGISTRY"]
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, f"{scheme}://{host}/", *login.split(":"))
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
    with opener.open(f"{scheme}://{host}/v2/_catalog") as response:
        assert response.read() == b'{"repositories":[]}'

def test_it_has_ended():
    assert "UDIST_REGISTRY" not in os.environ
"""

OVERRIDE = """
import pytest

@pytest.fixture(params=["mapping", "text"])
def udist_config(request, tmp_path):
    if request.param == "text":
        return f"version: 0.1\\nstorage: {{filesystem: {{rootdirectory: {tmp_path}}}}}"
    return {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(tmp_path)}}}

def test_the_store_is_a_folder(udist_plugin, tmp_path):
    with udist_plugin.request("POST", "/v2/a/blobs/uploads/") as response:
        assert response.status == 202
    assert (tmp_path / "docker/registry/v2/repositories/a/_uploads").is_dir()
"""


@pytest.mark.parametrize(("text", "passed"), [(PROJECT, 3), (OVERRIDE, 2), (PORT, 3)])
def test_a_project_gets_a_registry(pytester: pytest.Pytester, text: str, passed: int) -> None:
    pytester.makepyfile(text)
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=passed)


def test_the_fixtures_are_there_by_installing() -> None:
    assert entry_points(group="pytest11")["udist"].value == "udist_plugin.testing.fixtures"


def test_the_plugin_has_ended_when_the_test_has(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import os, pytest

        pids = []

        def test_spawned(udist_plugin):
            pids.append(udist_plugin.pid)

        def test_gone():
            with pytest.raises(ProcessLookupError):
                os.kill(pids[0], 0)
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


def test_here_too(udist_plugin: Plugin) -> None:
    with udist_plugin.request("GET", "/v2/") as response:
        assert response.status == 200

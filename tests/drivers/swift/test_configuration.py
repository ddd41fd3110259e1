"""What the section says, what is asked of Keystone, and what a probe says of a container that cannot be used.

Keystone itself is not run: its part is an HTTP server whose answers are written here.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.drivers.scripted import Reply, Request, scripted
from tests.drivers.sections import section
from tests.drivers.swift.server import OTHER
from udist_plugin import Plugin
from udist_plugin.drivers import open_driver, problems
from udist_plugin.drivers.swift.settings import Settings, settings
from udist_plugin.drivers.swift.store import SwiftStore
from udist_plugin.errors import ConfigurationError, HandshakeFailed
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from collections.abc import Callable

SOON = 30.0

LEAST: dict[str, object] = {
    "authurl": "https://keystone.example/v3",
    "username": "user",
    "password": "secret",
    "container": "registry",
}


def test_parameters() -> None:
    least = Settings("https://keystone.example/v3", 3, "user", "secret", "registry")
    assert settings(section("swift", LEAST)) == (least, "files/")
    given = {
        **LEAST,
        "authversion": 2,
        "prefix": "/a/b",
        "chunksize": "1048576",
        "endpointtype": "internal",
        "insecureskipverify": True,
        "tempurlcontainerkey": True,
        "tempurlmethods": ["GET"],
    }
    found, prefix = settings(section("swift", given))
    assert prefix == "a/b/files/"
    assert found == least._replace(
        auth_version=2,
        root="a/b/",
        chunk_size=1 << 20,
        interface="internal",
        verify=False,
        container_key=True,
        methods=("GET",),
    )


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"authurl": ""}, "authurl"),
        ({"authurl": "keystone"}, "authurl"),
        ({"authurl": "https://keystone.example"}, "authversion"),
        ({"authversion": 4}, "authversion"),
        ({"username": None}, "username"),
        ({"password": ""}, "password"),
        ({"container": "a/b"}, "container"),
        ({"chunksize": 1000}, "chunksize"),
        ({"endpointtype": "secret"}, "endpointtype"),
        ({"authversion": 1, "password": "a\nb"}, "password"),
    ],
)
def test_wrong_parameters_are_named(change: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings(section("swift", {**LEAST, **change}))
    assert caught.value.key == f"storage.swift.{key}"
    assert "a\nb" not in caught.value.problem


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = problems("swift", {"authurl": "https://keystone.example", "container": "c"})
    assert {each.key.rpartition(".")[2] for each in found} == {"authversion", "username", "password"}


def keystone(asked: list[Any], regions: tuple[str, ...] = ("north", "south")) -> Callable[[Request], Reply]:
    """Versions 2 and 3, and a Swift with an empty container in each region."""

    def answer(request: Request) -> Reply:
        base = f"http://{request.headers['host']}"
        if request.target == "/v3/auth/tokens":
            asked.append(json.loads(request.content)["auth"])
            endpoints = [
                {
                    "id": "1",
                    "interface": kind,
                    "region_id": name,
                    "region": name,
                    "url": f"{base}/{kind}-{name}",
                }
                for kind in ("public", "internal")
                for name in regions
            ]
            token = {
                "catalog": [{"type": "object-store", "name": "swift", "id": "2", "endpoints": endpoints}],
                "expires_at": "2999-01-01T00:00:00.000000Z",
                "issued_at": "2026-01-01T00:00:00.000000Z",
                "methods": ["password"],
                "user": {"id": "3", "name": "user", "domain": {"id": "default", "name": "Default"}},
            }
            return Reply(201, json.dumps({"token": token}).encode(), {"X-Subject-Token": "token"})
        if request.target == "/v2.0/tokens":
            asked.append(json.loads(request.content)["auth"])
            urls = [
                {
                    "region": name,
                    "publicURL": f"{base}/public-{name}",
                    "internalURL": f"{base}/internal-{name}",
                }
                for name in regions
            ]
            access = {
                "token": {"id": "token", "expires": "2999-01-01T00:00:00Z"},
                "serviceCatalog": [{"type": "object-store", "name": "swift", "endpoints": urls}],
                "user": {"id": "3", "name": "user", "roles": []},
            }
            return Reply(200, json.dumps({"access": access}).encode())
        asked.append((request.target.partition("?")[0], request.headers.get("x-auth-token")))
        return Reply(200, b"[]")

    return answer


PASSWORD_3 = {"name": "user", "password": "secret", "domain": {"id": "default"}}


@pytest.mark.parametrize(
    ("given", "user", "scope"),
    [
        ({}, PASSWORD_3, None),
        ({"tenantid": "1", "tenant": "p"}, PASSWORD_3, {"project": {"id": "1"}}),
        ({"tenant": "p"}, PASSWORD_3, {"project": {"name": "p", "domain": {"id": "default"}}}),
        (
            {"tenant": "p", "domain": "d", "domainid": "2"},
            {**PASSWORD_3, "domain": {"name": "d"}},
            {"project": {"name": "p", "domain": {"name": "d"}}},
        ),
        (
            {"tenant": "p", "domainid": "2", "tenantdomain": "t"},
            {**PASSWORD_3, "domain": {"id": "2"}},
            {"project": {"name": "p", "domain": {"name": "t"}}},
        ),
        (
            {"tenant": "p", "tenantdomainid": "4"},
            PASSWORD_3,
            {"project": {"name": "p", "domain": {"id": "4"}}},
        ),
        ({"trustid": "5", "tenant": "p"}, PASSWORD_3, {"OS-TRUST:trust": {"id": "5"}}),
    ],
)
def test_version_3_is_asked_as_by_distribution(given: dict[str, object], user: object, scope: object) -> None:
    asked: list[Any] = []
    with scripted(keystone(asked)) as url:
        values = {**LEAST, **given, "authurl": f"{url}/v3", "region": "south", "endpointtype": "internal"}
        SwiftStore(settings(values)[0]).probe()
    assert asked[0]["identity"]["password"]["user"] == user
    assert asked[0].get("scope") == scope
    assert asked[1] == ("/internal-south/registry", "token")


@pytest.mark.parametrize(
    ("given", "tenant"), [({"tenant": "p"}, {"tenantName": "p"}), ({"tenantid": "1"}, {"tenantId": "1"})]
)
def test_version_2_is_asked_as_by_distribution(given: dict[str, object], tenant: dict[str, object]) -> None:
    asked: list[Any] = []
    with scripted(keystone(asked)) as url:
        SwiftStore(settings({**LEAST, **given, "authurl": f"{url}/v2.0"})[0]).probe()
    assert asked[0] == {"passwordCredentials": {"username": "user", "password": "secret"}, **tenant}
    assert asked[1] == ("/public-north/registry", "token")


def refusal(values: dict[str, object]) -> ConfigurationError:
    before = time.monotonic()
    with pytest.raises(ConfigurationError) as caught:
        SwiftStore(settings(values)[0]).probe()
    assert time.monotonic() - before < SOON
    assert str(values["container"]) in caught.value.problem
    return caught.value


def test_a_missing_container(parameters: dict[str, object]) -> None:
    error = refusal({**parameters, "container": "not-there"})
    assert error.key == "storage.swift.container"
    assert "does not exist: create it" in error.problem


def test_a_wrong_password(parameters: dict[str, object]) -> None:
    error = refusal({**parameters, "password": "wrong"})
    assert error.key == "storage.swift.password"
    assert "refused: correct username and password" in error.problem


def test_a_user_who_may_do_nothing(parameters: dict[str, object]) -> None:
    error = refusal({**parameters, "username": OTHER})
    assert error.key == "storage.swift.username"
    assert "give this user a role" in error.problem


def test_a_region_that_has_none() -> None:
    with scripted(keystone([], regions=("north",))) as url:
        error = refusal({**LEAST, "authurl": f"{url}/v3", "region": "west"})
    assert error.key == "storage.swift.region"


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_server_of_something_else(version: int) -> None:
    with scripted(lambda _: Reply(200, b"<html>Console</html>", {"Content-Type": "text/html"})) as url:
        error = refusal({**LEAST, "authurl": url, "authversion": version})
    assert error.key == "storage.swift.authurl"
    assert f"does not answer as an identity service of version {version}" in error.problem


def test_who_cannot_be_reached(refusing: Callable[[], str]) -> None:
    error = refusal({**LEAST, "authurl": f"http://{refusing()}/v3"})
    assert error.key == "storage.swift.authurl"
    assert "cannot be reached" in error.problem


def test_a_plugin_says_at_start_what_is_wrong(parameters: dict[str, object]) -> None:
    storage = {"swift": {**parameters, "password": "wrong"}}
    with pytest.raises(HandshakeFailed, match=r"storage\.swift\.password \(.*\): .* refused"):
        Plugin(json.dumps({"version": 0.1, "storage": storage})).close()


def test_a_missing_library_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("udist_plugin.drivers.swift.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "keystoneauth1.session", None)
    with pytest.raises(ConfigurationError, match=r"pip install '\.\[swift\]' in a checkout"):
        open_driver("swift", LEAST, scratch=paths.SCRATCH)

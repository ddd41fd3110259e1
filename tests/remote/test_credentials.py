"""Logins in docker's and podman's files, in every form, and from helpers."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from udist_plugin.remote.credentials.keyring import Keyring

if TYPE_CHECKING:
    from pathlib import Path


def login(user: str, password: str = "secret") -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


class Home:
    """Files of a user."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environ = {"HOME": str(root)}
        self.warnings: list[str] = []
        self.told: list[str] = []

    def write(self, path: str, **document: object) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(json.dumps(document))

    def find(self, place: str = "r.test/team/app") -> Any:
        host, _, repository = place.partition("/")
        return Keyring(self.environ, self.warnings.append, self.told.append).find(host, repository)

    def user(self, place: str = "r.test/team/app") -> str | None:
        found = self.find(place)
        return found.username if found else None

    def helper(self, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
        program = self.root / "bin" / f"docker-credential-{name}"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


DOCKERS = ".docker/config.json"


def test_files_are_looked_into_in_their_order(home: Home) -> None:
    home.environ |= {
        "REGISTRY_AUTH_FILE": str(home.root / "given"),
        "XDG_RUNTIME_DIR": str(home.root / "run"),
        "XDG_CONFIG_HOME": str(home.root / "config"),
        "DOCKER_CONFIG": str(home.root / "docker"),
    }
    order = {
        "given": "REGISTRY_AUTH_FILE",
        "run/containers/auth.json": "XDG_RUNTIME_DIR",
        "config/containers/auth.json": "XDG_CONFIG_HOME",
        ".config/containers/auth.json": "",
        "docker/config.json": "DOCKER_CONFIG",
        DOCKERS: "",
    }
    for path in order:
        home.write(path, auths={"r.test": login(path)})
    for path, variable in order.items():
        assert home.user() == path
        home.environ.pop(variable, None)
        (home.root / path).unlink()
    assert home.user() is None
    assert (home.told[0], home.warnings) == (f"the login for r.test is from {home.root / 'given'}", [])


def test_a_file_without_the_host_is_passed_over(home: Home) -> None:
    home.write(".config/containers/auth.json", auths={"other.test": login("other")})
    home.write(DOCKERS, auths={"r.test": login("me")})
    assert home.user() == "me"


HOSTS = [
    *("r.test", "r.test/", "http://r.test", "https://r.test", "https://r.test/", "https://r.test/v1/"),
    *("http://r.test/v2/", "r.test/v1/", "r.test/v2/", "r.test/v2"),
]


@pytest.mark.parametrize("key", HOSTS)
def test_every_form_of_a_host(home: Home, key: str) -> None:
    home.write(DOCKERS, auths={key: login("me")})
    assert home.user() == "me"
    assert home.user("r.test:443/team/app") is None


@pytest.mark.parametrize(
    "key", ["docker.io", "https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io"]
)
def test_docker_hub_by_all_its_names(home: Home, key: str) -> None:
    home.write(DOCKERS, auths={key: login("me")})
    assert home.user("registry-1.docker.io/library/busybox") == home.user("docker.io/team/app") == "me"


def test_the_longest_entry_wins_and_serves_nobody_else(home: Home) -> None:
    home.write(
        DOCKERS,
        auths={"r.test": login("host"), "r.test/team/app": login("app"), "r.test/team": login("team")},
    )
    assert [
        home.user(f"r.test/{name}") for name in ("team/app", "team/app/sub", "team/other", "team/appx", "x")
    ] == [*("app", "app", "team", "team", "host")]
    home.write(DOCKERS, auths={"r.test/team/app": login("app")})
    assert home.user("r.test/team/other") is None


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"auth": "bWU6c2VjcmV0"}, ("me", "secret", "", "")),
        ({"auth": base64.b64encode(b"me:a:b").decode()}, ("me", "a:b", "", "")),
        ({"auth": base64.b64encode(b"m:s").decode().rstrip("=")}, ("m", "s", "", "")),
        ({"username": "me", "password": "secret"}, ("me", "secret", "", "")),
        ({"auth": base64.b64encode(b"<token>:identity").decode()}, ("", "", "identity", "")),
        ({"identitytoken": "identity"}, ("", "", "identity", "")),
        ({"auth": "bWU6c2VjcmV0", "identitytoken": "identity"}, ("me", "secret", "identity", "")),
        ({"auth": "", "registrytoken": "token"}, ("", "", "", "token")),
        ({"auth": 7}, None),
        ({}, None),
        ("text", None),
    ],
)
def test_forms_of_an_entry(home: Home, entry: object, expected: tuple[str, ...] | None) -> None:
    home.write(DOCKERS, auths={"r.test": entry})
    found = home.find()
    assert (found and tuple(found[:4])) == expected
    assert home.warnings == []


@pytest.mark.parametrize("auth", ["not base64!", "bm8gY29sb24=", "//8="])
def test_an_entry_that_cannot_be_read_is_told_of_where_it_was_needed(home: Home, auth: str) -> None:
    home.write(DOCKERS, auths={"r.test": {"auth": auth}, "fine.test": login("me")})
    assert home.user("fine.test/app") == "me"
    assert home.warnings == []
    assert home.user() is None
    assert home.warnings[0].startswith(f"no login was read from {home.root / DOCKERS}: auth ")


def test_files_that_are_no_json(home: Home) -> None:
    (home.root / ".docker").mkdir()
    for content in ("", "  "):
        (home.root / DOCKERS).write_text(content)
        assert (home.find(), home.warnings) == (None, [])
    for content in ("{", "[]"):
        (home.root / DOCKERS).write_text(content)
        assert home.find() is None
    assert len(home.warnings) == 2


def test_helpers(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.helper(
        monkeypatch,
        "one",
        'read server; echo "{\\"Username\\": \\"one of $server\\", \\"Secret\\": \\"x\\"}"',
    )
    home.helper(
        monkeypatch, "two", 'read server; echo "{\\"Username\\": \\"<token>\\", \\"Secret\\": \\"x\\"}"'
    )
    home.helper(monkeypatch, "none", "echo credentials not found in native keychain; exit 1")
    home.write(
        DOCKERS, credHelpers={"r.test": "one", "r.test/team/app": "two"}, auths={"r.test": login("file")}
    )
    assert home.user("r.test/x") == "one of r.test"
    assert home.find().identity_token == "x"
    assert home.told[0] == "the login for r.test is from docker-credential-one"
    home.write(DOCKERS, credsStore="one", auths={"https://r.test/v1/": {}})
    assert home.user() == "one of https://r.test/v1/"
    home.write(DOCKERS, credsStore="one")
    assert home.user() == "one of r.test"
    assert home.user("registry-1.docker.io/library/busybox") == "one of https://index.docker.io/v1/"
    home.write(DOCKERS, credHelpers={"r.test": "none"}, auths={"r.test": login("file")})
    assert (home.user(), home.warnings) == ("file", [])


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (None, "docker-credential-odd is not installed"),
        ("echo it is locked; exit 1", "docker-credential-odd: it is locked"),
        ("echo nothing", "docker-credential-odd: its answer is not as expected"),
        ("echo '[]'", "docker-credential-odd: its answer is not as expected"),
    ],
)
def test_a_helper_that_fails_is_told_of_where_nothing_else_was_found(
    home: Home, monkeypatch: pytest.MonkeyPatch, script: str | None, problem: str
) -> None:
    home.helper(monkeypatch, "odd" if script else "x", script or "")
    home.write(DOCKERS, credHelpers={"r.test": "odd"}, auths={"r.test": login("file")})
    assert (home.user(), home.warnings) == ("file", [])
    home.write(DOCKERS, credHelpers={"r.test": "odd"})
    assert home.user() is None
    assert home.warnings == [f"no login for r.test: {problem}"]
    assert home.user("other.test/app") is None
    assert len(home.warnings) == 1

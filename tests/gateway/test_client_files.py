"""The files that the tools of a command read: the gateway's entry, and all that the user's own have."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.gateway.users import AUTH, PASSWORD, USER, with_a_store, with_logins
from udist_plugin.gateway.clients import containers, trust
from udist_plugin.gateway.clients.files import write_files
from udist_plugin.gateway.clients.place import Place
from udist_plugin.gateway.credential import Credential
from udist_plugin.gateway.folder import Folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gateway.udist import Home

HOST = "127.0.0.1:40123"
CREDENTIAL = Credential("udist", "secret")
OWN = {"auth": CREDENTIAL.basic}
CERTIFICATE = "-----BEGIN CERTIFICATE-----\ngateway\n-----END CERTIFICATE-----\n"


@pytest.fixture(autouse=True)
def _no_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "SYSTEM", ())


class Written:
    """What is written for a user. ``notes`` are the remarks about it."""

    def __init__(self, home: Home, authority: str = "", host: str = HOST) -> None:
        self.notes: list[str] = []
        self._folder = Folder.make(home.environ)
        place = Place(host, CREDENTIAL, authority, self._folder, home.environ, self.notes.append)
        self.variables = write_files(place)
        self.docker = Path(self.variables["DOCKER_CONFIG"])

    def json(self, path: str | Path) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(Path(path).read_text())
        return found

    @property
    def docker_config(self) -> dict[str, Any]:
        return self.json(self.docker / "config.json")

    @property
    def helper(self) -> str:
        return f"docker-credential-{self.docker_config['credsStore']}"

    @property
    def auth_file(self) -> dict[str, Any]:
        return self.json(self.variables["REGISTRY_AUTH_FILE"])

    @property
    def registries(self) -> dict[str, Any]:
        return tomllib.loads(Path(self.variables["CONTAINERS_REGISTRIES_CONF"]).read_text())

    def close(self) -> None:
        self._folder.remove()


@pytest.fixture
def written(home: Home) -> Iterator[Written]:
    with closing(Written(home)) as written:
        yield written


def test_of_an_empty_home(written: Written) -> None:
    assert written.docker_config == {"auths": {HOST: OWN}}
    assert written.auth_file == {"auths": {HOST: OWN}}
    assert written.registries["registry"][-1] == {"location": HOST, "insecure": True}
    regctl = written.json(written.variables["REGCTL_CONFIG"])
    host = {"hostname": HOST, "user": "udist", "pass": "secret", "tls": "disabled"}
    assert regctl == {"hosts": {HOST: host}}
    assert written.notes == []
    assert set(written.variables) == {
        "DOCKER_CONFIG",
        "REGISTRY_AUTH_FILE",
        "CONTAINERS_REGISTRIES_CONF",
        "REGCTL_CONFIG",
    }


def test_usable_entries_stay(home: Home) -> None:
    with_logins(home)
    with closing(Written(home)) as written:
        logins = {"other.example": AUTH, "quay.io": AUTH, HOST: OWN}
        assert written.docker_config == {"auths": logins, "currentContext": "default"}
        assert written.auth_file == {"auths": logins}
        assert written.registries["unqualified-search-registries"] == ["quay.io"]
        assert written.registries["aliases"] == {"app": "quay.io/app"}
        assert {"location": "other.example", "insecure": True} in written.registries["registry"]
        assert set(written.json(written.variables["REGCTL_CONFIG"])["hosts"]) == {"other.example", HOST}
        assert (written.docker / "contexts").resolve() == home.path / ".docker" / "contexts"


@pytest.mark.parametrize(
    ("server", "user"),
    [(HOST, "udist"), (f"https://{HOST}", "udist"), (f"{HOST}/demo/app", "udist"), ("other.example", USER)],
)
def test_a_store_answers_for_other_hosts_alone(home: Home, server: str, user: str) -> None:
    home.environ["OTHER"] = "other.example"
    with_a_store(home)
    with closing(Written(home)) as written:
        config = written.docker_config
        environ = home.environ | written.variables
        ran = subprocess.run(
            [written.helper, "get"],
            input=server,
            env=environ,
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        answer = json.loads(ran.stdout)
        assert (answer["Username"], answer["Secret"]) == (user, "secret" if user == "udist" else PASSWORD)
        assert config["credHelpers"] == {"helped.example": "missing"}


@pytest.mark.parametrize(
    ("server", "user"), [(HOST, "udist"), ("inner.example", "udist"), ("other.example", USER)]
)
def test_a_gateway_within_another_asks_its_store(home: Home, server: str, user: str) -> None:
    home.environ["OTHER"] = "other.example"
    with_a_store(home)
    with closing(Written(home)) as outer:
        home.environ.update(outer.variables)
        with closing(Written(home, host="inner.example")) as inner:
            environ = home.environ | inner.variables
            told = subprocess.check_output(
                [inner.helper, "get"], input=server.encode(), env=environ, timeout=20
            )
            assert json.loads(told)["Username"] == user


@pytest.mark.parametrize("command", ["list", "store", "erase"])
def test_a_store_gets_all_other_commands(home: Home, command: str) -> None:
    with_a_store(home)
    (home.path / "bin/docker-credential-store").write_text('#!/bin/sh\necho "$@" "$(cat)"; exit 3\n')
    with closing(Written(home)) as written:
        ran = subprocess.run(
            [written.helper, command],
            input="some text",
            env=home.environ | written.variables,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert (ran.returncode, ran.stdout) == (3, f"{command} some text\n")


def test_a_name_of_a_store_is_no_program_text(home: Home, tmp_path: Path) -> None:
    (home.path / ".docker").mkdir()
    config = {"credsStore": f"x; touch {tmp_path}/ran #"}
    (home.path / ".docker/config.json").write_text(json.dumps(config))
    with closing(Written(home)) as written:
        environ = home.environ | written.variables
        subprocess.run([written.helper, "list"], env=environ, timeout=20, check=False)
        assert not (tmp_path / "ran").exists()


def test_without_a_file_of_dockers_those_of_podmans_count(home: Home) -> None:
    """crane reads them then; beside the gateway's it would not."""
    (home.runtime / "containers").mkdir()
    (home.runtime / "containers/auth.json").write_text(json.dumps({"auths": {"quay.io": AUTH}}))
    with closing(Written(home)) as written:
        assert written.docker_config == {"auths": {"quay.io": AUTH, HOST: OWN}}


@pytest.mark.parametrize("content", ["{", "[]", '"text"', "\xff", '{"auths": []}', '{"auths": {"a": 1}}'])
def test_files_that_are_not_usable_are_left_out(home: Home, content: str) -> None:
    config = home.path / ".docker" / "config.json"
    config.parent.mkdir()
    config.write_bytes(content.encode("latin-1"))
    with closing(Written(home)) as written:
        assert written.docker_config == {"auths": {HOST: OWN}}
        if not content.startswith('{"'):
            assert [note.startswith(f"{config} is left out: ") for note in written.notes] == [True]


def test_registries_conf_and_its_parts(home: Home) -> None:
    """In the order of containers-registries.conf(5)."""
    folder = home.path / ".config/containers"
    (folder / "registries.conf.d").mkdir(parents=True)
    (folder / "registries.conf").write_text(
        'short-name-mode = "enforcing"\ncredential-helpers = ["secretservice"]\n'
        '[aliases]\n"a" = "one.example/a"\n"b" = "one.example/b"\n'
        '[[registry]]\nprefix = "*.example.com"\n'
        '[[registry]]\nlocation = "quay.io"\n[[registry.mirror]]\nlocation = "one.example"\ninsecure = true\n'
    )
    (folder / "registries.conf.d/20.conf").write_text('[[registry]]\nlocation = "quay.io"\nblocked = true\n')
    (folder / "registries.conf.d/10.conf").write_text(
        'short-name-mode = "disabled"\n[aliases]\n"a" = "two.example/a\\u007f"\n'
    )
    (folder / "registries.conf.d/30.conf").write_text("broken")
    (folder / "registries.conf.d/40.txt").write_text("broken")
    with closing(Written(home)) as written:
        assert written.registries["short-name-mode"] == "disabled"
        assert written.registries["credential-helpers"] == ["secretservice", "containers-auth.json"]
        assert written.registries["aliases"] == {"a": "two.example/a\x7f", "b": "one.example/b"}
        assert [entry for entry in written.registries["registry"] if entry.get("location") != HOST] == [
            {"prefix": "*.example.com"},
            {"location": "quay.io", "blocked": True},
        ]
        assert len(written.notes) == 1
        assert "/30.conf is left out: " in written.notes[0]


@pytest.mark.parametrize("helpers", ["1", "true", '"text"', "{}"])
def test_credential_helpers_that_are_no_list_do_no_harm(home: Home, tmp_path: Path, helpers: str) -> None:
    (tmp_path / "own.conf").write_text(f"credential-helpers = {helpers}\n")
    home.environ["CONTAINERS_REGISTRIES_CONF"] = str(tmp_path / "own.conf")
    with closing(Written(home)) as written:
        assert written.registries["credential-helpers"] == tomllib.loads(f"x = {helpers}")["x"]
        assert [entry["location"] for entry in written.registries["registry"]] == [HOST]


def test_a_registries_conf_of_the_environment_stands_alone(home: Home, tmp_path: Path) -> None:
    with_logins(home)
    (tmp_path / "own.conf").write_text('[[registry]]\nlocation = "own.example"\n')
    home.environ["CONTAINERS_REGISTRIES_CONF"] = str(tmp_path / "own.conf")
    with closing(Written(home)) as written:
        assert [entry["location"] for entry in written.registries["registry"]] == ["own.example", HOST]
        assert "unqualified-search-registries" not in written.registries


def test_the_users_certificates_stay_trusted(home: Home, tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_text("own")
    home.environ["SSL_CERT_FILE"] = home.environ["NODE_EXTRA_CA_CERTS"] = str(tmp_path / "own.pem")
    with closing(Written(home, CERTIFICATE)) as written:
        for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"):
            assert Path(written.variables[name]).read_text() == f"own\n{CERTIFICATE}"
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            bundle = Path(written.variables[name]).read_text()
            assert bundle.count("BEGIN CERTIFICATE") > 100, "the system's are there"
            assert bundle.endswith(CERTIFICATE)
        regctl = written.json(written.variables["REGCTL_CONFIG"])
        assert regctl["hosts"][HOST]["regcert"] == CERTIFICATE
        assert written.registries["registry"][-1]["insecure"] is False


def test_that_the_systems_certificates_are_not_found_is_said(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "SYSTEM", ("/nonexistent",))
    with closing(Written(home, CERTIFICATE)) as written:
        assert len(written.notes) == 1
        assert "the system's certificates are not found" in written.notes[0]


def test_what_an_abandoned_gateway_left_is_removed_by_the_next(home: Home, tmp_path: Path) -> None:
    first = Folder.make(home.environ)
    second = Folder.make(home.environ)
    assert {path.name for path in home.folders()} == {first.id, second.id}
    (home.runtime / "udist" / "without-a-lock").mkdir()
    os.close(first._lock)
    third = Folder.make(home.environ)
    assert {path.name for path in home.folders()} == {second.id, third.id}

"""The file of users: read, watched, made when it is missing; and what a wrong password costs."""

from __future__ import annotations

import base64
import os
import stat
from typing import TYPE_CHECKING

import bcrypt
import pytest

from tests.http_api.wsgi import Client
from udist_plugin import create_app
from udist_plugin.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def entry(user: str, password: str, cost: int = 4) -> str:
    return f"{user}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()}\n"


def configuration(path: Path) -> dict[str, object]:
    return {
        "version": "0.1",
        "storage": {"inmemory": {}},
        "auth": {"htpasswd": {"realm": "r", "path": str(path)}},
    }


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "htpasswd"
    path.write_text(entry("alice", "secret") + entry("bob", "other", 5))
    return path


@pytest.fixture
def client(users: Path) -> Iterator[Client]:
    with create_app(configuration(users)) as app:
        yield Client(app)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The hashes that bcrypt compared with."""
    compared: list[bytes] = []
    real = bcrypt.checkpw

    def counting(password: bytes, hashed: bytes) -> bool:
        compared.append(hashed)
        return real(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", counting)
    return compared


def login(client: Client, user: str, password: str) -> int:
    field = base64.b64encode(f"{user}:{password}".encode()).decode()
    return client.get("/v2/", authorization=f"Basic {field}").status


def test_an_unknown_user_costs_what_a_wrong_password_does(client: Client, checks: list[bytes]) -> None:
    """One comparison each, and of the unknown one as dear as the dearest."""
    assert login(client, "bob", "wrong") == 401
    assert login(client, "mallory", "wrong") == 401
    assert login(client, "mallory", "other") == 401, "bob's password is for bob"
    assert len(checks) == 3
    assert {hashed[4:6] for hashed in checks} == {b"05"}


def test_a_wrong_password_of_a_user_with_a_cheap_hash_costs_as_much(
    client: Client, users: Path, checks: list[bytes]
) -> None:
    """The cost is the binary logarithm of the rounds."""
    users.write_text(entry("alice", "secret") + entry("bob", "other", 7))
    for user in ("alice", "bob", "mallory"):
        checks.clear()
        assert login(client, user, "wrong") == 401
        assert sum(1 << int(hashed[4:6]) for hashed in checks) == 1 << 7, user


def test_a_password_that_was_right_is_not_compared_again(client: Client, checks: list[bytes]) -> None:
    assert [login(client, "alice", "secret") for _ in range(3)] == [200] * 3
    assert len(checks) == 1
    checks.clear()
    assert login(client, "alice", "wrong") == 401
    assert login(client, "bob", "secret") == 401
    assert len(checks) == 3, "two for alice, whose hash is cheaper than bob's"


def test_what_bcrypt_does_not_look_at(client: Client, users: Path) -> None:
    users.write_text(entry("alice", "x" * 72))
    assert login(client, "alice", "x" * 100) == 200
    assert login(client, "alice", "x" * 71) == 401


def test_a_change_of_the_file_counts_at_once(client: Client, users: Path) -> None:
    assert login(client, "alice", "secret") == 200
    users.write_text(entry("alice", "changed!"))
    assert (login(client, "alice", "secret"), login(client, "alice", "changed!")) == (401, 200)
    users.write_text("alice:plain\n" + entry("bob", "other"))
    answer = client.get("/v2/", authorization="Basic " + base64.b64encode(b"alice:plain").decode())
    assert answer.status == 401
    assert "line 1" in answer.log
    assert "plain" not in answer.log
    assert login(client, "bob", "other") == 200


def test_a_file_that_is_gone_lets_nobody_in(client: Client, users: Path) -> None:
    assert login(client, "alice", "secret") == 200
    users.unlink()
    assert login(client, "alice", "secret") == 503
    users.write_text(entry("alice", "secret"))
    assert login(client, "alice", "secret") == 200


@pytest.mark.parametrize("source", ["%0D%0AX-A:%20b", "%C3%A9", "%FF", "%00", "a" * 30_000, "%22" * 10_000])
def test_what_a_challenge_repeats_is_one_short_line(tmp_path: Path, source: str) -> None:
    auth = {"silly": {"realm": "r", "service": "s"}}
    with create_app({"version": "0.1", "storage": {"inmemory": {}}, "auth": auth}) as app:
        answer = Client(app).request("POST", f"/v2/a/blobs/uploads/?mount=x&from={source}")
    assert answer.status == 401
    challenge = answer.field("www-authenticate")
    assert challenge.isascii()
    assert challenge.isprintable()
    assert len(challenge) < 1024


@pytest.mark.parametrize(
    "line",
    [
        "alice",
        "alice:secret",
        "alice:$apr1$salt$0123456789012345678901",
        "alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
        "alice:$2y$05$tooshort",
        "alice:$2y$99$" + "." * 53,
        "alice:" + "$2y$05$" + "." * 53 + ":more",
        "alice:$2y$05$" + "z" * 53,  # of a salt of 16 bytes the last character has only two bits
    ],
)
def test_a_line_that_is_no_bcrypt_is_an_error_at_the_start(users: Path, line: str) -> None:
    users.write_text(f"# users\n\n{entry('bob', 'other')}{line}\n")
    with pytest.raises(ConfigurationError) as raised:
        create_app(configuration(users))
    error = raised.value
    assert error.key == "auth.htpasswd.path"
    assert error.source == "configuration"
    assert f"in line 4 of {users}" in error.problem
    assert "expected user:hash" in error.problem
    assert line.partition(":")[2] not in error.problem or ":" not in line


def test_a_missing_file_is_made(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "new" / "htpasswd"
    with create_app(configuration(path)) as app:
        (record,) = [each for each in caplog.records if "auth.htpasswd.path" in each.getMessage()]
        assert (record.levelname, str(path) in record.getMessage()) == ("WARNING", True)
        password = record.getMessage().rpartition(" ")[2]
        assert login(Client(app), "docker", password) == 200
        assert login(Client(app), "docker", "") == 401
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    caplog.clear()
    with create_app(configuration(path)) as app:
        assert login(Client(app), "docker", password) == 200
    assert caplog.text == ""


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "htpasswd"):
        with pytest.raises(ConfigurationError, match=f"cannot read {path}: "):
            create_app(configuration(path))


def test_who_asks_is_in_the_environment_and_nothing_else_can_say_it(users: Path) -> None:
    from udist_plugin.http_api.middleware.access.guard import Guard
    from udist_plugin.http_api.middleware.access.htpasswd import Htpasswd

    users.write_text(entry("josé", "secret"))
    asked: list[str] = []

    def application(environ: dict[str, str], start_response: object) -> list[bytes]:
        asked.append(environ["REMOTE_USER"])
        start_response("204 No Content", [])  # type: ignore[operator]
        return []

    client = Client(
        Guard(application, Htpasswd("r", os.fspath(users)), None, "/", {}), {"REMOTE_USER": "root"}
    )
    assert login(client, "josé", "secret") == 204
    assert asked == ["josé".encode().decode("latin-1")]

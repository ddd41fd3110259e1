"""``udist login`` and ``udist logout``, and what other tools make of what they keep."""

from __future__ import annotations

import base64
import fcntl
import io
import json
import os
import pty
import stat
import subprocess
import sys
import termios
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.test_failures import COMMAND
from tests.images.test_docker import HTPASSWD, guarded
from tests.images.token_server import ISSUER, SERVICE, TokenIssuer
from tests.remote.serving import serving
from tests.tools import run_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Ran
    from tests.images.sample import Layout

    Udist = Callable[..., Ran]

AUTH = base64.b64encode(b"me:secret").decode()


@pytest.fixture
def home(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home without any login."""
    for variable in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(work.parent))
    return work.parent


@pytest.fixture
def registry(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """One that wants a password."""
    folder = home / "guarded"
    folder.mkdir()
    (folder / "htpasswd").write_text(HTPASSWD)
    with monkeypatch.context() as others:
        others.delenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY")
        running = guarded("registry", folder, {"htpasswd": {"realm": "r", "path": str(folder / "htpasswd")}})
        host = running.__enter__()
    try:
        yield host
    finally:
        running.__exit__(None, None, None)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def on_standard_input(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return on_standard_input


def document_of(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / ".docker/config.json").read_text())
    return found


def helper(home: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A credential helper called ``test``."""
    program = home / "bin/docker-credential-test"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def test_login_lets_every_tool_in_and_logout_none(
    udist: Udist, home: Path, registry: str, layout: Layout, typed: Callable[[str], None], work: Path
) -> None:
    layout.image("v1")
    typed("secret\n")
    ran = udist("login", registry, "--username", "me", "--password-stdin")
    file = home / ".docker/config.json"
    assert (ran.code, ran.out) == (0, f"logged in to {registry} as me; kept in {file}\n")
    assert document_of(home) == {"auths": {registry: {"auth": AUTH}}}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert udist("copy", "oci:layout", f"docker://{registry}/demo/app:v1").code == 0
    assert run_tool("crane", "ls", "--insecure", f"{registry}/demo/app", cwd=work, timeout=60) == "v1\n"
    run_tool("oras", "manifest", "fetch", "--plain-http", f"{registry}/demo/app:v1", cwd=work, timeout=60)
    skopeo = ("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{registry}/demo/app:v1")
    run_tool(*skopeo, cwd=work, timeout=60)
    assert udist("logout", registry) == (0, f"logged out of {registry}\n", "")
    assert document_of(home) == {"auths": {}}
    assert udist("tags", f"docker://{registry}/demo/app").code == 1
    again = udist("logout", registry)
    assert (again.code, again.out, again.err) == (0, "", f"udist: {file} has no login for {registry}\n")


def test_a_login_of_another_tool_is_forgotten(udist: Udist, home: Path, registry: str, work: Path) -> None:
    words = ("login", "--plain-http", "-u", "me", "-p", "secret", registry)
    run_tool("oras", *words, cwd=work, timeout=60)
    assert udist("logout", registry).out == f"logged out of {registry}\n"
    assert document_of(home)["auths"] == {}


def test_a_wrong_password_is_not_kept(
    udist: Udist, home: Path, registry: str, typed: Callable[[str], None]
) -> None:
    typed("wrong")
    ran = udist("login", registry, "-u", "me", "--password-stdin", "--json")
    assert (ran.code, json.loads(ran.err)["errors"][0]["code"]) == (1, "UNAUTHORIZED")
    assert not (home / ".docker").exists()


def test_a_terminal_is_asked_for_the_login_and_does_not_show_the_password(home: Path, registry: str) -> None:
    screen, terminal = pty.openpty()
    running = subprocess.Popen(
        [*COMMAND, "login", registry],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(terminal)
    shown = b""
    for prompt, answer in ((b"Username: ", b"me\n"), (b"Password: ", b"secret\n")):
        while not shown.endswith(prompt):
            shown += os.read(screen, 1024)
        os.write(screen, answer)
    out, _ = running.communicate(timeout=30)
    os.close(screen)
    assert (running.returncode, b"logged in to " in out) == (0, True)
    assert b"secret" not in shown
    assert document_of(home)["auths"] == {registry: {"auth": AUTH}}


def test_a_token_server_is_asked(
    udist: Udist, home: Path, typed: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = TokenIssuer(home)
    monkeypatch.delenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY")
    with serving(issuer.answer) as tokens:
        token = {
            "realm": f"http://127.0.0.1:{tokens.port}/token",
            "service": SERVICE,
            "issuer": ISSUER,
            "rootcertbundle": str(issuer.certificate),
        }
        with guarded("registry", home, {"token": token}) as registry:
            for password, code in (("wrong", 1), ("secret", 0)):
                typed(password)
                assert udist("login", registry, "-u", "me", "--password-stdin").code == code
    assert document_of(home)["auths"] == {registry: {"auth": AUTH}}


def test_the_rest_of_the_file_is_kept(
    udist: Udist, home: Path, stock: str, monkeypatch: pytest.MonkeyPatch, typed: Callable[[str], None]
) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("DOCKER_CONFIG")
    real = home / "real.json"
    other = {"auth": base64.b64encode(b"you:x").decode()}
    entries = {"r.test": other, f"http://{stock}/v1/": other}
    real.write_text(json.dumps({"auths": entries, "psFormat": "{{.ID}}", "new": [1]}))
    real.chmod(0o644)
    (home / ".docker").mkdir()
    (home / ".docker/config.json").symlink_to(real)
    typed("secret")
    ran = udist("login", stock, "-u", "me", "--password-stdin")
    assert "asks for no login, so the password was not checked" in ran.err
    assert json.loads(real.read_text()) == {
        "auths": {"r.test": other, stock: {"auth": AUTH}},
        "psFormat": "{{.ID}}",
        "new": [1],
    }
    assert (home / ".docker/config.json").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert not list(home.rglob(".udist-*"))


@pytest.mark.parametrize("setting", ["credsStore", "credHelpers"])
def test_a_helper_keeps_the_login(
    udist: Udist,
    home: Path,
    registry: str,
    setting: str,
    monkeypatch: pytest.MonkeyPatch,
    typed: Callable[[str], None],
) -> None:
    helper(home, monkeypatch, f'cat > "{home}/$1.said"; [ $1 != get ] || cat "{home}/store.said"')
    (home / ".docker").mkdir()
    settings: dict[str, Any] = {setting: "test" if setting == "credsStore" else {registry: "test"}}
    (home / ".docker/config.json").write_text(json.dumps(settings))
    typed("secret")
    ran = udist("login", registry, "-u", "me", "--password-stdin", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == {"registry": registry, "username": "me", "place": "docker-credential-test"}
    stored = json.loads((home / "store.said").read_text())
    assert stored == {"ServerURL": registry, "Username": "me", "Secret": "secret"}
    assert document_of(home) == {**settings, "auths": {registry: {}}}
    assert udist("tags", f"docker://{registry}/nothing").code == 3
    udist("logout", registry)
    assert (home / "erase.said").read_text() == registry
    assert document_of(home) == {**settings, "auths": {}}


def test_a_helper_that_fails_changes_nothing(
    udist: Udist, home: Path, stock: str, monkeypatch: pytest.MonkeyPatch, typed: Callable[[str], None]
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(home))
    helper(home, monkeypatch, "echo locked; exit 1")
    before = json.dumps({"credsStore": "test"})
    (home / "config.json").write_text(before)
    typed("secret")
    ran = udist("login", stock, "-u", "me", "--password-stdin")
    assert ran.code == 1
    assert ran.err.endswith("names a helper that failed: docker-credential-test: locked\n")
    assert udist("logout", stock).code == 1
    (home / "config.json").write_text(json.dumps({"credsStore": "absent"}))
    assert "docker-credential-absent is not installed" in udist("logout", stock).err
    (home / "config.json").write_text("[")
    assert "config.json: cannot be read: " in udist("logout", stock).err


def test_a_login_that_another_one_hides_is_told(
    udist: Udist, home: Path, stock: str, monkeypatch: pytest.MonkeyPatch, typed: Callable[[str], None]
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))
    (home / "containers").mkdir()
    first = home / "containers/auth.json"
    first.write_text(json.dumps({"auths": {stock: {"auth": AUTH}}}))
    typed("other")
    assert f"in {first} is found first\n" in udist("login", stock, "-u", "me", "--password-stdin").err
    assert f"in {first} is still there\n" in udist("logout", stock).err
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(first))
    assert udist("logout", stock).err == ""
    assert json.loads(first.read_text()) == {"auths": {}}


def test_docker_hub_has_a_key_of_its_own(udist: Udist, home: Path) -> None:
    (home / ".docker").mkdir()
    entries = {"https://index.docker.io/v1/": {"auth": AUTH}}
    (home / ".docker/config.json").write_text(json.dumps({"auths": entries}))
    assert udist("logout", "docker.io").out == "logged out of docker.io\n"
    assert document_of(home) == {"auths": {}}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["https://ghcr.io"], "'https://ghcr.io': give the host alone: 'ghcr.io'"),
        (["ghcr.io/demo/app"], "'ghcr.io/demo/app': give the host alone: 'ghcr.io'"),
        (["registry"], "'registry' is not a registry; expected HOST[:PORT]"),
        (["ghcr.io:port"], "is not a registry"),
        (["r.test", "-u", "a:b", "-p", "x"], "'a:b' is not a user's name"),
        (["r.test", "-u", "me"], "there is no terminal to ask for a password; use --password-stdin"),
        (["r.test", "--password-stdin"], "give the user with --username"),
        (["r.test", "-u", "me", "--password-stdin"], "the password is empty"),
        (["r.test", "-u", "me", "-p", "x", "--password-stdin"], "not allowed with"),
    ],
)
def test_wrong_command_lines(
    udist: Udist, home: Path, words: list[str], said: str, typed: Callable[[str], None]
) -> None:
    typed("")
    ran = udist("login", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_password_among_the_words_is_warned_of(udist: Udist, home: Path, registry: str) -> None:
    ran = udist("login", registry, "-u", "me", "-p", "secret")
    assert ran.code == 0
    assert ran.err.splitlines()[0] == (
        "udist: a password on the command line is seen by other users; use --password-stdin"
    )

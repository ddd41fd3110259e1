"""``udist sign``, ``udist verify`` and ``udist policy check``."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.images.policy.documents import ACCEPT, REJECT, policy, scoped, sigstore
from tests.images.signatures.conftest import KeyPair, make_key
from tests.images.signatures.test_gpg import Gpg, payload, somebody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Ran

    Udist = Callable[..., Ran]

IDENTITY = "registry.example.com/demo/app:v1"


@pytest.fixture
def pair(work: Path, udist: Udist, monkeypatch: pytest.MonkeyPatch) -> KeyPair:
    """A key pair with a password, beside the image ``demo/app:v1``."""
    monkeypatch.setenv("COSIGN_PASSWORD", "secret")
    udist("push", "demo/app:v1", "README.md")
    return make_key(work, password=b"secret")


def test_what_is_signed_is_verified(udist: Udist, pair: KeyPair) -> None:
    digest = udist("digest", "demo/app:v1").out.strip()
    assert udist("verify", "demo/app:v1", "--key", "cosign.pub").code == 5
    ran = udist("sign", "demo/app:v1", "--key", "cosign.key", "--identity", IDENTITY)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[:2] == [digest, f"{digest.replace(':', '-')}.sig"]
    referrer = ran.out.splitlines()[2]
    for words in (("demo/app:v1",), (f"demo/app@{digest}",), ("demo/app:v1", "--identity", IDENTITY)):
        ran = udist("verify", *words, "--key", "cosign.pub")
        assert (ran.code, ran.err) == (0, "")
        assert [line.split() for line in ran.out.splitlines()] == [
            [digest],
            [f"{digest.replace(':', '-')}.sig", IDENTITY],
            [referrer, IDENTITY],
        ]
    shown = json.loads(udist("verify", "demo/app:v1", "--key", "cosign.pub", "--json").out)
    assert shown["digest"] == digest
    assert [each["reference"] for each in shown["signatures"]] == [IDENTITY] * 2


@pytest.mark.parametrize("tag", ["demo/app:v1", "demo/app"])
def test_without_an_identity_the_reference_is_signed(udist: Udist, pair: KeyPair, tag: str) -> None:
    udist("push", "demo/app", "README.md")
    assert udist("sign", tag, "--key", str(pair.private), "--json").code == 0
    out = udist("verify", tag, "--key", str(pair.public)).out
    assert out.split()[2] == ("demo/app:v1" if ":" in tag else "demo/app:latest")


def test_one_of_several_keys_has_to_fit(udist: Udist, pair: KeyPair, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other")
    udist("sign", "demo/app:v1", "--key", str(pair.private))
    both = ("--key", str(other.public), "--key", str(pair.public))
    assert udist("verify", "demo/app:v1", *both).code == 0
    ran = udist("verify", "demo/app:v1", *both[:2])
    assert ran.code == 5
    assert "has no signature that counts" in ran.err
    assert ran.err.count("not made by the key, or changed since") == 2
    ran = udist("verify", "demo/app:v1", *both[:2], "--json")
    (error,) = json.loads(ran.err)["errors"]
    assert (ran.code, error["code"], len(error["detail"]["reasons"])) == (5, "NOT_SIGNED", 2)


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("verify", "demo/app:v1", "--key", "none.pub"), 1, "none.pub: cannot be read: No such file"),
        (("verify", "demo/app:v1", "--key", "README.md"), 1, "README.md: holds no public key in PEM"),
        (("verify", "demo/app:v1", "--key", "cosign.key"), 1, "cosign.key: holds a private key"),
        (("sign", "demo/app:v1", "--key", "cosign.pub"), 1, "cosign.pub: holds a public key"),
        (("verify", "demo/app:v2", "--key", "cosign.pub"), 3, "manifest unknown"),
        (("sign", "demo/none:v1", "--key", "cosign.key"), 3, "known"),
        (("sign", "demo/app:v1", "--key", "cosign.key", "--identity", "A:v1"), 2, "capital letters"),
        (("sign", "demo/app:v1", "--key", "cosign.key", "--identity", "a/b"), 2, "write a/b:TAG"),
        (("sign", "oci:README.md", "--key", "cosign.key"), 3, "there is no OCI layout"),
        (("verify", "demo/app:v1"), 2, "--key"),
    ],
)
def test_what_goes_wrong_is_said(udist: Udist, words: tuple[str, ...], code: int, message: str) -> None:
    ran = udist(*words)
    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err


@pytest.mark.usefixtures("pair")
def test_a_wrong_password_and_none(udist: Udist, monkeypatch: pytest.MonkeyPatch) -> None:
    sign = ("sign", "demo/app:v1", "--key", "cosign.key")
    monkeypatch.setenv("COSIGN_PASSWORD", "wrong")
    ran = udist(*sign)
    assert ran.code == 1
    assert "cosign.key: cannot be decrypted: the password is wrong" in ran.err
    monkeypatch.delenv("COSIGN_PASSWORD")
    with open(os.devnull) as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        ran = udist(*sign)
    assert ran.code == 1
    assert "needs its password; set COSIGN_PASSWORD" in ran.err


@pytest.mark.usefixtures("pair")
def test_an_empty_password_is_one(udist: Udist, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSIGN_PASSWORD", "")
    pair = make_key(work / "empty")
    assert udist("sign", "demo/app:v1", "--key", str(pair.private)).code == 0


def sign_on_a_terminal(answer: bytes) -> tuple[int, bytes, bytes]:
    """What ``udist sign`` does if ``answer`` is typed as the password: exit code, output, and what the
    terminal shows."""
    words = ("-m", "udist_plugin.cli.main", "sign", "demo/app:v1", "--key", "cosign.key")
    environ = {name: value for name, value in os.environ.items() if name != "COSIGN_PASSWORD"}
    parent, child = pty.openpty()
    with os.fdopen(parent, "r+b", buffering=0) as terminal:
        process = subprocess.Popen(
            [sys.executable, *words],
            stdin=child,
            stdout=subprocess.PIPE,
            stderr=child,
            env=environ,
            start_new_session=True,
        )
        os.close(child)
        shown = b""
        while not shown.endswith(b"Password of cosign.key: "):
            shown += terminal.read(100)
        terminal.write(answer)
        out, _ = process.communicate(timeout=60)
        with suppress(OSError):  # EIO, at the end of what the process has written
            while more := terminal.read(4096):
                shown += more
    return process.returncode, out, shown


@pytest.mark.usefixtures("pair")
def test_the_password_is_asked_for_on_a_terminal(udist: Udist) -> None:
    code, out, _ = sign_on_a_terminal(b"secret\n")
    assert code == 0
    assert out.startswith(b"sha256:")
    assert udist("verify", "demo/app:v1", "--key", "cosign.pub").code == 0


@pytest.mark.usefixtures("pair")
def test_no_password_is_typed() -> None:
    code, out, shown = sign_on_a_terminal(b"\4")
    assert (code, out) == (1, b"")
    assert b"udist: cosign.key: needs its password, and none was typed" in shown


@pytest.mark.usefixtures("work")
def test_without_the_extra_the_error_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['cryptography'] = sys.modules['cryptography.exceptions'] = None\n"
        "from udist_plugin.cli.running import run\n"
        "sys.exit(run(['verify', 'demo/app:v1', '--key', 'cosign.pub']))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 1
    assert "pip install '.[signing]' in a checkout of udist" in ran.stderr


@pytest.fixture
def policy_file(work: Path) -> Path:
    path = work / "policy.json"
    scopes = {
        "host.com:5000/team": [ACCEPT],
        "*.example.com": [ACCEPT, {"type": "sigstoreSigned", "keyPath": "a"}],
    }
    path.write_text(json.dumps({"default": [REJECT], "transports": {"docker": scopes}}))
    return path


@pytest.mark.usefixtures("policy_file")
def test_check_shows_every_rule(udist: Udist) -> None:
    ran = udist("policy", "check", "policy.json")
    assert (ran.code, ran.err) == (0, "")
    assert [line.split(maxsplit=1) for line in ran.out.splitlines()] == [
        ["transports.docker['host.com:5000/team']", "insecureAcceptAnything"],
        ["transports.docker['*.example.com']", "insecureAcceptAnything, sigstoreSigned"],
        ["default", "reject"],
    ]


@pytest.mark.parametrize(
    ("image", "place"),
    [
        ("docker://host.com:5000/team/app", "transports.docker['host.com:5000/team']"),
        ("docker://a.example.com:443/app", "transports.docker['*.example.com']"),
        ("docker://example.com/app", "default"),
        ("oci:/srv/app:v1", "default"),
    ],
)
def test_check_names_the_rule_of_an_image(
    udist: Udist, policy_file: Path, monkeypatch: pytest.MonkeyPatch, image: str, place: str
) -> None:
    ran = udist("policy", "check", "policy.json", image)
    assert (ran.code, ran.err) == (0, "")
    assert f"rule:   {place}\n" in ran.out
    monkeypatch.setenv("CONTAINERS_POLICY_JSON", str(policy_file))
    assert udist("policy", "check", image).out == ran.out
    shown = json.loads(udist("policy", "check", image, "--json").out)
    assert (shown["rule"]["place"], shown["policy"]) == (place, str(policy_file))


def test_check_fails_for_what_matches_nothing(udist: Udist, work: Path) -> None:
    (work / "policy.json").write_text(scoped("docker", "host.com/team/", "*.a.com/b", "localhost", "c.com"))
    ran = udist("policy", "check", "policy.json")
    assert ran.code == 4
    assert ran.err.splitlines() == [
        "udist: transports.docker['localhost'] (policy.json): matches only references without a port",
        "udist: transports.docker['host.com/team/'] (policy.json): matches nothing: ends with a slash; "
        "write 'host.com/team'",
        "udist: transports.docker['*.a.com/b'] (policy.json): matches nothing: a wildcard is for hosts and "
        "has no path; write '*.a.com'",
    ]
    ran = udist("policy", "check", "policy.json", "--json")
    errors = json.loads(ran.err)["errors"]
    assert [error["code"] for error in errors] == ["POLICY_INVALID"] * 2
    assert [each["never"] for each in json.loads(ran.out)["findings"]] == [True, True, False]


def test_check_names_a_scope_that_the_image_just_misses(udist: Udist, work: Path) -> None:
    (work / "policy.json").write_text(scoped("docker", "host.com/team"))
    ran = udist("policy", "check", "policy.json", "docker://host.com:5000/team/app")
    assert ran.code == 0
    assert "does not match without the port; write 'host.com:5000/team'" in ran.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("none.json",), 4, "none.json: there is no such file"),
        (("wrong.json",), 4, "default[0] (wrong.json): unknown key 'keyPatth'; did you mean 'keyPath'?"),
        (("good.json", "docker:busybox"), 2, "docker:busybox: expected docker://HOST"),
        (("good.json", "a:b"), 2, "write docker://a:b"),
        (("host:5000/a",), 2, "write docker://host:5000/a"),
        (("good.json", "docker://a", "b"), 2, "unrecognized arguments: b"),
    ],
)
def test_check_says_what_is_wrong(
    udist: Udist, work: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    (work / "good.json").write_text(policy(REJECT))
    (work / "wrong.json").write_text(sigstore(keyPatth="a"))
    ran = udist("policy", "check", *words)
    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err


def test_check_of_a_file_with_a_colon(udist: Udist, work: Path) -> None:
    (work / "a:b.json").write_text(policy(REJECT))
    assert udist("policy", "check", "a:b.json").out.split() == ["default", "reject"]


@pytest.fixture
def signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gpg]:
    yield from somebody(tmp_path_factory.mktemp("gpg"))


def test_an_image_of_a_registry_by_keys_of_both_kinds(
    udist: Udist, pair: KeyPair, work: Path, signer: Gpg, stock: str
) -> None:
    """In the registry, and where registries.d says; by the image's own name."""
    (work / "team.gpg").write_bytes(signer.public())
    folder = work / "home/containers/registries.d"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text(f"default-docker: {{lookaside: 'file://{work}/signatures'}}")
    name = f"{stock}/demo/app"
    image = f"docker://{name}:v1"
    digest = udist("copy", "udist:demo/app:v1", image, "--insecure-policy").out.strip()
    assert udist("sign", image, "--key", str(pair.private)).code == 0
    assert f"{name}:v1" in udist("verify", image, "--key", str(pair.public)).out
    ran = udist("verify", image, "--key", "team.gpg")
    assert (ran.code, "not made by the key" in ran.err) == (5, True)
    beside = work / f"signatures/demo/app@{digest.replace(':', '=')}/signature-1"
    beside.parent.mkdir(parents=True)
    beside.write_bytes(signer.sign(payload(digest, f"{name}:v1")))
    shown = json.loads(udist("verify", image, "--key", "team.gpg", "--json").out)
    assert shown["signatures"] == [{"place": f"file://{beside}", "reference": f"{name}:v1"}]
    both = ("--key", "team.gpg", "--key", str(pair.public), "--json")
    assert len(json.loads(udist("verify", image, *both).out)["signatures"]) == 3

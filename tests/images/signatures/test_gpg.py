"""GPG's simple signatures beside a registry, judged as containers/image judges them."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from tests.images.policy.documents import policy, sigstore
from tests.images.policy.judge import Question, ask
from tests.images.signatures.attaching import NAME
from tests.images.signatures.conftest import Image, base64_of, make_key
from tests.tools import require_tool
from udist_plugin.errors import KeyInvalid, PolicyRejected, PolicyUnsupported, SignatureError
from udist_plugin.images.policy.evaluating import check_image
from udist_plugin.images.policy.names import policy_image
from udist_plugin.images.policy.policy import Policy
from udist_plugin.images.signatures.attached import ALL_SIZES_MAX, SIZE_MAX, Attached
from udist_plugin.images.signatures.gpg import Keyring
from udist_plugin.images.signatures.lookaside import COUNT_MAX, find_lookaside, signature_file
from udist_plugin.images.signatures.simple_signing import GPG, MEDIA_TYPE, SIGNATURE, Claim
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ZEROS = "sha256:" + "0" * 64


class Gpg:
    """Somebody with a key in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str, content: bytes = b"") -> bytes:
        options = ("--homedir", str(self.folder), "--batch", "--yes", "--passphrase", "", "--quiet")
        command = [require_tool("gpg"), *options, "--pinentry-mode", "loopback", *words]
        done = subprocess.run(command, input=content, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def sign(self, payload: bytes, *words: str) -> bytes:
        return self.run(*words, "--sign", content=payload)

    def public(self, *words: str) -> bytes:
        return self.run(*words, "--export")


def somebody(folder: Path, *words: str) -> Iterator[Gpg]:
    folder.chmod(0o700)
    gpg = Gpg(folder)
    gpg.run(*words, "--quick-gen-key", "Some Body <somebody@example.com>", "rsa2048", "sign", "1d")
    try:
        yield gpg
    finally:  # the agent that it has started
        subprocess.run(
            [require_tool("gpgconf"), "--homedir", str(folder), "--kill", "all"], check=True, timeout=60
        )


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gpg]:
    yield from somebody(tmp_path_factory.mktemp("signer"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gpg]:
    yield from somebody(tmp_path_factory.mktemp("other"))


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gpg]:
    yield from somebody(tmp_path_factory.mktemp("expired"), "--faked-system-time", "20200101T000000")


def payload(digest: str, reference: str, **changes: object) -> bytes:
    critical = {
        "type": GPG,
        "image": {"docker-manifest-digest": digest},
        "identity": {"docker-reference": reference},
    }
    return json.dumps({"critical": critical, "optional": {}} | changes).encode()


def policy_for(*keys: bytes, **fields: object) -> str:
    joined = base64_of(b"".join(keys))
    return policy({"type": "signedBy", "keyType": "GPGKeys", "keyData": joined, **fields})


class Lookaside:
    """A folder of signatures, and what both make of them."""

    def __init__(self, image: Image, root: Path) -> None:
        self._image = image
        self.root = root
        self.url = f"file://{root}"
        self._folder = root / f"{NAME}@{image.digest.replace(':', '=')}"
        self._folder.mkdir(parents=True)

    def write(self, *signatures: bytes) -> None:
        for number, content in enumerate(signatures, 1):
            (self._folder / f"signature-{number}").write_bytes(content)

    def reason(self, policy: str, reference: str | None = None) -> str | None:
        """Why udist rejects the image, or nothing. containers/image has the same verdict."""
        name = f"docker://{reference or f'{self._image.name}:v1'}"
        (answer,) = ask([Question(policy, name, attached=True)], self.url)
        reason = self.own_reason(policy, name)
        assert answer.loads
        assert answer.allowed is (reason is None), answer.problem or reason
        return reason

    def own_reason(self, policy: str, name: str) -> str | None:
        manifest = self._image.registry.get_manifest(NAME, self._image.digest).content
        base = f"{self.url}/{NAME}"
        try:
            check_image(
                Policy.parse(policy.encode()),
                policy_image(name),
                manifest,
                lambda: find_lookaside(base, Digest(self._image.digest)),
            )
        except (PolicyRejected, KeyInvalid) as error:
            return str(error)
        return None


@pytest.fixture
def lookaside(image: Image, tmp_path: Path) -> Lookaside:
    return Lookaside(image, tmp_path / "lookaside")


def test_a_signature_by_the_key_is_accepted(
    image: Image, lookaside: Lookaside, signer: Gpg, other: Gpg
) -> None:
    signature = signer.sign(payload(image.digest, f"{image.name}:v1"))
    lookaside.write(other.sign(payload(image.digest, f"{image.name}:v1")), signature)
    assert lookaside.reason(policy_for(signer.public())) is None
    assert lookaside.reason(policy_for(signer.public("--armor"))) is None
    assert lookaside.reason(policy_for(other.public(), signer.public())) is None
    assert lookaside.reason(policy_for(signer.public()), image.by_digest) is None
    assert lookaside.reason(policy_for(signer.public()), f"{image.name}:v2") is not None
    anywhere = {"type": "matchRepository"}
    assert lookaside.reason(policy_for(signer.public(), signedIdentity=anywhere), f"{image.name}:v2") is None


def test_no_signature_and_one_by_another_key(
    image: Image, lookaside: Lookaside, signer: Gpg, other: Gpg
) -> None:
    assert "there is no such signature" in (lookaside.reason(policy_for(signer.public())) or "")
    lookaside.write(other.sign(payload(image.digest, f"{image.name}:v1")))
    assert "not made by the key" in (lookaside.reason(policy_for(signer.public())) or "")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"digest": ZEROS}, f"signed for the digest {ZEROS}"),
        ({"reference": "example.com/other:v1"}, "signed for another name, 'example.com/other:v1'"),
        ({"optional": None}, "optional: expected an object"),
        ({"optional": {"creator": 1}}, "optional.creator: expected a string"),
        ({"optional": {"timestamp": 1.5}}, "optional.timestamp: expected an integer"),
        ({"optional": {"timestamp": 1e300}}, "optional.timestamp: expected an integer"),
        ({"optional": {"timestamp": 2**63}}, "optional.timestamp: expected an integer"),
        ({"optional": {"timestamp": True}}, "optional.timestamp: expected an integer"),
        ({"more": 1}, "unknown key 'more'"),
        ({"critical": {}}, "is missing"),
    ],
)
def test_a_signature_of_something_else(
    image: Image, lookaside: Lookaside, signer: Gpg, changes: dict[str, object], problem: str
) -> None:
    given = {"digest": image.digest, "reference": f"{image.name}:v1"} | changes
    lookaside.write(signer.sign(payload(**given)))  # type: ignore[arg-type]
    assert problem in (lookaside.reason(policy_for(signer.public())) or "")


def test_what_is_no_signature(image: Image, lookaside: Lookaside, signer: Gpg) -> None:
    text = payload(image.digest, f"{image.name}:v1")
    good = signer.sign(text)
    detached = signer.run("--detach-sign", content=text)
    literal = signer.run("--store", content=text)
    hidden = signer.run("--passphrase", "x", "--symmetric", content=good)
    twice = signer.sign(text + text)
    for content in (b"x", text, detached, literal, hidden, twice, good[:-20], b"\0unknown\n" + good):
        lookaside.write(content)
        assert lookaside.reason(policy_for(signer.public())) is not None
    lookaside.write(b"\0simple-signing\n" + good)
    assert lookaside.reason(policy_for(signer.public())) is None


def test_a_file_name_cannot_pass_for_gpgs_verdict(image: Image, lookaside: Lookaside, signer: Gpg) -> None:
    """Nobody has signed the message. Its file name looks like lines of status, if they are split as text."""
    listed = signer.run("--with-colons", "--list-keys").decode().splitlines()
    fingerprint = next(line.split(":")[9] for line in listed if line.startswith("fpr"))
    for end, space in (("\u2028", "\u00a0"), ("\u0085", "\u3000")):
        lines = ["x", f"[GNUPG:]{space}GOODSIG", f"[GNUPG:]{space}VALIDSIG{space}{fingerprint}", ""]
        name = end.join(lines).encode()
        literal = b"b%c%b\0\0\0\0%b" % (len(name), name, payload(image.digest, f"{image.name}:v1"))
        lookaside.write(b"\xcb\xff" + len(literal).to_bytes(4, "big") + literal)
        assert "not made by the key" in (lookaside.reason(policy_for(signer.public())) or "")


def test_a_key_that_has_expired(image: Image, lookaside: Lookaside, expired: Gpg) -> None:
    text = payload(image.digest, f"{image.name}:v1")
    lookaside.write(expired.sign(text, "--faked-system-time", "20200101T000000"))
    assert lookaside.reason(policy_for(expired.public())) is not None


def test_the_users_own_keys_do_not_count(
    image: Image, lookaside: Lookaside, signer: Gpg, other: Gpg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GNUPGHOME", str(signer.folder))
    lookaside.write(signer.sign(payload(image.digest, f"{image.name}:v1")))
    assert lookaside.reason(policy_for(other.public())) is not None


def test_a_file_without_keys(lookaside: Lookaside) -> None:
    assert lookaside.reason(policy_for(b"no key")) == "default of the policy: holds no public GPG key"


def test_gpg_that_takes_too_long_over_a_key_is_an_error_of_ours(
    signer: Gpg, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("udist_plugin.images.signatures.gpg.PATIENCE", 0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(KeyInvalid, match="keys: gpg took longer than 0 s"):
        Keyring([("keys", signer.public())])
    assert list(tmp_path.iterdir()) == []


def test_without_gpg_the_error_says_so(
    image: Image, lookaside: Lookaside, signer: Gpg, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = policy_for(signer.public())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SignatureError, match="need the program gpg; install GnuPG"):
        lookaside.own_reason(keys, f"docker://{image.name}:v1")


@pytest.mark.parametrize(
    "text",
    [
        policy({"type": "signedBy", "keyType": "X509Certificates", "keyPath": "a"}),
        policy({"type": "signedBaseLayer", "baseLayerIdentity": {"type": "matchExact"}}),
        policy({"type": "sigstoreSigned", "keyData": "eA==", "rekorPublicKeyPath": "a"}),
        policy({"type": "sigstoreSigned", "pki": {"caRootsPath": "a", "subjectEmail": "b"}}),
    ],
)
def test_what_is_not_supported_is_said_and_rejected(text: str) -> None:
    image = policy_image("docker://example.com/app:v1")
    with pytest.raises(PolicyUnsupported, match="which udist does not support"):
        check_image(Policy.parse(text.encode()), image, b"{}", list)


def test_a_lookaside_has_signatures_of_cosigns_form_too(image: Image) -> None:
    document = {"mimeType": "a/b", "payload": base64_of(b"signed"), "annotations": {"key": "value"}}
    found = signature_file("place", b"\0sigstore-json\n" + json.dumps(document).encode())
    assert (found.content, found.is_gpg) == (b"signed", False)
    assert found.layer is not None
    assert (found.layer.media_type, found.layer.annotations) == ("a/b", {"key": "value"})
    assert signature_file("place", b"\0sigstore-json\n{}").problem == "the key 'payload' is missing"
    assert signature_file("place", b"\0new\nx").problem == "a signature of an unknown format"
    assert signature_file("place", b" " * (SIZE_MAX + 1)).problem == "larger than 4 MiB"


def test_a_signature_of_cosigns_form_has_its_media_type(
    image: Image, lookaside: Lookaside, tmp_path: Path
) -> None:
    pair = make_key(tmp_path)
    claim = Claim(Digest(image.digest), f"{image.name}:v1").payload()
    annotations = {SIGNATURE: base64_of(pair.signer().sign(claim))}
    verdicts = {}
    for kind in (MEDIA_TYPE, f"{MEDIA_TYPE}.v2", "text/plain"):
        document = {"mimeType": kind, "payload": base64_of(claim), "annotations": annotations}
        lookaside.write(b"\0sigstore-json\n" + json.dumps(document).encode())
        verdicts[kind] = lookaside.reason(sigstore(keyPath=str(pair.public)))
    assert [kind for kind, reason in verdicts.items() if reason is None] == [MEDIA_TYPE]


class Handler(BaseHTTPRequestHandler):
    files: dict[str, bytes] = {}  # noqa: RUF012 - each server has a class of its own
    ended = Event()

    def do_GET(self) -> None:
        if self.path.startswith("/broken"):
            self.send_error(500)
            return
        if self.path.startswith("/slow"):
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):  # once nobody reads
                while not self.ended.wait(0.02):
                    self.wfile.write(b"x")
            return
        content = self.files.get(self.path)
        self.send_response(200 if content is not None else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.mark.parametrize("base", ["file:///a%00b", "file:///\ud800", "http://[", f"http://{'a' * 70}.com"])
def test_a_url_that_is_none(base: str) -> None:
    with pytest.raises(SignatureError, match="is no URL that can be read"):
        list(find_lookaside(base, Digest.of(b"x")))


def test_there_is_a_bound_on_how_much_a_lookaside_has(tmp_path: Path) -> None:
    folder = tmp_path / f"app@sha256={Digest.of(b'x').hex}"
    folder.mkdir()
    for number in range(1, ALL_SIZES_MAX // SIZE_MAX + 2):
        with (folder / f"signature-{number}").open("wb") as file:
            file.truncate(SIZE_MAX)
    with pytest.raises(SignatureError, match="or 64 MiB of them"):
        list(find_lookaside(f"file://{tmp_path}/app", Digest.of(b"x")))


def test_a_lookaside_by_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = Digest.of(b"x")
    below = f"@sha256={digest.hex}/signature-"
    files = {f"/some/app{below}1": b"one", f"/some/app{below}2": b"two"}
    files |= {f"/many/app{below}{number}": b"x" for number in range(1, COUNT_MAX + 5)}
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Own", (Handler,), {"files": files, "ended": Event()})
    )
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}"
    try:
        assert list(find_lookaside(f"{base}/some/app", digest)) == [
            Attached(f"{base}/some/app{below}1", content=b"one"),
            Attached(f"{base}/some/app{below}2", content=b"two"),
        ]
        assert list(find_lookaside(f"{base}/none/app", digest)) == []
        with pytest.raises(SignatureError, match="the server answered 500"):
            list(find_lookaside(f"{base}/broken/app", digest))
        with pytest.raises(SignatureError, match=f"more than {COUNT_MAX} signatures"):
            list(find_lookaside(f"{base}/many/app", digest))
        monkeypatch.setattr("udist_plugin.images.signatures.lookaside.PATIENCE", 1)
        with pytest.raises(SignatureError, match="it took longer than 1 s"):
            list(find_lookaside(f"{base}/slow/app", digest))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    with pytest.raises(SignatureError, match="cannot be read"):
        list(find_lookaside(f"{base}/some/app", digest))
    with pytest.raises(SignatureError, match="expected a file:, http: or https: URL"):
        list(find_lookaside("ftp://example.com/app", digest))
    with pytest.raises(SignatureError, match="Is a directory"):
        (tmp_path / f"app{below}1").mkdir(parents=True)
        list(find_lookaside(f"file://{tmp_path}/app", digest))

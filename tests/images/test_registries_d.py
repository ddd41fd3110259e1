"""``registries.d``: where signatures are looked for, and what skopeo makes of the same files."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.images.policy.documents import policy
from tests.images.policy.judge import Question, ask
from tests.images.sample import Layout
from tests.images.signatures.conftest import base64_of, make_key
from tests.images.signatures.test_gpg import Gpg, somebody
from tests.images.unjudged import copy_image as copy_any
from tests.remote.loopback import stock_registry
from tests.tools import require_tool, run_tool
from udist_plugin.errors import ConfigurationError, PolicyRejected, SignatureError
from udist_plugin.images.copying.copy import copy_image
from udist_plugin.images.docker import registries_d
from udist_plugin.images.docker.registries_d import storage_of
from udist_plugin.images.policy.policy import Policy
from udist_plugin.images.references import Named
from udist_plugin.images.syncing.sync import sync_images
from udist_plugin.images.system import SystemContext

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "registry.example.com:5000"


class Home:
    """A user's folder with files of ``registries.d``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".config/containers/registries.d"
        self.folder.mkdir(parents=True)
        self.warnings: list[str] = []
        self.system = SystemContext({"HOME": str(root)}, warn=self.warnings.append)

    def write(self, name: str, content: object) -> None:
        (self.folder / name).write_text(json.dumps(content))  # JSON is YAML

    def says(self, reference: str) -> tuple[str, str, bool | None]:
        return storage_of(Named.parse_image(reference), self.system.environ)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(registries_d, "FOLDERS", (str(tmp_path / "etc"), str(tmp_path / "usr")))
    return Home(tmp_path / "home")


def test_the_nearest_scope_that_says_something_counts_for_each_key(home: Home) -> None:
    home.write(
        "default.yaml", {"default-docker": {"lookaside": "file:///all", "use-sigstore-attachments": True}}
    )
    scopes = {
        f"{HOST}/team/app:v1": {"lookaside": "file:///one"},
        f"{HOST}/team/app": {"lookaside-staging": "file:///write"},
        f"{HOST}/team": {"sigstore": "https://old.example.com/s", "use-sigstore-attachments": False},
        "*.example.com": {"lookaside": "file:///wild", "sigstore-staging": "file:///older"},
        "docker.io/library": {"lookaside": "file:///official"},
    }
    home.write("scopes.yaml", {"docker": scopes})
    (home.folder / "notes.txt").write_text("no: [yaml")
    for reference, expected in {
        f"{HOST}/team/app:v1": ("file:///one/team/app", "file:///one/team/app", False),
        f"{HOST}/team/app:v2": ("https://old.example.com/s/team/app", "file:///write/team/app", False),
        f"{HOST}/team/sub/app": (
            "https://old.example.com/s/team/sub/app",
            "https://old.example.com/s/team/sub/app",
            False,
        ),
        f"{HOST}/teammate/app": ("file:///wild/teammate/app", "file:///older/teammate/app", True),
        "other.test/app": ("file:///all/app", "file:///all/app", True),
        "busybox": ("file:///official/library/busybox", "file:///official/library/busybox", True),
    }.items():
        assert home.says(reference) == expected, reference


def test_containers_image_agrees(home: Home) -> None:
    """On where signatures are read and written, for each image and each of many scopes."""
    names = [
        f"{host}/{path}"
        for host in ("registry.example.com:5000", "registry.example.com", "a.b.example.com", "example.com")
        for path in ("app:v1", "team/app:v1", "team/app:v2", f"team/app@sha256:{'0' * 64}", "teammate/app")
    ] + ["busybox", "team/app", "docker.io/library/busybox:v1"]
    scopes = [
        "registry.example.com:5000",
        "registry.example.com:5000/team",
        "registry.example.com:5000/team/app",
        "registry.example.com:5000/team/app:v1",
        f"registry.example.com/team/app@sha256:{'0' * 64}",
        "registry.example.com/team/",
        "*.example.com",
        "*.b.example.com",
        "docker.io",
        "docker.io/library/busybox",
        "busybox",
    ]
    keys = ["lookaside", "lookaside-staging", "sigstore", "sigstore-staging"]
    sections = {
        scope: {key: f"file:///{number}/{key}" for at, key in enumerate(keys) if (number + 1) >> at & 1}
        for number, scope in enumerate(scopes)
    }
    home.write("a.yaml", {"docker": dict(list(sections.items())[::2])})
    home.write("b.yaml", {"docker": dict(list(sections.items())[1::2])})
    for default in ({}, {"lookaside": "https://all.test/s/"}, {"sigstore-staging": "file:///staged"}):
        home.write("c.yaml", {"default-docker": default} if default else {})
        said = subprocess.run(
            [require_tool("containersimage"), "lookaside", str(home.folder)],
            input="".join(json.dumps(name) + "\n" for name in names),
            env={"HOME": str(home.root)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        theirs = [json.loads(line) for line in said.splitlines()]
        ours = [dict(zip(("read", "write"), home.says(name)[:2], strict=True)) for name in names]
        assert ours == theirs


def test_without_any_file_there_is_a_place_of_its_own(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    place = f"file://{home.root}/.local/share/containers/sigstore/team/app"
    assert home.says("a.test/team/app") == (place, place, None)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert home.says("a.test/team/app")[0] == "file:///var/lib/containers/sigstore/team/app"


def test_files_of_the_user_hide_those_of_the_system(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    folders = [
        "usr/registries.d",
        "usr/registries.rootless.d",
        "usr/registries.rootless.d/1000",
        "etc/registries.d",
        "etc/registries.rootless.d/1000",
    ]
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
        content = {"default-docker": {"lookaside": f"file:///{folder}"}}
        (tmp_path / folder / "a.yaml").write_text(json.dumps(content))
        assert home.says("a.test/app")[0] == f"file:///{folder}/app"
    home.write("a.yaml", {"default-docker": {"lookaside": "file:///mine"}})
    assert home.says("a.test/app")[0] == "file:///mine/app"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"default-docker": []}, "default-docker .*b.yaml:1.*: expected a mapping, not a list"),
        (
            {"docker": {"a.test": {"lookaside": {}}}},
            "docker.a.test.lookaside .*: expected text",
        ),
        (
            {"docker": {"a.test": {"use-sigstore-attachments": "maybe"}}},
            "use-sigstore-attachments .*: expected true or false",
        ),
        ({"default-docker": {}}, "there is a section for this in .*a.yaml"),
    ],
)
def test_files_that_are_wrong(home: Home, content: object, problem: str) -> None:
    home.write("a.yaml", {"default-docker": None, "more": 1})
    home.write("b.yaml", content)
    with pytest.raises(ConfigurationError, match=problem):
        home.says("a.test/app")


class Place:
    """``team/app:v1`` in a stock registry, and whose signatures count for it."""

    def __init__(self, registry: str, layout: Layout, home: Home, signer: Gpg) -> None:
        self.name = f"{registry}/team/app"
        self.registry = registry
        self.home = home
        self.digest = layout.image("v1")["digest"]
        self.rule = policy({"type": "signedBy", "keyType": "GPGKeys", "keyData": base64_of(signer.public())})
        copy_any(f"oci:{layout.root}:v1", f"docker://{self.name}:v1", system=home.system)

    def judged(self, name: str | None = None) -> None:
        """Copies the image, under the rule."""
        copy_image(
            f"docker://{name or f'{self.name}:v1'}",
            f"dir:{self.home.root / 'out'}",
            policy=Policy.parse(self.rule.encode()),
            system=self.home.system,
        )


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gpg]:
    yield from somebody(tmp_path_factory.mktemp("signer"))


@pytest.fixture
def place(tmp_path: Path, home: Home, signer: Gpg) -> Iterator[Place]:
    with stock_registry(tmp_path / "store", "registry") as port:
        yield Place(f"127.0.0.1:{port}", Layout(tmp_path / "layout"), home, signer)


def skopeo(home: Home, *words: str, **environment: str) -> None:
    run_tool(
        *("skopeo", "--insecure-policy", "--registries.d", str(home.folder), "copy", "-q", *words),
        cwd=home.root,
        timeout=60,
        **environment,
    )


TLS = ("--src-tls-verify=false", "--dest-tls-verify=false")


def test_what_skopeo_signs_counts(place: Place, home: Home, signer: Gpg, tmp_path: Path) -> None:
    """It writes to the one place and we read at the other, as a web server would publish it."""
    folder = tmp_path / "signatures"
    home.write("a.yaml", {"docker": {place.registry: {"lookaside-staging": f"file://{folder}"}}})
    with pytest.raises(PolicyRejected, match="there is no such signature"):
        place.judged()
    image = f"docker://{place.name}:v1"
    skopeo(home, *TLS, "--sign-by", "somebody@example.com", image, image, GNUPGHOME=str(signer.folder))
    with pytest.raises(PolicyRejected, match="there is no such signature"):
        place.judged()
    home.write("a.yaml", {"docker": {f"{place.registry}/team": {"lookaside": f"file://{folder}"}}})
    place.judged()
    copy_any(image, f"docker://{place.name}:v2", system=home.system)
    with pytest.raises(PolicyRejected, match="signed for another name"):
        place.judged(f"{place.name}:v2")
    (answer,) = ask([Question(place.rule, image, attached=True)], f"file://{folder}")
    assert answer.allowed


def test_a_sync_finds_them_too(place: Place, home: Home, signer: Gpg, tmp_path: Path) -> None:
    folder = tmp_path / "signatures"
    home.write("a.yaml", {"default-docker": {"lookaside": f"file://{folder}"}})
    image = f"docker://{place.name}:v1"
    source, out = f"docker://{place.name}", f"dir:{tmp_path / 'out'}"
    rule = Policy.parse(place.rule.encode())
    assert len(sync_images(source, out, policy=rule, system=home.system).failed) == 1
    skopeo(home, *TLS, "--sign-by", "somebody@example.com", image, image, GNUPGHOME=str(signer.folder))
    assert len(sync_images(source, out, policy=rule, system=home.system).copied) == 1


def test_they_go_along_with_an_image_and_skopeo_takes_them_on(
    place: Place, home: Home, signer: Gpg, tmp_path: Path
) -> None:
    home.write(
        "a.yaml",
        {
            "docker": {
                f"{place.registry}/team": {"lookaside": f"file://{tmp_path / 'one'}"},
                f"{place.registry}/our": {
                    "lookaside": f"file://{tmp_path / 'read'}",
                    "lookaside-staging": f"file://{tmp_path / 'two'}",
                },
                f"{place.registry}/their": {"lookaside": f"file://{tmp_path / 'three'}"},
            }
        },
    )
    image, ours = f"docker://{place.name}:v1", f"docker://{place.registry}/our/app:v1"
    skopeo(home, *TLS, "--sign-by", "somebody@example.com", image, image, GNUPGHOME=str(signer.folder))
    for _ in range(2):
        copy_any(image, ours, referrers=True, system=home.system)
    folder = f"app@{place.digest.replace(':', '=')}"
    (signature,) = (tmp_path / "two/our" / folder).iterdir()
    assert signature.read_bytes() == (tmp_path / "one/team" / folder / "signature-1").read_bytes()
    (tmp_path / "two").rename(tmp_path / "read")
    skopeo(home, *TLS, ours, f"docker://{place.registry}/their/app:v1")
    taken = tmp_path / "three/their" / folder / "signature-1"
    assert taken.read_bytes() == (tmp_path / "read/our" / folder / "signature-1").read_bytes()
    copy_any(image, f"oci:{tmp_path / 'out'}", referrers=True, system=home.system)
    assert home.warnings == ["the destination has no place for signatures of a lookaside; 1 left behind"]


def test_one_cannot_write_to_a_web_server(place: Place, home: Home, signer: Gpg, tmp_path: Path) -> None:
    home.write(
        "a.yaml",
        {
            "default-docker": {"lookaside": f"file://{tmp_path / 'one'}"},
            "docker": {f"{place.registry}/our": {"lookaside": "https://localhost/s"}},
        },
    )
    image = f"docker://{place.name}:v1"
    skopeo(home, *TLS, "--sign-by", "somebody@example.com", image, image, GNUPGHOME=str(signer.folder))
    with pytest.raises(SignatureError, match="set lookaside-staging to a file: URL"):
        copy_any(image, f"docker://{place.registry}/our/app:v1", referrers=True, system=home.system)


def test_signatures_in_the_registry_can_be_switched_off(place: Place, home: Home, tmp_path: Path) -> None:
    pair = make_key(tmp_path / "key")
    place.rule = policy({"type": "sigstoreSigned", "keyPath": str(pair.public)})
    image = f"docker://{place.name}:v1"
    key = pair.signer()
    copy_any(image, image, sign_by=key, system=home.system)
    place.judged()
    home.write("a.yaml", {"docker": {place.name: {"use-sigstore-attachments": False}}})
    with pytest.raises(PolicyRejected, match="there is no such signature"):
        place.judged()
    with pytest.raises(SignatureError, match="use-sigstore-attachments: false"):
        copy_any(image, image, sign_by=key, system=home.system)


def test_an_image_from_a_mirror_has_the_signatures_of_its_own_registry(
    place: Place, home: Home, signer: Gpg, tmp_path: Path
) -> None:
    """Also if one cannot ask for those of the mirror, and the reason is told where none is good."""
    image = f"docker://{place.name}:v1"
    copy_any(image, f"docker://{place.registry}/mirror/app:v1", system=home.system)
    (tmp_path / "registries.conf").write_text(
        f"""
        [[registry]]
        location = "{place.registry}/team"
        [[registry.mirror]]
        location = "{place.registry}/mirror"
        """
    )
    environ = {**home.system.environ, "CONTAINERS_REGISTRIES_CONF": str(tmp_path / "registries.conf")}
    home.system = home.system._replace(environ=environ)
    home.write(
        "a.yaml",
        {
            "docker": {
                f"{place.registry}/team": {"lookaside": f"file://{tmp_path / 'one'}"},
                f"{place.registry}/mirror": {"lookaside": "ftp://localhost/s"},
            }
        },
    )
    with pytest.raises(PolicyRejected, match=r"mirror/app:v1: .*expected a file:, http: or https: URL"):
        place.judged()
    skopeo(home, *TLS, "--sign-by", "somebody@example.com", image, image, GNUPGHOME=str(signer.folder))
    place.judged()

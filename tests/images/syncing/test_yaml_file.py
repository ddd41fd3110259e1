"""The file of ``skopeo sync``, which skopeo reads the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.house.generate import REPOSITORY
from tests.images.test_docker import HTPASSWD, guarded, logged_in
from tests.images.unjudged import copy_image, sync_images
from tests.remote.loopback import stock_registry
from tests.tools import run_tool
from udist_plugin.errors import ConfigurationError, ManifestUnknown, ReferenceInvalid
from udist_plugin.images.syncing.semver import by_semver
from udist_plugin.images.syncing.yaml_file import read_registries
from udist_plugin.images.system import SystemContext
from udist_plugin.remote.credentials.credential import Credential

if TYPE_CHECKING:
    from pathlib import Path

    from tests.images.syncing.conftest import Images, Store

FILE = """\
{registry}:
  tls-verify: false
  images:
    team/all: []
    team/some:
      - "1.0"
      - {digest}
  images-by-tag-regex:
    team/regex: ^1\\.[12]$
"""


def test_skopeo_and_we_read_the_same(images: Images, here: Store, there: Store, tmp_path: Path) -> None:
    digest = images.add(here, "team/some", "1.0", "2.0")
    other = images.add(here, "team/some", "other")
    images.add(here, "team/all", "a", "b")
    images.add(here, "team/regex", "1.0", "1.1", "1.2", "1.2-rc", "11.1")
    with stock_registry(tmp_path / "stock", "registry") as port:
        registry = f"127.0.0.1:{port}"
        sync_images(here.at(), f"docker://{registry}")
        (tmp_path / "file.yml").write_text(FILE.format(registry=registry, digest=other))
        result = sync_images(f"yaml:{tmp_path / 'file.yml'}", there.at("my/mirror"))
        run_tool(
            *("skopeo", "--insecure-policy", "sync", "--all", "--scoped"),
            *("--src", "yaml", "--dest", "dir", "file.yml", "taken"),
            cwd=tmp_path,
            timeout=60,
        )
    assert result.failed == []
    assert there.tags("my/mirror/team/some") == {"1.0": digest}
    assert there.registry.resolve_manifest("my/mirror/team/some", other).digest == other
    theirs = {
        str(path.parent.relative_to(tmp_path / "taken" / registry))
        for path in (tmp_path / "taken").rglob("manifest.json")
    }
    assert {synced.source.partition(f"{registry}/")[2] for synced in result.copied} == theirs


def test_credentials_and_failures(images: Images, here: Store, there: Store, tmp_path: Path) -> None:
    """What is not there is named, and the rest is copied."""
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    auth: dict[str, object] = {"htpasswd": {"realm": "r", "path": str(tmp_path / "htpasswd")}}
    digest = images.add(here, "team/app", "v1")
    with guarded("registry", tmp_path, auth) as registry:
        text = (
            f"{registry}:\n  credentials: {{username: me, password: secret}}\n"
            "  images: {team/app: [v1, v2], team/none: []}\n"
        )
        (tmp_path / "file.yml").write_text(text)
        target = f"docker://{registry}/team/app:v1"
        copy_image(here.at("team/app:v1"), target, system=logged_in(tmp_path, registry))
        result = sync_images(f"yaml:{tmp_path / 'file.yml'}", there.at(), system=SystemContext({}))
    assert there.tags("team/app") == {"v1": digest}
    assert {failure.reference for failure in result.failed} == {
        f"docker://{registry}/team/app:v2",
        "team/none",
    }
    assert any(isinstance(failure.error, ManifestUnknown) for failure in result.failed)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("quay.io: {image: {}}", r"quay.io.image \(.*:1\): unknown key; did you mean images"),
        ("quay.io: {credentials: {user: x}}", "credentials.user .*: unknown key; did you mean username"),
        ("quay.io: {images: {a: v1}}", "expected a list of tags and digests, not 'v1'"),
        ("quay.io: {images: [a]}", "expected a mapping, not a list"),
        ("quay.io:\n  tls-verify: maybe", r"tls-verify \(.*:2\): expected true or false, not 'maybe'"),
        ("quay.io: {images-by-tag-regex: {a: '['}}", "not a regular expression"),
        ("quay.io: {images-by-semver: {a: 'one'}}", "not a version constraint"),
        ("[1]", "expected a mapping"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(there: Store, tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "file.yml").write_text(text)
    with pytest.raises(ConfigurationError, match=problem):
        sync_images(f"yaml:{tmp_path / 'file.yml'}", there.at())


def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    page = (REPOSITORY / "udist_plugin/docs/repositories.md").read_text()
    (tmp_path / "file.yml").write_text(page.split("```text\n")[1].split("```")[0])
    (registry,) = read_registries(str(tmp_path / "file.yml"))
    assert (registry.host, registry.insecure) == ("registry.example.com", False)
    assert registry.login == Credential("john", "secret", source=f"{tmp_path / 'file.yml'}:9")
    tags = ["1.0", "1.13.1", "1.13.3", "3.11", "3.12.1", "4.0"]
    assert {name: choose(tags) for name, choose in registry.repositories.items()} == {
        "busybox": tags,
        "redis": ["1.0", "2.0"],
        "nginx": ["1.13.1"],
        "alpine": ["3.12.1"],
    }


def test_no_patterns_beside_a_file(there: Store) -> None:
    with pytest.raises(ReferenceInvalid, match="give no patterns"):
        sync_images("yaml:file.yml", there.at(), tags=["v1"])


TAGS = ["0.0.3", "0.2.3", "v1.2", "1.2.3-rc.1", "1.2.3", "1.2.10", "v1.3.0", "1.10.0", "2.0.0+a", "latest"]


@pytest.mark.parametrize(
    ("constraint", "chosen"),
    [
        (">= 1.3", ["v1.3.0", "1.10.0", "2.0.0+a"]),
        ("> 1.2", ["v1.3.0", "1.10.0", "2.0.0+a"]),
        ("<=1.2, >1", []),
        ("<=1.2, >1.0", ["v1.2", "1.2.3", "1.2.10"]),
        ("<=1.2, >=1.0", ["v1.2", "1.2.3", "1.2.10"]),
        ("<1.2.3", ["0.0.3", "0.2.3", "v1.2"]),
        ("~1.2.3", ["1.2.3", "1.2.10"]),
        ("~1", ["v1.2", "1.2.3", "1.2.10", "v1.3.0", "1.10.0"]),
        ("^1.2.3", ["1.2.3", "1.2.10", "v1.3.0", "1.10.0"]),
        ("^0.2", ["0.2.3"]),
        ("^0.0.3 || =2.0.0", ["0.0.3", "2.0.0+a"]),
        ("1.2.x", ["v1.2", "1.2.3", "1.2.10"]),
        ("1.2 - 1.2.9", ["v1.2", "1.2.3"]),
        ("!=1, <2", ["0.0.3", "0.2.3"]),
        (">=1.2.3-0 <1.2.10", ["1.2.3"]),
        (">=1.2.3-0", ["1.2.3-rc.1", "1.2.3", "1.2.10", "v1.3.0", "1.10.0", "2.0.0+a"]),
        ("*", ["0.0.3", "0.2.3", "v1.2", "1.2.3", "1.2.10", "v1.3.0", "1.10.0", "2.0.0+a"]),
    ],
)
def test_versions(constraint: str, chosen: list[str]) -> None:
    assert by_semver(constraint)(TAGS) == chosen

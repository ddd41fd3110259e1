"""Real tools push and pull byte for byte, whatever their user's files say.

docker needs a daemon, which the tests cannot run; ``test_client_files.py`` looks at the file that it reads.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.gateway.layout import CONTENT, blobs_of, digest_in, make_layout
from tests.gateway.users import TLS, users, users_and_schemes
from tests.storage.signatures.signer import OFFLINE
from tests.tools import require_tool
from udist_plugin.bootstrap.apps import create_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.gateway.udist import Home

IMAGE = "udist.localhost/demo/app:v1"


def crane(options: tuple[str, ...]) -> tuple[list[str], list[str]]:
    return ["crane", "push", "layout", IMAGE], ["crane", "pull", "--format=oci", IMAGE, "pulled"]


def oras(options: tuple[str, ...]) -> tuple[list[str], list[str]]:
    to, source = ([], []) if options else (["--to-plain-http"], ["--from-plain-http"])
    return (
        ["oras", "cp", "--from-oci-layout", *to, "layout:v1", IMAGE],
        ["oras", "cp", "--to-oci-layout", *source, IMAGE, "pulled:v1"],
    )


def regctl(options: tuple[str, ...]) -> tuple[list[str], list[str]]:
    return (
        ["regctl", "image", "copy", "ocidir://layout:v1", IMAGE],
        ["regctl", "image", "copy", IMAGE, "ocidir://pulled:v1"],
    )


def skopeo(options: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Debian's is too old to read ``CONTAINERS_REGISTRIES_CONF``."""
    command = ["skopeo", "--insecure-policy", "copy", "-q", "--preserve-digests"]
    to, source = ([], []) if options else (["--dest-tls-verify=false"], ["--src-tls-verify=false"])
    return (
        [*command, *to, "oci:layout:v1", f"docker://{IMAGE}"],
        [*command, *source, f"docker://{IMAGE}", "oci:pulled:v1"],
    )


@users_and_schemes
@pytest.mark.parametrize("tool", [crane, oras, regctl, skopeo])
def test_an_image_comes_back(
    tool: Callable[[tuple[str, ...]], tuple[list[str], list[str]]],
    user: Callable[[Home], None],
    options: tuple[str, ...],
    home: Home,
    tmp_path: Path,
) -> None:
    user(home)
    push, pull = tool(options)
    require_tool(push[0])
    digest = make_layout(tmp_path / "layout")
    home.succeed(*push, options=options, cwd=tmp_path)
    assert stored(home, "demo/app", "v1") == digest
    home.succeed(*pull, options=options, cwd=tmp_path)
    assert digest_in(tmp_path / "pulled") == digest
    assert blobs_of(tmp_path / "pulled") == blobs_of(tmp_path / "layout")


def stored(home: Home, name: str, tag: str) -> str:
    """The digest of a manifest in the store, whose blobs are all there."""
    root = f"{home.environ['XDG_DATA_HOME']}/udist"
    with create_app({"version": 0.1, "storage": {"filesystem": {"rootdirectory": root}}}) as app:
        return app.registry.resolve_manifest(name, tag).digest


@users_and_schemes
def test_helm(user: Callable[[Home], None], options: tuple[str, ...], home: Home, tmp_path: Path) -> None:
    user(home)
    require_tool("helm")
    http = () if options else ("--plain-http",)
    folder = tmp_path / "chart"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 0.1.0\n")
    (folder / "templates" / "empty.yaml").write_text("# nothing\n")
    home.succeed("helm", "package", "chart", cwd=tmp_path)
    package = tmp_path / "chart-0.1.0.tgz"
    pushed = package.read_bytes()
    home.succeed(
        "helm", "push", *http, package.name, "oci://udist.localhost/charts", options=options, cwd=tmp_path
    )
    package.unlink()
    pull = ("helm", "pull", *http, "oci://udist.localhost/charts/chart", "--version", "0.1.0")
    home.succeed(*pull, options=options, cwd=tmp_path)
    assert package.read_bytes() == pushed


@users
def test_cosign(user: Callable[[Home], None], home: Home, tmp_path: Path) -> None:
    """A signature as a referrer, cosign's default."""
    user(home)
    cosign = require_tool("keycosign")
    home.environ.update(OFFLINE, COSIGN_PASSWORD="", COSIGN_EXPERIMENTAL="1")
    image = f"udist.localhost/demo/app@{make_layout(tmp_path / 'layout')}"
    home.succeed(cosign, "generate-key-pair", cwd=tmp_path)
    home.succeed(*crane(())[0], cwd=tmp_path)
    home.succeed(cosign, "sign", "--key", "cosign.key", image, options=TLS, cwd=tmp_path)
    home.succeed(cosign, "verify", "--key", "cosign.pub", image, options=TLS, cwd=tmp_path)


def test_umoci_unpacks_what_skopeo_pulled(home: Home, tmp_path: Path) -> None:
    require_tool("umoci")
    make_layout(tmp_path / "layout")
    push, pull = skopeo(())
    home.succeed(*push, cwd=tmp_path)
    home.succeed(*pull, cwd=tmp_path)
    subprocess.run(
        ["umoci", "unpack", "--rootless", "--image", "pulled:v1", "bundle"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert (tmp_path / "bundle/rootfs/data").read_bytes() == CONTENT


@pytest.mark.skipif(os.getuid() != 0, reason="without privileges it needs a user namespace")
def test_buildah(home: Home, tmp_path: Path) -> None:
    require_tool("buildah")
    (tmp_path / "content").write_bytes(CONTENT)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY content /data\n")
    place = (
        "--storage-driver",
        "vfs",
        "--root",
        str(tmp_path / "storage"),
        "--runroot",
        str(tmp_path / "run"),
    )
    buildah = ("buildah", *place)
    home.succeed(*buildah, "bud", "--isolation", "chroot", "-t", "app", ".", cwd=tmp_path)
    home.succeed(*buildah, "push", "app", f"docker://{IMAGE}", cwd=tmp_path)
    home.succeed(*buildah, "rmi", "--all", "--force", cwd=tmp_path)
    name = home.succeed(*buildah, "from", "--pull-always", f"docker://{IMAGE}", cwd=tmp_path).strip()
    folder = home.succeed(*buildah, "mount", name, cwd=tmp_path).strip()  # a folder, with this driver
    assert (tmp_path / folder / "data").read_bytes() == CONTENT

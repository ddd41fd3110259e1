"""Other programs read what udist wrote, and udist what they wrote, byte for byte.

skopeo is Debian's; ``containersimage`` is a program of the tests' own on a current containers/image.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.images.sample import Layout, blobs_of, entries_of
from tests.images.unjudged import copy_image
from tests.remote.loopback import stock_registry
from tests.tools import run_tool
from udist_plugin.images.transports.udistribution import new_transport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Desk:
    """A folder to work in, with a layout of one image and of an index."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.layout = Layout(root / "layout")
        image = self.layout.image(compressed=True, listed=False)
        other = self.layout.image(platform="linux/arm64", layers=[b"arm"], compressed=True, listed=False)
        self.image: str = image["digest"]
        self.index: str = self.layout.image_index("index", image, other)["digest"]
        self.layout.add({key: image[key] for key in ("mediaType", "digest", "size")}, "image")

    def run(self, *words: str) -> str:
        return run_tool(*words, cwd=self.root, timeout=60, XDG_RUNTIME_DIR=str(self.root / "run"))

    def copy(self, source: str, destination: str) -> str:
        """The digest at the destination."""
        return copy_image(self._placed(source), self._placed(destination)).descriptor.digest

    def _placed(self, text: str) -> str:
        transport, _, path = text.partition(":")
        return f"{transport}:{self.root / path}"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("HOME", str(tmp_path))
    return Desk(tmp_path)


SKOPEO = ("skopeo", "--insecure-policy", "copy", "-q")
READERS = [
    pytest.param((*SKOPEO, "--all"), id="skopeo"),
    pytest.param(("containersimage", "copy"), id="containersimage"),
]


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("image", ["image", "index"])
@pytest.mark.parametrize("place", ["oci:given:x", "oci-archive:given.tar:x", "dir:given"])
def test_there_and_back(desk: Desk, command: tuple[str, ...], image: str, place: str) -> None:
    """A layout of ours by way of us, them, and us again."""
    digest = getattr(desk, image)
    assert desk.copy(f"oci:layout:{image}", place) == digest
    taken = place.replace("given", "taken")
    desk.run(*command, place, taken)
    assert desk.copy(taken, "oci:out:x") == digest
    assert blobs_of(desk.root / "out").items() <= blobs_of(desk.layout.root).items()
    assert entries_of(desk.root / "out") == [("x", digest)]


@pytest.mark.parametrize("command", READERS)
def test_docker_archives_of_ours(desk: Desk, command: tuple[str, ...]) -> None:
    desk.copy("oci:layout:image", "docker-archive:given.tar:team/app:v1")
    desk.run(
        *command[:1],
        *[word for word in command[1:] if word != "--all"],
        "docker-archive:given.tar:team/app:v1",
        "dir:taken",
    )
    manifest = json.loads((desk.root / "taken/manifest.json").read_text())
    config = json.loads(desk.layout.path(desk.image).read_text())["config"]["digest"]
    assert manifest["config"]["digest"] == config
    assert len(manifest["layers"]) == 2


def test_docker_archives_of_skopeo(desk: Desk) -> None:
    """Its layers are uncompressed; so they are called, and so they stay."""
    desk.run(*SKOPEO, "oci:layout:image", "docker-archive:taken.tar:team/app:v1")
    digest = desk.copy("docker-archive:taken.tar:team/app:v1", "oci:out:x")
    manifest = json.loads(blobs_of(desk.root / "out")[digest])
    config = json.loads(blobs_of(desk.root / "out")[manifest["config"]["digest"]])
    assert [layer["digest"] for layer in manifest["layers"]] == config["rootfs"]["diff_ids"]
    assert {layer["mediaType"] for layer in manifest["layers"]} == {
        "application/vnd.docker.image.rootfs.diff.tar"
    }
    assert (
        manifest["config"]["digest"]
        == json.loads(desk.layout.path(desk.image).read_text())["config"]["digest"]
    )


@pytest.fixture
def registry(desk: Desk) -> Iterator[str]:
    """docker-registry on a folder that udist has a transport for, too: its address."""
    with stock_registry(desk.root / "store") as port:
        yield f"127.0.0.1:{port}"


def test_crane_reads_and_writes_archives(desk: Desk, registry: str) -> None:
    desk.copy("oci:layout:image", "docker-archive:given.tar:team/app:v1")
    desk.run("crane", "push", "--insecure", "given.tar", f"{registry}/team/app:v1")
    desk.run("crane", "pull", "--insecure", f"{registry}/team/app:v1", "taken.tar")
    digest = desk.copy("docker-archive:taken.tar", "oci:out:x")
    made, given = (
        json.loads(blobs_of(folder)[key])
        for folder, key in ((desk.root / "out", digest), (desk.layout.root, desk.image))
    )
    assert made["config"]["digest"] == given["config"]["digest"]
    assert [each["digest"] for each in made["layers"]] == [each["digest"] for each in given["layers"]]


def test_crane_reads_and_writes_layouts(desk: Desk, registry: str) -> None:
    desk.copy("oci:layout:index", "oci:given:x")
    desk.run("crane", "push", "--insecure", "given", "--index", f"{registry}/team/app:v1")
    desk.run("crane", "pull", "--insecure", "--format=oci", f"{registry}/team/app@{desk.index}", "taken")
    assert desk.copy("oci:taken", "oci:out:x") == desk.index
    assert blobs_of(desk.root / "out").items() <= blobs_of(desk.layout.root).items()


@pytest.mark.parametrize("place", ["oci:given:x", "oci-archive:given.tar:x"])
def test_oras_reads_and_writes_layouts(desk: Desk, place: str) -> None:
    desk.copy("oci:layout:index", place)
    source = place.removeprefix("oci:").removeprefix("oci-archive:")
    desk.run("oras", "cp", "--no-tty", "--from-oci-layout", source, "--to-oci-layout", "taken:y")
    assert desk.copy("oci:taken", "oci:out:x") == desk.copy("oci:taken:y", "oci:out:z") == desk.index
    assert blobs_of(desk.root / "out").items() <= blobs_of(desk.layout.root).items()


def test_one_store_and_three_writers(desk: Desk, registry: str) -> None:
    """What udist copies into a store, skopeo pulls from the registry that serves it, and the other way
    round."""
    config = {"storage": {"filesystem": {"rootdirectory": str(desk.root / "store")}}}
    with new_transport(config) as transport:
        copy_image(f"oci:{desk.layout.root}:index", f"{transport.name}://team/app:v1")
        tls = ("--src-tls-verify=false", "--dest-tls-verify=false")
        desk.run(*SKOPEO, "--all", *tls, f"docker://{registry}/team/app:v1", "oci:taken:x")
        assert blobs_of(desk.root / "taken").items() <= blobs_of(desk.layout.root).items()
        desk.run(*SKOPEO, "--all", *tls, "oci:layout:index", f"docker://{registry}/their/app:v1")
        copied = copy_image(f"{transport.name}://their/app:v1", f"oci:{desk.root / 'out'}:x")
        assert copied.descriptor.digest == desk.index


def test_regctl_reads_and_writes_layouts_and_archives(desk: Desk) -> None:
    desk.copy("oci:layout:index", "oci:given:x")
    desk.run("regctl", "image", "copy", "ocidir://given:x", "ocidir://taken:y")
    desk.run("regctl", "image", "export", "ocidir://taken:y", "taken.tar")
    for taken in ("oci:taken:y", "oci-archive:taken.tar:y"):
        assert desk.copy(taken, "oci:out:x") == desk.index
    desk.copy("oci:taken:y", "oci-archive:given.tar:x")
    desk.run("regctl", "image", "import", "ocidir://imported:x", "given.tar")
    assert desk.copy("oci:imported:x", "oci:out:y") == desk.index
    assert blobs_of(desk.root / "out").items() <= blobs_of(desk.layout.root).items()


def test_umoci_unpacks_what_we_copied(desk: Desk, registry: str) -> None:
    """By way of a registry; the image's files are as they were."""
    desk.copy("oci:layout:image", "oci:given:x")
    copy_image(f"oci:{desk.root / 'given'}:x", f"docker://{registry}/team/app:v1")
    copy_image(f"docker://{registry}/team/app:v1", f"oci:{desk.root / 'taken'}:y")
    desk.run("umoci", "unpack", "--rootless", "--image", "taken:y", "bundle")
    assert (desk.root / "bundle/rootfs/file").read_bytes() == b"two"


def test_what_umoci_made_comes_back_byte_for_byte(desk: Desk, registry: str) -> None:
    (desk.root / "file").write_text("by umoci")
    desk.run("umoci", "init", "--layout", "made")
    desk.run("umoci", "new", "--image", "made:v1")
    desk.run("umoci", "insert", "--rootless", "--image", "made:v1", "file", "/etc/file")
    place = f"docker://{registry}/team/app:v1"
    copied = copy_image(f"oci:{desk.root / 'made'}:v1", place)
    assert copy_image(place, f"oci:{desk.root / 'out'}:v1").descriptor == copied.descriptor
    assert blobs_of(desk.root / "out").items() <= blobs_of(desk.root / "made").items()
    assert entries_of(desk.root / "out") == entries_of(desk.root / "made")
    desk.run("umoci", "unpack", "--rootless", "--image", "out:v1", "bundle")
    assert (desk.root / "bundle/rootfs/etc/file").read_text() == "by umoci"

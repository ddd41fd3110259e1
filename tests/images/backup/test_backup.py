"""Repositories to one archive and back."""

from __future__ import annotations

import io
import json
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.images.sample import NAME, blobs_of
from tests.images.syncing.conftest import open_store
from tests.images.unjudged import copy_image
from tests.remote.loopback import stock_registry
from tests.tools import run_tool
from udist_plugin.errors import (
    DigestInvalid,
    ImageUnknown,
    LayoutInvalid,
    ManifestUnknown,
    NameUnknown,
    ReferenceInvalid,
)
from udist_plugin.images.backup.backup import backup_images
from udist_plugin.images.backup.restore import restore_images
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.images.syncing.conftest import Images, Store


@pytest.fixture
def archive(tmp_path: Path) -> str:
    return str(tmp_path / "backup.tar")


def index_of(archive: str) -> list[tuple[str | None, str, str]]:
    """Of each entry, its name, containerd's name for it, and its digest."""
    with tarfile.open(archive) as tar:
        file = tar.extractfile("index.json")
        assert file is not None
        entries = json.load(file)["manifests"]
    return [
        (each["annotations"].get(NAME), each["annotations"]["io.containerd.image.name"], each["digest"])
        for each in entries
    ]


def rewritten(
    archive: str, change: Callable[[tarfile.TarInfo, bytes], list[tuple[tarfile.TarInfo, bytes]]]
) -> None:
    """Writes the archive again, each file as ``change`` has it."""
    out = io.BytesIO()
    with tarfile.open(archive) as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in old:
            file = old.extractfile(member)
            assert file is not None
            for info, content in change(member, file.read()):
                info.size = len(content)
                new.addfile(info, io.BytesIO(content))
    with open(archive, "wb") as file:
        file.write(out.getvalue())


def test_one_repository_and_back(images: Images, here: Store, there: Store, archive: str) -> None:
    one, index = images.add(here, "team/app", "v1", "latest"), images.add_index(here, "team/app", "v2")
    signature = images.attach(here, "team/app", one)
    about = images.attach(here, "team/app", signature)
    images.add(here, "team/other", "v1")
    backup_images([here.at("team/app")], archive)
    assert sorted(index_of(archive), key=str) == [
        ("latest", "team/app:latest", one),
        ("v1", "team/app:v1", one),
        ("v2", "team/app:v2", index),
        *sorted(
            [(None, f"team/app@{each}", each) for each in (signature, about)],
            key=str,
        ),
    ]
    result = restore_images(archive, there.at())
    assert there.tags("team/app") == {"latest": one, "v1": one, "v2": index}
    assert there.registry.list_repositories().items == ["team/app"]
    for subject, referrer in {one: signature, signature: about}.items():
        found = there.registry.list_referrers("team/app", Digest(subject)).items
        assert [each.digest for each in found] == [referrer]
    assert len(result.copied) == 5
    again = restore_images(archive, there.at())
    assert (again.copied, len(again.present)) == ([], 3)


def test_the_same_images_make_the_same_bytes(images: Images, here: Store, archive: str) -> None:
    one = images.add(here, "team/app", "v1", "v2")
    images.add_index(here, "team/web", "v1")
    images.attach(here, "team/app", one)
    backup_images([here.at()], archive)
    with open(archive, "rb") as file:
        before = file.read()
    backup_images([here.at()], archive)
    with open(archive, "rb") as file:
        assert file.read() == before


def test_several_repositories_and_chosen_names(
    images: Images, here: Store, there: Store, archive: str, tmp_path: Path
) -> None:
    """Their referrers are not mixed up, though both have the same image."""
    one = images.add(here, "team/app", "v1")
    copy_image(here.at("team/app:v1"), here.at("team/web:v1"))
    signature, report = images.attach(here, "team/app", one), images.attach(here, "team/web", one)
    backup_images([here.at("team/app"), here.at("team/web")], archive)
    assert [name for name, _, _ in index_of(archive)][:2] == ["team/app:v1", "team/web:v1"]
    assert (
        copy_image(f"oci-archive:{archive}:team/web:v1", f"oci:{tmp_path / 'out'}").descriptor.digest == one
    )
    restore_images(archive, there.at(), names={"team/app": "my/app"})
    assert there.registry.list_repositories().items == ["my/app"]
    restore_images(archive, there.at())
    for name, referrer in {"my/app": signature, "team/app": signature, "team/web": report}.items():
        found = there.registry.list_referrers(name, Digest(one)).items
        assert [each.digest for each in found] == [referrer]
    with pytest.raises(ImageUnknown, match="no repository 'other'; it has team/app, team/web"):
        restore_images(archive, there.at(), names={"other": "other"})


def test_chosen_tags(images: Images, here: Store, there: Store, archive: str) -> None:
    images.add(here, "team/app", "v1", "v2", "w1")
    backup_images([here.at("team/app")], archive, tags=["v*"])
    restore_images(archive, there.at(), without=["*2"])
    assert there.tags("team/app").keys() == {"v1"}


def test_folders_and_compressed_archives(images: Images, here: Store, there: Store, archive: str) -> None:
    images.add(here, "team/app", "v1")
    backup_images([here.at("team/app")], archive)
    folder = os.path.dirname(archive)
    with tarfile.open(archive) as tar:
        tar.extractall(f"{folder}/unpacked", filter="data")
    run_tool("gzip", archive, cwd=here.root, timeout=60)
    restore_images(f"{archive}.gz", there.at("my/zipped"))
    restore_images(f"{folder}/unpacked", there.at("my/unpacked"))
    assert there.registry.list_repositories().items == ["my/unpacked/team/app", "my/zipped/team/app"]


@pytest.mark.parametrize("program", ["docker-registry", "registry"])
def test_oras_restores_ours_and_we_restore_its(
    images: Images, here: Store, there: Store, archive: str, program: str, tmp_path: Path
) -> None:
    one, index = images.add(here, "team/app", "v1"), images.add_index(here, "team/app", "v2")
    signature = images.attach(here, "team/app", one)
    backup_images([here.at("team/app")], archive)
    with stock_registry(tmp_path / "stock", program) as port:
        target = f"127.0.0.1:{port}/their/app"
        options = ("--plain-http", "--no-tty")
        run_tool("oras", "restore", *options, "--input", archive, target, cwd=tmp_path, timeout=60)
        for output in ("oras.tar", "folder"):
            run_tool(
                *("oras", "backup", *options, "--include-referrers", "--output", output, target),
                cwd=tmp_path,
                timeout=60,
            )
    for path, name in (("oras.tar", "my/app"), ("folder", "my/folder")):
        with pytest.raises(ReferenceInvalid, match="does not name its repository"):
            restore_images(str(tmp_path / path), there.at())
        restore_images(str(tmp_path / path), there.at(), names={name: name})
        assert there.tags(name).items() >= {"v1": one, "v2": index}.items()
        found = there.registry.list_referrers(name, Digest(one)).items
        assert [each.digest for each in found] == [signature]


def test_a_registry_without_referrers_gets_them_by_tag(
    images: Images, here: Store, there: Store, archive: str, tmp_path: Path
) -> None:
    one = images.add(here, "team/app", "v1")
    signature = images.attach(here, "team/app", one)
    backup_images([here.at("team/app")], archive)
    with stock_registry(tmp_path / "stock") as port:
        restore_images(archive, f"docker://127.0.0.1:{port}")
        found = run_tool(
            "oras",
            "discover",
            "--plain-http",
            "--format",
            "json",
            f"127.0.0.1:{port}/team/app:v1",
            cwd=tmp_path,
            timeout=60,
        )
    assert signature in found


def test_a_backup_that_fails_leaves_the_old_one(images: Images, here: Store, archive: str) -> None:
    images.add(here, "team/app", "v1")
    backup_images([here.at("team/app")], archive)
    with open(archive, "rb") as file:
        before = file.read()
    digest = images.add(here, "team/app", "v2")
    (here.root / f"docker/registry/v2/blobs/sha256/{digest[7:9]}/{digest[7:]}/data").write_bytes(b"{}")
    with pytest.raises(ExceptionGroup) as failed:
        backup_images([here.at("team/app")], archive)
    assert len(failed.value.exceptions) == 1
    with pytest.raises(ExceptionGroup) as failed:
        backup_images([here.at("team/nothing")], archive)
    assert isinstance(failed.value.exceptions[0], NameUnknown)
    with pytest.raises(ImageUnknown, match="nothing to back up"):
        backup_images([here.at("team/app")], archive, tags=["w*"])
    with open(archive, "rb") as file:
        assert file.read() == before
    assert os.listdir(os.path.dirname(archive)).count("backup.tar") == 1
    assert not [name for name in os.listdir(os.path.dirname(archive)) if name.startswith(".udist-")]


def blob_path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def test_a_wrong_digest(images: Images, here: Store, there: Store, archive: str) -> None:
    """Of a layer or a manifest: that image fails, and the others are restored."""
    one, two = images.add(here, "team/app", "v1"), images.add(here, "team/app", "v2")
    three = images.add(here, "team/app", "v3")
    layer = json.loads(blobs_of(images.layout.root)[one])["layers"][0]["digest"]
    backup_images([here.at("team/app")], archive)

    def spoil(info: tarfile.TarInfo, content: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
        if info.name in (blob_path(layer), blob_path(two)):
            return [(info, content[:-1] + b"?")]
        return [(info, content)]

    rewritten(archive, spoil)
    result = restore_images(archive, there.at())
    assert [type(failure.error) for failure in result.failed] == [DigestInvalid, DigestInvalid]
    assert {failure.reference.rpartition(":")[2] for failure in result.failed} == {"v1", "v2"}
    assert there.tags("team/app") == {"v3": three}


def test_an_archive_that_is_cut_short(images: Images, here: Store, there: Store, archive: str) -> None:
    """Anywhere: an error, and no tag; the whole one is restored afterwards."""
    images.add(here, "team/app", "v1")
    backup_images([here.at("team/app")], archive)
    with open(archive, "rb") as file:
        whole = file.read()
    for end in (len(whole) - 4 * 512, len(whole) // 2, 700, 512, 100, 0):
        with open(archive, "wb") as file:
            file.write(whole[:end])
        with pytest.raises((LayoutInvalid, ImageUnknown)):
            restore_images(archive, there.at())
        assert there.registry.list_repositories().items == []
    with open(archive, "wb") as file:
        file.write(whole)
    assert len(restore_images(archive, there.at()).copied) == 1


def test_links_and_paths_that_leave_the_archive(
    images: Images, here: Store, there: Store, archive: str, tmp_path: Path
) -> None:
    """What they lead to is neither read nor written."""
    one = images.add(here, "team/app", "v1")
    config = json.loads(blobs_of(images.layout.root)[one])["config"]["digest"]
    secret = blobs_of(images.layout.root)[config]
    (tmp_path / "secret").write_bytes(secret)
    backup_images([here.at("team/app")], archive)

    def spoil(info: tarfile.TarInfo, content: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
        outside = tarfile.TarInfo("../outside")
        if info.name != blob_path(config):
            return [(info, content), (outside, b"written")]
        info.type, info.linkname = tarfile.SYMTYPE, "../../../secret"
        return [(info, b"")]

    rewritten(archive, spoil)
    result = restore_images(archive, there.at())
    assert isinstance(result.failed[0].error, LayoutInvalid)
    assert "leaves the archive" in str(result.failed[0].error)
    assert there.registry.list_repositories().items == []
    assert not (tmp_path.parent / "outside").exists()
    assert not (tmp_path / "outside").exists()


def test_a_blob_that_is_missing(images: Images, here: Store, there: Store, archive: str) -> None:
    one = images.add(here, "team/app", "v1")
    backup_images([here.at("team/app")], archive)
    rewritten(archive, lambda info, content: [] if info.name == blob_path(one) else [(info, content)])
    result = restore_images(archive, there.at())
    assert isinstance(result.failed[0].error, ManifestUnknown)
    assert there.registry.list_repositories().items == []


def test_what_is_no_backup(there: Store, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text")
    (tmp_path / "empty").mkdir()
    for name, kind in (("text", LayoutInvalid), ("empty", ImageUnknown), ("nothing", ImageUnknown)):
        with pytest.raises(kind):
            restore_images(str(tmp_path / name), there.at())


def test_a_store_that_keeps_referrers_tags(images: Images, archive: str, tmp_path: Path) -> None:
    """As plugins do by default: the tags and the manifests are both in the backup."""
    with open_store(tmp_path / "one", tags=True) as one, open_store(tmp_path / "two", tags=True) as two:
        digest = images.add(one, "team/app", "v1")
        signature = images.attach(one, "team/app", digest)
        backup_images([one.at("team/app")], archive)
        restore_images(archive, two.at())
        assert one.tags("team/app") == two.tags("team/app")
        assert len(one.tags("team/app")) == 2
        found = two.registry.list_referrers("team/app", Digest(digest)).items
        assert [each.digest for each in found] == [signature]

"""Transports: by name, by entry point, and those for stores of one's own."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.http_api.memory import MemoryRegistry
from tests.images.sample import Layout, blobs_of
from tests.images.unjudged import copy_image
from udist_plugin.errors import (
    ConfigurationError,
    DigestInvalid,
    ManifestUnknown,
    NameUnknown,
    ReferenceInvalid,
)
from udist_plugin.images.directory.transport import DirectoryTransport
from udist_plugin.images.transports import BUILT_IN, TRANSPORTS, Transports, parse_image_name
from udist_plugin.images.transports.udist import UdistTransport
from udist_plugin.images.transports.udistribution import new_transport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from udist_plugin.registry import Registry


class Shelf(DirectoryTransport):
    """A transport of somebody else."""

    name = "shelf"


def test_every_built_in_one_has_its_name() -> None:
    table = Transports()
    assert [table.get(name).name for name in BUILT_IN] == list(BUILT_IN)  # type: ignore[union-attr]
    assert table.names() == sorted(BUILT_IN)


def test_one_that_is_registered_and_deregistered() -> None:
    table = Transports()
    shelf = Shelf()
    table.register(shelf)
    table.register(shelf)
    assert parse_image_name("shelf:/x", table).transport is shelf
    with pytest.raises(ReferenceInvalid, match="shelf: a transport of this name is registered already"):
        table.register(Shelf())
    table.deregister("shelf")
    table.deregister("shelf")
    with pytest.raises(
        ReferenceInvalid,
        match="there is no transport 'shelf'; expected TRANSPORT:REFERENCE with one of dir, ",
    ):
        parse_image_name("shelf:/x", table)


def test_one_by_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "shelf-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf\nVersion: 1\n")
    (folder / "entry_points.txt").write_text(f"[udist.transports]\nshelf = {__name__}:Shelf\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    table = Transports()
    assert "shelf" in table.names()
    reference = parse_image_name("shelf:/x", table)
    assert isinstance(reference.transport, Shelf)
    assert parse_image_name("shelf:/y", table).transport is reference.transport


def test_none_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys; from udist_plugin.images.transports import parse_image_name; parse_image_name('dir:x');"
        "print(*sorted(name for name in sys.modules if name.startswith('udist_plugin.images.')))"
    )
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True, timeout=30).split()
    assert {name.split(".")[2] for name in loaded} == {
        "directory",
        "files",
        "placing",
        "sparse",
        "system",
        "transports",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("demo/app", "udist:demo/app:latest"),
        ("demo/app:v1", "udist:demo/app:v1"),
        (f"a@sha256:{'0' * 64}", f"udist:a@sha256:{'0' * 64}"),
        ("Demo", "invalid repository name"),
        ("a:.x", "invalid tag"),
        ("a@sha256:1", "digest"),
        (f"a:v1@sha256:{'0' * 64}", "both a tag and a digest"),
        ("//a", "invalid repository name"),
        ("", "invalid repository name"),
    ],
)
def test_references_of_udist(text: str, expected: str) -> None:
    if expected.startswith("udist:"):
        assert str(parse_image_name(f"udist:{text}")) == expected
        return
    with pytest.raises(ReferenceInvalid, match=expected):
        parse_image_name(f"udist:{text}")


def test_a_registry_is_opened_once_and_closed_behind_its_last_user() -> None:
    happened = []

    @contextmanager
    def connect() -> Iterator[Registry]:
        happened.append("open")
        yield MemoryRegistry()
        happened.append("closed")

    reference = UdistTransport(connect).parse_reference("demo")
    assert happened == []
    source, destination = reference.new_image_source(), reference.new_image_destination()
    source.close()
    source.close()
    assert happened == ["open"]
    destination.close()
    assert happened == ["open", "closed"]
    with reference.new_image_source():
        assert happened == ["open", "closed", "open"]


@pytest.mark.parametrize("in_process", [False, True])
def test_a_store_of_ones_own(tmp_path: Path, in_process: bool) -> None:
    layout = Layout(tmp_path / "layout")
    layout.image("v1", layers=[bytes(3_000_000)])
    config = {"storage": {"filesystem": {"rootdirectory": str(tmp_path / "store")}}}
    with new_transport(config, in_process=in_process) as transport:
        assert re.fullmatch(
            r"udistribution-filesystem-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", transport.name
        )
        assert transport.name in TRANSPORTS.names()
        image = f"{transport.name}://team/app:v1"
        copy_image(f"oci:{layout.root}", image)
        copy_image(image, f"oci:{tmp_path / 'out'}:v1")
        reference = parse_image_name(image)
        assert str(reference) == image
        transport.deregister()
        with pytest.raises(ReferenceInvalid, match="there is no transport"):
            parse_image_name(image)
        copy_image(reference, f"dir:{tmp_path / 'dir'}")
    assert blobs_of(tmp_path / "out") == blobs_of(layout.root)
    assert (tmp_path / "store/docker/registry/v2/repositories/team/app/_manifests/tags/v1").is_dir()


def test_two_stores_at_once(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    layout.image("v1")
    config = "version: 0.1\nstorage: {inmemory: {}}\n"
    with new_transport(config) as one, new_transport(None, {"REGISTRY_STORAGE": "inmemory"}) as two:
        assert one.name != two.name
        assert two.name.startswith("udistribution-inmemory-")
        copy_image(f"oci:{layout.root}", f"{one.name}://demo:v1")
        with pytest.raises(ManifestUnknown):
            copy_image(f"{two.name}://demo:v1", f"oci:{tmp_path / 'out'}")
        copied = copy_image(f"{one.name}://demo:v1", f"{two.name}://demo:v1")
        assert len(copied.moved) == 3
    assert not {one.name, two.name} & set(TRANSPORTS.names())


def test_a_wrong_configuration_registers_nothing() -> None:
    with pytest.raises(ConfigurationError, match="rootdir"):
        new_transport({"storage": {"filesystem": {"rootdir": "/x"}}})
    assert not [name for name in TRANSPORTS.names() if name.startswith("udistribution-")]


@pytest.mark.parametrize("text", ["demo", "/demo", "//Demo", "//", f"//a:b@sha256:{'0' * 64}"])
def test_references_that_are_none(text: str) -> None:
    with (
        new_transport({"storage": {"inmemory": {}}}, in_process=True) as transport,
        pytest.raises(ReferenceInvalid),
    ):
        transport.parse_reference(text)


def store(root: Path) -> dict[str, object]:
    return {"storage": {"filesystem": {"rootdirectory": str(root)}}}


def test_a_plugin_reads_what_another_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its file: this process does not read it."""
    layout = Layout(tmp_path / "layout")
    layout.image("v1", layers=[bytes(3_000_000)])
    one, two = store(tmp_path / "one"), store(tmp_path / "two")
    with new_transport(one) as source, new_transport(two) as destination:
        copy_image(f"oci:{layout.root}:v1", f"{source.name}://demo:v1")
        with monkeypatch.context() as patch:
            patch.setattr("udist_plugin.link.file_content.FileContent.read_into", None)
            copy_image(f"{source.name}://demo:v1", f"{destination.name}://demo:v1")
        copy_image(f"{destination.name}://demo:v1", f"oci:{tmp_path / 'out'}:v1")
    assert blobs_of(tmp_path / "out") == blobs_of(layout.root)


def test_a_plugin_that_holds_something_else(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    layout.image("v1", layers=[bytes(3_000_000)])
    one, two = store(tmp_path / "one"), store(tmp_path / "two")
    with new_transport(one) as source, new_transport(two) as destination:
        copied = copy_image(f"oci:{layout.root}:v1", f"{source.name}://demo:v1")
        layer = copied.moved[1].digest
        path = tmp_path / f"one/docker/registry/v2/blobs/sha256/{layer.hex[:2]}/{layer.hex}/data"
        path.write_bytes(b"x" + path.read_bytes()[1:])
        for target in (f"{destination.name}://demo:v1", f"oci:{tmp_path / 'out'}", f"dir:{tmp_path / 'dir'}"):
            with pytest.raises(DigestInvalid):
                copy_image(f"{source.name}://demo:v1", target)
        with pytest.raises((ManifestUnknown, NameUnknown)):
            copy_image(f"{destination.name}://demo:v1", f"oci:{tmp_path / 'out'}")
    assert not (tmp_path / "out/index.json").exists()

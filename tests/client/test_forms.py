"""The forms in which programs have configurations, fields and digests at hand."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from udist_plugin import (
    ConfigurationError,
    HandshakeFailed,
    Plugin,
    RemoteRegistry,
    WSGITransport,
    create_app,
)
from udist_plugin.errors import DigestInvalid
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_INDEX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from pathlib import Path

CONTENT = b"content"
DIGEST = str(Digest.of(CONTENT))
INDEX = b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}'


@pytest.mark.parametrize("form", ["text", "path", "mapping", "mapping with a path"])
def test_a_configuration_is_taken_in_every_form(tmp_path: Path, form: str) -> None:
    root = tmp_path / "grüße: {store}"
    text = f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: '{root}'}}}}"
    (tmp_path / "udist.yml").write_text(text, encoding="utf-8")
    forms: dict[str, str | PathLike[str] | Mapping[str, object]] = {
        "text": text,
        "path": tmp_path / "udist.yml",
        "mapping": {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(root)}}},
        "mapping with a path": {"storage": {"filesystem": {"rootdirectory": root}}},
    }
    with Plugin(forms[form], {}) as plugin:
        RemoteRegistry(plugin).push_blob("a", DIGEST, io.BytesIO(CONTENT))
    assert (root / "docker").is_dir()


def test_a_mistake_is_named_by_the_files_path_and_line(tmp_path: Path) -> None:
    path = tmp_path / "udist.yml"
    path.write_text("version: 0.1\nstorage: {inmemory: {}}\nlog: {level: loud}\n")
    with pytest.raises(HandshakeFailed, match=rf"{path}:3"):
        Plugin(path, {})
    with pytest.raises(HandshakeFailed, match=r"mine:3"):
        Plugin(path, {}, config_name="mine")


def test_what_cannot_be_sent_is_said_before_anything_is_started(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.yml.*No such file"):
        Plugin(tmp_path / "missing.yml", {}, command=["/nowhere"])
    with pytest.raises(ConfigurationError, match=r"expected text, .* not set"):
        Plugin({"storage": {"inmemory": {1}}}, {}, command=["/nowhere"])


def test_fields_are_taken_as_a_mapping_and_as_pairs(udist_plugin: Plugin) -> None:
    RemoteRegistry(udist_plugin).push_blob("a", DIGEST, io.BytesIO(CONTENT))
    for headers in ({"Range": "bytes=1-3"}, [("range", "bytes=1-3")], iter([("range", "bytes=1-3")])):
        with udist_plugin.request("GET", f"/v2/a/blobs/{DIGEST}", headers=headers) as response:
            assert (response.status, response.read()) == (206, CONTENT[1:4])
    with create_app({"storage": "inmemory"}) as app:
        transport = WSGITransport(app)
        RemoteRegistry(transport).push_blob("a", DIGEST, io.BytesIO(CONTENT))
        with transport.request("GET", f"/v2/a/blobs/{DIGEST}", headers={"Range": "bytes=1-3"}) as answer:
            assert (answer.status, answer.read()) == (206, CONTENT[1:4])


def test_digests_are_taken_as_text(udist_plugin: Plugin) -> None:
    registry = RemoteRegistry(udist_plugin)
    assert registry.push_blob("a", DIGEST, io.BytesIO(CONTENT)).digest == DIGEST
    assert registry.has_blob("a", DIGEST)
    with registry.open_blob("a", DIGEST) as content:
        assert content.read() == CONTENT
    assert isinstance(registry.mount_blob("b", DIGEST, "a").digest, Digest)
    upload = registry.start_upload("c")
    upload.write(io.BytesIO(CONTENT))
    assert upload.commit(DIGEST).size == len(CONTENT)
    index = str(registry.push_manifest("a", Manifest.parse(INDEX, OCI_INDEX), ["v1"]).digest)
    assert registry.get_manifest("a", index).content == INDEX
    assert registry.resolve_manifest("a", index) == registry.resolve_manifest("a", "v1")
    assert registry.list_referrers("a", index).items == []
    registry.delete_manifest("a", index)
    registry.delete_blob("a", DIGEST)
    assert not registry.has_blob("a", DIGEST)


def test_a_manifest_asked_for_by_text_is_checked_against_it() -> None:
    """Or a registry could answer with any other."""

    def lie(environ: object, start_response: object) -> list[bytes]:
        start_response("200 OK", [("Content-Type", OCI_INDEX), ("Content-Length", str(len(INDEX)))])  # type: ignore[operator]
        return [INDEX]

    registry = RemoteRegistry(WSGITransport(lie))
    with pytest.raises(DigestInvalid):
        registry.get_manifest("a", DIGEST)


def test_a_malformed_digest_is_said_before_anything_is_asked() -> None:
    def nobody(*_: object) -> list[bytes]:
        raise AssertionError("it was asked")

    registry = RemoteRegistry(WSGITransport(nobody))
    for digest in ("sha256:abc", "md5:" + "0" * 32):
        for ask in (
            registry.open_blob,
            registry.resolve_blob,
            registry.get_manifest,
            registry.delete_manifest,
        ):
            with pytest.raises(DigestInvalid):
                ask("a", digest)

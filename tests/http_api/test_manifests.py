from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.http_api.images import (
    ALL,
    CONFIG,
    artifact,
    descriptor,
    image,
    index,
    push_blob,
    push_image,
    put_manifest,
)
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import MANIFEST_MAX
from udist_plugin.oci.media_types import DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, OCI_INDEX, OCI_MANIFEST
from udist_plugin.storage import paths
from udist_plugin.storage.manifests import LARGE

if TYPE_CHECKING:
    from tests.http_api.wsgi import Answer, Client
    from udist_plugin.content import Content
    from udist_plugin.drivers import StorageDriver

NAME = "some/name"
URL = f"/v2/{NAME}/manifests"
MISSING = Digest.of(b"missing")


def assert_refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.code) == (status, code), answer


def test_push_and_pull_by_tag_and_digest(client: Client) -> None:
    push_blob(client, NAME, CONFIG)
    manifest = image()
    digest = Digest.of(manifest)
    answer = put_manifest(client, NAME, "v1", manifest)
    assert answer.status == 201
    assert answer.field("location") == f"{URL}/{digest}"
    assert answer.field("docker-content-digest") == digest
    assert answer.all("oci-tag") == []
    for reference in ("v1", digest):
        got, head = (
            client.get(f"{URL}/{reference}", accept=ALL),
            client.head(f"{URL}/{reference}", accept=ALL),
        )
        assert (got.status, got.content) == (200, manifest)
        assert (head.status, sorted(head.fields)) == (200, sorted(got.fields))
        assert got.field("content-type") == OCI_MANIFEST
        assert got.field("docker-content-digest") == digest
        assert got.field("etag") == f'"{digest}"'


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_tags_as_parameters_of_a_push_by_digest(client: Client, algorithm: str) -> None:
    push_blob(client, NAME, CONFIG)
    manifest = image()
    digest = Digest.of(manifest, algorithm)
    answer = put_manifest(client, NAME, digest, manifest, "?tag=a&tag=v1.0&tag=a")
    assert (answer.status, answer.all("oci-tag")) == (201, ["a", "v1.0"])
    for tag in ("a", "v1.0"):
        assert client.head(f"{URL}/{tag}", accept=ALL).field("docker-content-digest") == digest


@pytest.mark.parametrize("tag", ["..", "a/b", "-a", "a" * 129, "a%0d%0aSet-Cookie:%20x", "%00", ""])
def test_malformed_tags(client: Client, tag: str) -> None:
    push_blob(client, NAME, CONFIG)
    manifest = image()
    assert_refused(
        put_manifest(client, NAME, Digest.of(manifest), manifest, f"?tag=a&tag={tag}"), 400, "TAG_INVALID"
    )
    assert client.get(f"{URL}/{Digest.of(manifest)}").status == 404
    answer = put_manifest(client, NAME, tag, manifest)
    assert answer.status in (400, 404)
    assert answer.code in ("TAG_INVALID", "NAME_INVALID", "DIGEST_INVALID", "UNSUPPORTED")
    assert client.get(f"{URL}/{tag}").status in (400, 404)


def test_limits_of_tag_parameters(client: Client) -> None:
    push_blob(client, NAME, CONFIG)
    manifest = image()
    digest = Digest.of(manifest)
    tags = [f"tag={number}" for number in range(101)]
    assert put_manifest(client, NAME, digest, manifest, "?" + "&".join(tags[:100])).status == 201
    assert_refused(put_manifest(client, NAME, digest, manifest, "?" + "&".join(tags)), 414, "TAG_INVALID")
    assert_refused(put_manifest(client, NAME, "v1", manifest, "?tag=v2"), 400, "TAG_INVALID")


def test_a_digest_that_is_not_the_contents(client: Client) -> None:
    push_blob(client, NAME, CONFIG)
    for reference in (MISSING, "sha256:baddigeststring", Digest.of(b"", "sha512")):
        assert_refused(put_manifest(client, NAME, reference, image()), 400, "DIGEST_INVALID")


@pytest.mark.parametrize("reference", ["v1", MISSING])
def test_unknown_manifests(client: Client, reference: str) -> None:
    for name in ("nowhere", NAME):
        for method in ("GET", "DELETE"):
            answer = client.request(method, f"/v2/{name}/manifests/{reference}")
            assert answer.status == 404
            assert answer.code in ("MANIFEST_UNKNOWN", "NAME_UNKNOWN")
        assert client.head(f"/v2/{name}/manifests/{reference}").status == 404
        push_image(client, NAME, "other")
    assert_refused(client.get(f"{URL}/sha256:baddigeststring"), 400, "DIGEST_INVALID")


def test_conditional_get(client: Client) -> None:
    digest, _ = push_image(client, NAME, "v1")
    for field in (f'"{digest}"', digest, f'W/"{digest}"'):  # clients of distribution leave out the quotes
        for answer in (
            client.get(f"{URL}/v1", accept=ALL, if_none_match=field),
            client.head(f"{URL}/v1", accept=ALL, if_none_match=field),
        ):
            assert (answer.status, answer.field("docker-content-digest")) == (304, digest)
    assert client.get(f"{URL}/v1", accept=ALL, if_none_match='"sha256:other"').status == 200
    assert client.get(f"{URL}/v1", accept=ALL, if_match='"sha256:other"').status == 412


class TestNegotiation:
    """A client that says what it reads is not given an OCI document it cannot."""

    def test_oci_manifest(self, client: Client) -> None:
        push_image(client, NAME, "v1")
        for accept in (DOCKER_MANIFEST, "text/html", ""):
            answer = client.get(f"{URL}/v1", accept=accept)
            assert_refused(answer, 404, "MANIFEST_UNKNOWN")
            message = "OCI manifest found, but accept header does not support OCI manifests"
            assert answer.json()["errors"][0]["message"] == message
            assert client.head(f"{URL}/v1", accept=accept).status == 404
        for accept in (OCI_MANIFEST, f"{DOCKER_MANIFEST}, {OCI_MANIFEST};q=0.5", "*/*", "application/*"):
            assert client.get(f"{URL}/v1", accept=accept).status == 200
        assert client.get(f"{URL}/v1").status == 200

    def test_oci_index(self, client: Client) -> None:
        _, manifest = push_image(client, NAME, "v1")
        put_manifest(client, NAME, "list", index(descriptor(manifest, OCI_MANIFEST)))
        for accept in (OCI_INDEX, OCI_MANIFEST, "text/html"):
            assert client.get(f"{URL}/list", accept=accept).field("content-type") == OCI_INDEX

    def test_schema_2_goes_to_everyone(self, client: Client) -> None:
        _, manifest = push_image(client, NAME, "v1", docker=True)
        answer = client.get(f"{URL}/v1", accept=OCI_MANIFEST)
        assert (answer.content, answer.field("content-type")) == (manifest, DOCKER_MANIFEST)

    def test_a_list_is_one_image_to_those_who_know_no_lists(self, client: Client) -> None:
        digest, manifest = push_image(client, NAME, "v1", docker=True)
        platforms = [{"os": "linux", "architecture": name} for name in ("arm64", "amd64")]
        _, other = push_image(client, NAME, "v2", b"layer", docker=True)
        manifests = [
            descriptor(content, DOCKER_MANIFEST, platform=platform)
            for content, platform in zip((other, manifest), platforms, strict=True)
        ]
        listed = index(*manifests, media_type=DOCKER_MANIFEST_LIST)
        put_manifest(client, NAME, "list", listed)
        for answer in (
            client.get(f"{URL}/list", accept=DOCKER_MANIFEST),
            client.head(f"{URL}/list", accept=DOCKER_MANIFEST),
        ):
            assert (answer.status, answer.field("docker-content-digest")) == (200, digest)
        assert client.get(f"{URL}/list", accept=DOCKER_MANIFEST_LIST).content == listed
        by_digest = f"{URL}/{Digest.of(listed)}"
        assert client.get(by_digest, accept=DOCKER_MANIFEST).content == listed
        assert client.head(by_digest, accept=DOCKER_MANIFEST).field("content-length") == str(len(listed))

    def test_a_list_without_the_default_platform(self, client: Client) -> None:
        _, manifest = push_image(client, NAME, "v1", docker=True)
        put_manifest(
            client,
            NAME,
            "list",
            index(descriptor(manifest, DOCKER_MANIFEST), media_type=DOCKER_MANIFEST_LIST),
        )
        assert_refused(client.get(f"{URL}/list", accept=DOCKER_MANIFEST), 404, "MANIFEST_UNKNOWN")


class TestMediaType:
    """The document's own type wins, and the request's must agree."""

    def put(self, client: Client, content_type: str | None, **more: Any) -> Answer:
        push_blob(client, NAME, CONFIG)
        document = json.loads(image()) | more
        document = {key: value for key, value in document.items() if value is not None}
        fields = {} if content_type is None else {"Content-Type": content_type}
        return client.request("PUT", f"{URL}/v1", fields, json.dumps(document).encode())

    def test_agrees(self, client: Client) -> None:
        for content_type in (OCI_MANIFEST, f"{OCI_MANIFEST}; charset=utf-8", None):
            assert self.put(client, content_type).status == 201

    def test_only_the_request_has_one(self, client: Client) -> None:
        assert self.put(client, OCI_MANIFEST, mediaType=None).status == 201
        assert client.get(f"{URL}/v1").field("content-type") == OCI_MANIFEST

    @pytest.mark.parametrize("content_type", [DOCKER_MANIFEST, OCI_INDEX, "application/json", "x"])
    def test_differs(self, client: Client, content_type: str) -> None:
        assert_refused(self.put(client, content_type), 400, "MANIFEST_INVALID")

    def test_is_unknown(self, client: Client) -> None:
        schema1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
        assert_refused(self.put(client, schema1, mediaType=None), 400, "MANIFEST_INVALID")
        assert_refused(self.put(client, None, mediaType="text/plain"), 400, "MANIFEST_INVALID")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"schemaVersion": 1}',
        image(schemaVersion=2.0),
        image(x=float("nan")),
        b"\xef\xbb\xbf" + image(),
        image().decode().encode("utf-16"),
        image(config=None),
        image(layers={}),
        image(layers=[{"digest": "x", "size": 1, "mediaType": "x"}]),
        image(layers=[{"digest": MISSING, "size": -1, "mediaType": "x"}]),
        image(layers=[{"digest": MISSING, "size": 10**30, "mediaType": "x"}]),
        image(manifests=[]),
        image(annotations={"a": 1}),
        image(subject="x"),
    ],
    ids=repr,
)
def test_invalid_manifests(client: Client, content: bytes) -> None:
    push_blob(client, NAME, CONFIG)
    answer = client.request("PUT", f"{URL}/v1", {"Content-Type": OCI_MANIFEST}, content)
    assert answer.status == 400
    assert answer.code in ("MANIFEST_INVALID", "DIGEST_INVALID")


class TestSize:
    """4 MiB is the limit."""

    def sized(self, size: int) -> bytes:
        manifest = image()
        return manifest + b" " * (size - len(manifest))

    def test_at_the_limit(self, client: Client) -> None:
        push_blob(client, NAME, CONFIG)
        manifest = self.sized(MANIFEST_MAX)
        assert put_manifest(client, NAME, "v1", manifest).status == 201
        assert client.get(f"{URL}/v1").content == manifest

    def test_a_large_one_is_sent_from_where_it_stands(
        self, client: Client, driver: StorageDriver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        push_blob(client, NAME, CONFIG)
        manifest = self.sized(LARGE + 1)
        digest = Digest.of(manifest)
        assert put_manifest(client, NAME, "v1", manifest).status == 201
        opened: list[Content] = []
        closed: list[Content] = []
        reader = driver.reader

        def read(path: str, start: int = 0, end: int | None = None) -> Content:
            content = reader(path, start, end)
            close = content.close

            def note() -> None:
                closed.append(content)
                close()

            monkeypatch.setattr(content, "close", note)
            opened.append(content)
            return content

        monkeypatch.setattr(driver, "reader", read)
        got, head = client.get(f"{URL}/v1", accept=ALL), client.head(f"{URL}/v1", accept=ALL)
        assert (got.status, got.content) == (200, manifest)
        assert sorted(got.fields) == sorted(head.fields)
        assert client.get(f"{URL}/v1", accept=ALL, if_none_match=f'"{digest}"').status == 304
        assert_refused(client.get(f"{URL}/v1", accept="text/plain"), 404, "MANIFEST_UNKNOWN")
        assert opened[-3:]
        assert set(map(id, opened)) == set(map(id, closed))

    def test_a_large_one_whose_bytes_are_others_counts_as_absent(
        self, client: Client, driver: StorageDriver
    ) -> None:
        push_blob(client, NAME, CONFIG)
        manifest = self.sized(LARGE + 1)
        assert put_manifest(client, NAME, "v1", manifest).status == 201
        driver.put_content(paths.blob_data(Digest.of(manifest)), manifest.replace(b" ", b"\t"))
        assert_refused(client.get(f"{URL}/v1", accept=ALL), 404, "MANIFEST_UNKNOWN")

    def test_above_the_limit(self, client: Client) -> None:
        push_blob(client, NAME, CONFIG)
        manifest = self.sized(MANIFEST_MAX + 1)
        assert_refused(put_manifest(client, NAME, "v1", manifest), 413, "SIZE_INVALID")
        environ = {"wsgi.input": None, "CONTENT_LENGTH": str(MANIFEST_MAX + 1)}  # nothing needs to be read
        assert_refused(client.request("PUT", f"{URL}/v1", environ=environ), 413, "SIZE_INVALID")
        source = io.BytesIO(manifest + b" " * 1000)
        assert_refused(client.request("PUT", f"{URL}/v1", {}, source), 413, "SIZE_INVALID")
        assert source.tell() == MANIFEST_MAX + 1

    def test_shorter_than_announced(self, client: Client) -> None:
        environ = {"wsgi.input": io.BytesIO(image()), "CONTENT_LENGTH": "5000"}
        assert_refused(client.request("PUT", f"{URL}/v1", environ=environ), 400, "SIZE_INVALID")


def test_every_missing_reference_is_named(client: Client) -> None:
    push_blob(client, NAME, CONFIG)
    push_blob(client, NAME, b"there")
    answer = put_manifest(client, NAME, "v1", image(b"one", b"there", b"two", b"one"))
    assert answer.status == 400
    assert [(error["code"], error["message"], error["detail"]) for error in answer.json()["errors"]] == [
        ("MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", Digest.of(content))
        for content in (b"one", b"two")
    ]
    assert client.get(f"{URL}/v1").status == 404


def test_what_another_repository_has_is_missing_here(client: Client) -> None:
    push_image(client, "other", "v1")
    assert_refused(put_manifest(client, NAME, "v1", image()), 400, "MANIFEST_BLOB_UNKNOWN")


def test_deleting_a_tag_leaves_the_manifest(client: Client) -> None:
    digest, manifest = push_image(client, NAME, "v1")
    put_manifest(client, NAME, "v2", manifest)
    assert client.request("DELETE", f"{URL}/v1").status == 202
    assert client.get(f"{URL}/v1").status == 404
    assert_refused(client.request("DELETE", f"{URL}/v1"), 404, "MANIFEST_UNKNOWN")
    assert client.get(f"{URL}/{digest}").content == client.get(f"{URL}/v2").content == manifest


def test_deleting_a_manifest_deletes_its_tags(client: Client) -> None:
    digest, manifest = push_image(client, NAME, "v1")
    put_manifest(client, NAME, "v2", manifest)
    push_image(client, NAME, "v3", b"layer")
    assert client.request("DELETE", f"{URL}/{digest}").status == 202
    for reference in (digest, "v1", "v2"):
        assert client.get(f"{URL}/{reference}").status == 404
    assert client.get(f"/v2/{NAME}/tags/list").json()["tags"] == ["v3"]


def test_a_tag_can_move(client: Client) -> None:
    push_image(client, NAME, "v1")
    digest, _ = push_image(client, NAME, "v1", b"layer")
    assert client.head(f"{URL}/v1").field("docker-content-digest") == digest


def test_a_subject_is_confirmed_and_need_not_exist(client: Client) -> None:
    push_blob(client, NAME, b"{}")
    for subject in (b"missing", image()):
        answer = put_manifest(client, NAME, "signature", artifact(subject, "application/x.signature"))
        assert (answer.status, answer.field("oci-subject")) == (201, Digest.of(subject))

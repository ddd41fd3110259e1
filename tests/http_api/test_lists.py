from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from tests.http_api.images import artifact, push_blob, push_image, put_manifest
from tests.http_api.wsgi import Answer, Client
from udist_plugin.http_api.app import Application
from udist_plugin.http_api.options import Options
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_INDEX, OCI_MANIFEST
from udist_plugin.registry import Page, RegistryWrapper

if TYPE_CHECKING:
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.registry import Registry

TAGS = sorted(["latest", "v1", "v1.1", "V2", "_x", "10"])
NAMES = ["a", "a/b", "a/b/c", "a-b", "b"]


def follow(answer: Answer) -> str | None:
    """The target of the next page's link."""
    link = answer.field("link")
    match = re.fullmatch(r'<(/[^>]*)>; rel="next"', link)
    assert match or not link
    return match[1] if match else None


def pages(client: Client, target: str | None, key: str) -> list[list[Any]]:
    """Every page's items, from ``target`` to the last."""
    found = []
    while target is not None:
        answer = client.get(target)
        assert answer.status == 200
        found.append(answer.json()[key])
        target = follow(answer)
    return found


@pytest.fixture
def tagged(client: Client) -> Client:
    _, manifest = push_image(client, "some/name", "latest")
    for tag in TAGS:
        put_manifest(client, "some/name", tag, manifest)
    return client


class TestTags:
    url = "/v2/some/name/tags/list"

    def test_all_at_once(self, tagged: Client) -> None:
        answer = tagged.get(self.url)
        assert answer.json() == {"name": "some/name", "tags": TAGS}
        assert answer.field("content-type") == "application/json"
        assert follow(answer) is None
        assert tagged.head(self.url).field("content-length") == str(len(answer.content))

    @pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 7, 1000])
    def test_in_pages(self, tagged: Client, size: int) -> None:
        found = pages(tagged, f"{self.url}?n={size}", "tags")
        assert list(chain.from_iterable(found)) == TAGS
        assert all(len(page) == size for page in found[:-1])
        assert found[-1]

    @pytest.mark.parametrize("last", ["", "0", "v1", "v1.0", "zzz", "%00", "a%2Fb", "%ff"])
    def test_after_last(self, tagged: Client, last: str) -> None:
        answer = tagged.get(f"{self.url}?last={last}")
        decoded = {"%00": "\0", "a%2Fb": "a/b", "%ff": "\ufffd"}.get(last, last)
        assert answer.json()["tags"] == [tag for tag in TAGS if tag > decoded]

    def test_the_largest_page_is_a_setting(self, tagged: Client, registry: Registry) -> None:
        client = Client(Application(registry, Options(tags_max=2)))
        for number in ("3", str(2**63), "9" * 5000):
            answer = client.get(f"{self.url}?n={number}")
            assert answer.json()["tags"] == TAGS[:2]
            assert follow(answer) == f"{self.url}?n=2&last={TAGS[1]}"

    def test_none_at_all(self, tagged: Client) -> None:
        answer = tagged.get(f"{self.url}?n=0")
        assert (answer.json()["tags"], follow(answer)) == ([], None)

    def test_of_a_repository_without_tags(self, client: Client) -> None:
        digest, _ = push_image(client, "some/name", "v1")
        client.request("DELETE", "/v2/some/name/manifests/v1")
        assert client.get(self.url).json() == {"name": "some/name", "tags": []}
        assert client.head(f"/v2/some/name/manifests/{digest}").status == 200

    @pytest.mark.parametrize("query", ["", "?n=0", "?n=5&last=x"])
    def test_of_an_unknown_repository(self, client: Client, query: str) -> None:
        answer = client.get(self.url + query)
        assert (answer.status, answer.code) == (404, "NAME_UNKNOWN")
        assert answer.json()["errors"][0]["detail"] == {"name": "some/name"}

    @pytest.mark.parametrize("number", ["-1", "x", "1.5", "%201", "1e3", "²", "0x1", "+1"])
    def test_malformed_n(self, tagged: Client, number: str) -> None:
        answer = tagged.get(f"{self.url}?n={number}")
        assert (answer.status, answer.code) == (400, "PAGINATION_NUMBER_INVALID")
        assert answer.json()["errors"][0]["message"] == "invalid number of results requested"


class TestCatalog:
    url = "/v2/_catalog"

    @pytest.fixture(autouse=True)
    def named(self, client: Client) -> None:
        for name in NAMES:
            push_image(client, name, "v1")

    def test_all_at_once(self, client: Client) -> None:
        answer = client.get(self.url)
        assert sorted(answer.json()["repositories"]) == sorted(NAMES)
        assert follow(answer) is None
        assert client.head(self.url).status == 200

    @pytest.mark.parametrize("size", [1, 2, 4, 5, 100])
    def test_in_pages(self, client: Client, size: int) -> None:
        found = pages(client, f"{self.url}?n={size}", "repositories")
        assert list(chain.from_iterable(found)) == client.get(self.url).json()["repositories"]
        assert all(len(page) == size for page in found[:-1])

    def test_none_at_all(self, client: Client) -> None:
        assert client.get(f"{self.url}?n=0").json() == {"repositories": []}

    @pytest.mark.parametrize("number", ["-1", "x", "1.5"])
    def test_malformed_n(self, client: Client, number: str) -> None:
        answer = client.get(f"{self.url}?n={number}")
        assert (answer.status, answer.code) == (400, "PAGINATION_NUMBER_INVALID")

    def test_its_limit_is_a_setting(self, registry: Registry) -> None:
        client = Client(Application(registry, Options(catalog_max=2)))
        assert len(client.get(self.url).json()["repositories"]) == 2
        for number in ("3", "9" * 5000):
            answer = client.get(f"{self.url}?n={number}")
            assert len(answer.json()["repositories"]) == 2
            assert (follow(answer) or "").startswith(f"{self.url}?n=2&last=")


@pytest.mark.parametrize("path", ["_catalog", "some/name/tags/list"])
def test_a_page_has_a_thousand_entries_at_most(registry: Registry, path: str) -> None:
    class Empty(RegistryWrapper):
        def list_repositories(self, limit: int | None = None, last: str = "") -> Page[str]:
            limits.append(limit)
            return Page([])

        def list_tags(self, name: str, limit: int | None = None, last: str = "") -> Page[str]:
            return self.list_repositories(limit, last)

    limits: list[int | None] = []
    client = Client(Application(Empty(registry)))
    for number in (999, 1000, 1001, 2**63):
        assert client.get(f"/v2/{path}?n={number}").status == 200
    assert limits == [999, 1000, 1000, 1000]


def test_what_is_no_number_is_not_repeated_whole(client: Client) -> None:
    answer = client.get(f"/v2/_catalog?n={'x' * 1000}")
    assert answer.json()["errors"][0]["detail"] == {"n": "x" * 64}


class TestReferrers:
    signature = "application/x.signature"
    sbom = "application/x.sbom"

    def push(self, client: Client) -> Digest:
        digest, manifest = push_image(client, "some/name", "v1")
        for kind, number in ((self.signature, "1"), (self.signature, "2"), (self.sbom, "3")):
            put_manifest(client, "some/name", f"t{number}", artifact(manifest, kind, number=number))
        return digest

    @pytest.fixture
    def subject(self, client: Client) -> Digest:
        return self.push(client)

    def test_all(self, client: Client, subject: Digest) -> None:
        answer = client.get(f"/v2/some/name/referrers/{subject}")
        document = answer.json()
        assert answer.field("content-type") == OCI_INDEX
        assert answer.field("oci-filters-applied") == ""
        assert (document["schemaVersion"], document["mediaType"]) == (2, OCI_INDEX)
        assert sorted(
            (each["mediaType"], each["artifactType"], each["annotations"]["number"])
            for each in document["manifests"]
        ) == [
            (OCI_MANIFEST, self.sbom, "3"),
            (OCI_MANIFEST, self.signature, "1"),
            (OCI_MANIFEST, self.signature, "2"),
        ]

    def test_filtered(self, client: Client, subject: Digest) -> None:
        for kind, count in ((self.signature, 2), (self.sbom, 1), ("application/x.other", 0)):
            answer = client.get(f"/v2/some/name/referrers/{subject}?artifactType={kind}")
            assert answer.field("oci-filters-applied") == "artifactType"
            assert [each["artifactType"] for each in answer.json()["manifests"]] == [kind] * count

    def test_a_deleted_referrer_is_gone(self, client: Client, subject: Digest) -> None:
        url = f"/v2/some/name/referrers/{subject}"
        first = client.get(url).json()["manifests"][0]["digest"]
        client.request("DELETE", f"/v2/some/name/manifests/{first}")
        assert first not in [each["digest"] for each in client.get(url).json()["manifests"]]

    def test_none(self, client: Client) -> None:
        push_blob(client, "some/name", b"{}")
        for name in ("some/name", "nowhere"):
            answer = client.get(f"/v2/{name}/referrers/{Digest.of(b'missing')}")
            assert (answer.status, answer.json()["manifests"]) == (200, [])

    def test_malformed_digest(self, client: Client) -> None:
        for reference in ("v1", "sha256:abc"):
            answer = client.get(f"/v2/some/name/referrers/{reference}")
            assert (answer.status, answer.code) == (400, "DIGEST_INVALID")

    def test_in_pages(self, registry: Registry) -> None:
        class OnePerPage(RegistryWrapper):
            def list_referrers(
                self, name: str, digest: Digest, artifact_type: str | None = None, last: str = ""
            ) -> Page[Descriptor]:
                found, _ = super().list_referrers(name, digest, artifact_type)
                rest = [each for each in found if each.digest > last]
                return Page(rest[:1], rest[0].digest if len(rest) > 1 else None)

        client = Client(Application(OnePerPage(registry)))
        subject = self.push(client)
        answer = client.get(f"/v2/some/name/referrers/{subject}?artifactType={self.signature}")
        assert "artifactType=application%2Fx.signature&last=sha256%3A" in answer.field("link")
        found = pages(client, f"/v2/some/name/referrers/{subject}?artifactType={self.signature}", "manifests")
        assert [len(page) for page in found] == [1, 1]

"""What no path, name or query can do."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.http_api.images import push_image
from tests.http_api.wsgi import Client
from udist_plugin.drivers import open_driver
from udist_plugin.http_api import routes
from udist_plugin.http_api.app import Application
from udist_plugin.http_api.routes import Route, match
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = Digest.of(b"")


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v2/", Route("base")),
        ("/v2", Route("base")),
        ("/v2/_catalog", Route("catalog")),
        ("/v2/a/tags/list", Route("tags", "a", "list")),
        ("/v2/a/b/manifests/v1", Route("manifest", "a/b", "v1")),
        ("/v2/a/blobs/uploads/", Route("uploads", "a")),
        ("/v2/a/blobs/uploads", Route("uploads", "a")),
        ("/v2/a/blobs/uploads/id", Route("upload", "a", "id")),
        ("/v2/a/referrers/x", Route("referrers", "a", "x")),
        ("/v2/manifests/manifests/tags", Route("manifest", "manifests", "tags")),
        ("/v2/a/blobs/uploads/manifests/v1", Route("manifest", "a/blobs/uploads", "v1")),
        ("/v2/tags/list/tags/list", Route("tags", "tags/list", "list")),
        ("/v2/a/blobs/blobs/uploads/", Route("uploads", "a/blobs")),
        ("/v2/uploads/blobs/uploads/uploads", Route("upload", "uploads", "uploads")),
    ],
)
def test_routes(path: str, route: Route) -> None:
    assert match(path) == route


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/v1/",
        "/v2/x",
        "/v2/a/b",
        "/v2/a/tags/other",
        "/v2/tags/list",
        "/v2/a/uploads/x",
        "/v3/a/tags/list",
    ],
)
def test_unknown_endpoints(path: str, client: Client) -> None:
    answer = client.get(path)
    assert (answer.status, answer.code) == (404, "UNSUPPORTED")


def test_long_paths_are_not_kept() -> None:
    """A client's long paths, each another, would be kept for as long as the process runs."""
    before = routes._kept_match.cache_info()
    for length in (routes.KEPT_LENGTH, 10_000):
        path = f"/v2/a/manifests/{'x' * length}"
        assert match(path) == Route("manifest", "a", "x" * length)
    assert routes._kept_match.cache_info() == before
    match(f"/v2/a/manifests/{time.monotonic_ns()}")
    assert routes._kept_match.cache_info().misses == before.misses + 1


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "../../etc",
        "a/../b",
        "a//b",
        "/a",
        "a/",
        "A",
        "a%2f..%2fb",
        "a%5cb",
        "a%00b",
        "%00",
        "a%0d%0aX:%20y",
        "a b",
        "ä",
        "%ff",
        "_uploads",
        ".a",
        "a/_layers",
        "x" * 256,
        "x" * 100_000,
    ],
)
@pytest.mark.parametrize(
    ("method", "endpoint"),
    [
        ("GET", "tags/list"),
        ("PUT", "manifests/v1"),
        ("POST", "blobs/uploads/"),
        ("DELETE", f"blobs/{DIGEST}"),
        ("GET", f"referrers/{DIGEST}"),
    ],
)
def test_malformed_names(client: Client, name: str, method: str, endpoint: str) -> None:
    answer = client.request(method, f"/v2/{name}/{endpoint}".replace("ä", "%c3%a4"))
    assert (answer.status, answer.code) == (400, "NAME_INVALID")
    assert len(answer.content) < 2000
    assert answer.json()["errors"][0]["message"] == "invalid repository name"


def test_an_escaped_slash_is_a_slash(client: Client) -> None:
    for name in ("team%2fapp", "team%2Fapp", "te%61m/app"):
        answer = client.request("POST", f"/v2/{name}/blobs/uploads/")
        assert answer.status == 202
        assert (answer.field("location") or "").startswith("/v2/team/app/blobs/uploads/")


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/v2/", "GET, HEAD"),
        ("/v2/_catalog", "GET, HEAD"),
        ("/v2/a/tags/list", "GET, HEAD"),
        ("/v2/a/manifests/v1", "GET, HEAD, PUT, DELETE"),
        (f"/v2/a/blobs/{DIGEST}", "GET, HEAD, DELETE"),
        ("/v2/a/blobs/uploads/", "POST"),
        ("/v2/a/blobs/uploads/id", "GET, PUT, PATCH, DELETE, HEAD"),
        (f"/v2/a/referrers/{DIGEST}", "GET, HEAD"),
    ],
)
def test_methods(client: Client, path: str, allow: str) -> None:
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "x"} - set(allow.split(", ")):
        answer = client.request(method, path)
        assert (answer.status, answer.field("allow")) == (405, allow)
        if method != "HEAD":
            assert answer.code == "UNSUPPORTED"
    options = client.request("OPTIONS", path)
    assert (options.status, options.field("allow")) == (200, allow)


def test_nothing_is_written_outside_the_store(tmp_path: Path) -> None:
    store = tmp_path / "store"
    client = Client(
        Application(
            StorageRegistry(open_driver("filesystem", {"rootdirectory": str(store)}, scratch=paths.SCRATCH))
        )
    )
    for name in ("..", "../..", "a/../..", "%2e%2e", "a/%2e%2e/%2e%2e"):
        client.request("POST", f"/v2/{name}/blobs/uploads/?digest={DIGEST}")
        client.request("PATCH", f"/v2/a/blobs/uploads/{name}", content=b"x")
        client.request("PUT", f"/v2/a/manifests/{name}", content=b"{}")
    assert list(tmp_path.iterdir()) in ([], [store])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


segments = st.sampled_from(
    [
        "v2",
        "a",
        "..",
        ".",
        "",
        "_catalog",
        "tags",
        "list",
        "manifests",
        "v1",
        "blobs",
        "uploads",
        "referrers",
        DIGEST,
    ]
) | st.text(max_size=8).map(lambda text: "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "replace")))
queries = st.lists(
    st.tuples(
        st.sampled_from(
            ["n", "last", "digest", "mount", "from", "tag", "artifactType", "digest-algorithm", "&", ""]
        ),
        st.text(st.characters(codec="latin-1", exclude_characters="?#"), max_size=12)
        | st.sampled_from([DIGEST, "sha512", "1", "0", "-1", "a", "%00", "%", "%zz", "%ff"]),
    ),
    max_size=4,
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))
fields = st.dictionaries(
    st.sampled_from(
        [
            "Range",
            "If-Range",
            "If-Match",
            "If-None-Match",
            "Content-Range",
            "Content-Type",
            "Accept",
            "Content-Length",
        ]
    ),
    st.text(st.characters(codec="latin-1"), max_size=20)
    | st.sampled_from(["bytes=0-", "0-1", "*", "-", "4"]),
    max_size=3,
)


@pytest.fixture(scope="module")
def kept() -> Client:
    """A client of a registry with something in it, for all examples."""
    client = Client(Application(StorageRegistry(open_driver("inmemory", {}, scratch=paths.SCRATCH))))
    push_image(client, "a", "v1")
    return client


@settings(max_examples=400, deadline=None)
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
    path=st.lists(segments, max_size=6).map(lambda parts: "/v2/" + "/".join(parts)),
    query=queries,
    sent=fields,
    content=st.binary(max_size=20),
)
def test_garbage_is_answered_in_the_specifications_words(
    kept: Client, method: str, path: str, query: str, sent: dict[str, str], content: bytes
) -> None:
    answer = kept.request(method, f"{path}?{query}", sent, content)
    assert answer.status < 500, answer.log
    assert answer.log == ""
    if answer.status >= 400 and method != "HEAD":
        errors = json.loads(answer.content)["errors"]
        assert errors
        assert all(error["code"].isupper() and error["message"] for error in errors)
        assert answer.field("content-type") == "application/json"

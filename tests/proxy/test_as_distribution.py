"""The same requests to distribution and to udist, as caches of the same upstream with the same file: the same
statuses and the same requests to the upstream, with exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.http_api.images import CONFIG
from tests.link.waiting import until
from tests.proxy.upstreams import (
    ACCEPT,
    IMAGE,
    INDEX,
    LAYER,
    NAME,
    OTHER,
    RANGED,
    SMALL,
    Forwarding,
    configuration,
    is_stored,
    stock_proxy,
    udist_proxy,
    upstream,
)
from tests.remote.serving import Answer
from tests.storage.stock import DEBIANS
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_MANIFEST

if TYPE_CHECKING:
    from pathlib import Path

    from tests.proxy.upstreams import Send

MISSING = Digest.of(b"missing")
BLOB = f"/v2/{NAME}/blobs/{Digest.of(LAYER)}"
MANIFEST = f"/v2/{NAME}/manifests/{Digest.of(IMAGE)}"


KINDS = ("digest", "blob")
TOLD = {401: 401, 403: 403, 500: 502, 503: 503, 429: 429}
"""What is answered here when the upstream answers so."""

NAMES = {
    Digest.of(content): name
    for name, content in {
        "CONFIG": CONFIG,
        "IMAGE": IMAGE,
        "INDEX": INDEX,
        "LAYER": LAYER,
        "MISSING": b"missing",
        "OTHER": OTHER,
        "SMALL": SMALL,
    }.items()
}


class Seen(NamedTuple):
    """The status, and what the upstream was asked for, without the repository."""

    status: int
    asked: list[str]


class Use:
    """Requests by name, and what was seen of each."""

    def __init__(self, send: Send, forwarding: Forwarding, root: Path) -> None:
        self._send = send
        self._forwarding = forwarding
        self._root = root
        self.seen: dict[str, Seen] = {}

    def __call__(self, name: str, method: str, target: str, content: bytes = b"", **fields: str) -> None:
        headers = {key.replace("_", "-"): value for key, value in {**ACCEPT, **fields}.items()}
        answer = self._send(method, target, content, headers)
        asked = [each.replace(f"/v2/{NAME}/", "") for each in self._forwarding.taken()]
        for digest, called in NAMES.items():
            asked = [each.replace(digest, called) for each in asked]
        self.seen[name] = Seen(answer.status, asked)

    def everything(self) -> None:
        self.pull()
        self.change()
        self.trouble()

    def pull(self) -> None:
        self("HEAD of a cold tag", "HEAD", f"/v2/{NAME}/manifests/all")
        self("cold tag", "GET", f"/v2/{NAME}/manifests/all")
        self("warm tag", "GET", f"/v2/{NAME}/manifests/all")
        self("HEAD of a warm tag", "HEAD", f"/v2/{NAME}/manifests/all")
        self("cold digest", "GET", MANIFEST)
        self("warm digest", "GET", MANIFEST)
        self("HEAD of a warm digest", "HEAD", MANIFEST)
        self("a tag of what is stored", "GET", f"/v2/{NAME}/manifests/v1")
        etag = f'"{Digest.of(IMAGE)}"'
        self("not modified", "GET", f"/v2/{NAME}/manifests/v1", If_None_Match=etag)
        self("HEAD of a cold blob", "HEAD", f"/v2/{NAME}/blobs/{Digest.of(CONFIG)}")
        self("range of a cold blob", "GET", f"/v2/{NAME}/blobs/{Digest.of(RANGED)}", Range="bytes=2-4")
        self("cold blob", "GET", BLOB)
        until(lambda: is_stored(self._root, Digest.of(LAYER)))
        self("warm blob", "GET", BLOB)
        self("HEAD of a warm blob", "HEAD", BLOB)
        self("range of a warm blob", "GET", BLOB, Range="bytes=2-4")
        self("unknown tag", "GET", f"/v2/{NAME}/manifests/nowhere")
        self("unknown digest", "GET", f"/v2/{NAME}/manifests/{MISSING}")
        self("unknown blob", "GET", f"/v2/{NAME}/blobs/{MISSING}")
        self("unknown repository", "GET", "/v2/library/nothing/manifests/v1")
        self("tags", "GET", f"/v2/{NAME}/tags/list")
        self("a page of tags", "GET", f"/v2/{NAME}/tags/list?n=1")
        self("tags of an unknown repository", "GET", "/v2/library/nothing/tags/list")
        self("catalog", "GET", "/v2/_catalog")
        self("base", "GET", "/v2/")

    def change(self) -> None:
        uploads = f"/v2/{NAME}/blobs/uploads/"
        self("POST an upload", "POST", uploads)
        self("POST a blob", "POST", f"{uploads}?digest={Digest.of(SMALL)}", SMALL)
        self("mount", "POST", f"{uploads}?mount={Digest.of(SMALL)}&from=library/other")
        self("PUT a manifest", "PUT", f"/v2/{NAME}/manifests/v9", OTHER, Content_Type=OCI_MANIFEST)
        self("DELETE a manifest", "DELETE", MANIFEST)
        self("DELETE a blob", "DELETE", BLOB)
        self("DELETE a tag", "DELETE", f"/v2/{NAME}/manifests/all")
        self("a tag that was deleted", "GET", f"/v2/{NAME}/manifests/all")

    def trouble(self) -> None:
        for status in (401, 403, 404, 500, 503, 429):
            fields = [("retry-after", "1")] if status == 429 else []
            self._forwarding.trouble = Answer(status, fields)
            self(f"{status}: tag", "GET", f"/v2/{NAME}/manifests/v1")
            self(f"{status}: digest", "GET", MANIFEST)
            self(f"{status}: blob", "GET", BLOB)
            self(f"{status}: unknown tag", "GET", f"/v2/{NAME}/manifests/v2")
            self(f"{status}: unknown digest", "GET", f"/v2/{NAME}/manifests/{Digest.of(OTHER)}")
            self(f"{status}: unknown blob", "GET", f"/v2/{NAME}/blobs/{Digest.of(SMALL)}")
            self(f"{status}: tags", "GET", f"/v2/{NAME}/tags/list")
        self._forwarding.trouble = None


def observed(version: str, folder: Path, *, ours: bool) -> dict[str, Seen]:
    folder.mkdir()
    with upstream(folder / "upstream") as (forwarding, url):
        configured = configuration(url, folder / "store")
        proxy = udist_proxy(configured) if ours else stock_proxy(configured, folder / "c.yml", version)
        with proxy as send:
            use = Use(send, forwarding, folder / "store")
            use.everything()
            return use.seen


V3, V2 = "registry", DEBIANS

DIFFERENT: dict[str, dict[str, tuple[int, int]]] = {
    V3: {
        "range of a cold blob": (200, 206),
        "404: unknown digest": (500, 404),
        "404: tags": (200, 404),
        **{f"{status}: unknown tag": (404, told) for status, told in TOLD.items()},
        **{f"{status}: tags": (200, told) for status, told in TOLD.items()},
        **{f"{status}: unknown {kind}": (500, TOLD[status]) for status in (500, 503) for kind in KINDS},
    },
    V2: {
        "range of a cold blob": (200, 206),
        "unknown digest": (500, 404),
        "404: unknown digest": (500, 404),
        "404: tags": (200, 404),
        **{f"{status}: unknown tag": (404, told) for status, told in TOLD.items()},
        **{f"{status}: tags": (200, told) for status, told in TOLD.items()},
        **{f"{status}: unknown {kind}": (500, told) for status, told in TOLD.items() for kind in KINDS},
    },
}
"""The requests that are answered otherwise: with which status there, and with which here."""

FEWER = {
    "HEAD of a cold tag": (["HEAD manifests/all", "GET manifests/all"], ["HEAD manifests/all"]),
    "cold tag": (["HEAD manifests/all"], ["HEAD manifests/all", "GET manifests/INDEX"]),
    "HEAD of a cold blob": (["HEAD blobs/CONFIG", "GET blobs/CONFIG"], ["HEAD blobs/CONFIG"]),
    "cold blob": (["HEAD blobs/LAYER", "GET blobs/LAYER"], ["GET blobs/LAYER"]),
    "unknown tag": (["HEAD manifests/nowhere", "GET manifests/nowhere"], ["HEAD manifests/nowhere"]),
    "unknown blob": (["HEAD blobs/MISSING"], ["GET blobs/MISSING"]),
    "500: tag": (["HEAD manifests/v1", "GET manifests/v1"], ["HEAD manifests/v1"]),
}
"""What distribution 3 asks the upstream, and what is asked here, where that is not the same."""


@pytest.mark.parametrize("version", [V3, V2])
def test_the_same_requests_have_the_same_statuses(version: str, tmp_path: Path) -> None:
    theirs = observed(version, tmp_path / "theirs", ours=False)
    ours = observed(version, tmp_path / "ours", ours=True)
    different = {
        name: (theirs[name].status, ours[name].status)
        for name in theirs
        if theirs[name].status != ours[name].status
    }
    assert different == DIFFERENT[version]
    if version == V3:
        assert {name: (theirs[name].asked, ours[name].asked) for name in FEWER} == FEWER
    for name in ours.keys() - {"cold tag"}:
        assert len(ours[name].asked) <= len(theirs[name].asked), name

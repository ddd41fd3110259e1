"""A call of each kind to a registry, and how many requests to its store each one takes."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Ask = Callable[[str, str, Mapping[str, str], bytes], tuple[int, str]]
    """Sends a method, target, fields and content; gives status and location."""

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
REPOSITORY: Final = "/v2/bench/requests"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Counter:
    """Makes calls with ``ask``; ``requests`` is a list that grows with each request to the store."""

    def __init__(self, ask: Ask, requests: list[str]) -> None:
        self._ask = ask
        self._requests = requests
        self.counts: dict[str, int] = {}

    def call(self, name: str, method: str, target: str, content: bytes = b"", **fields: str) -> str:
        """Counts a call under ``name``, if it has one. Its answer's location."""
        before = len(self._requests)
        status, location = self._ask(method, target, fields, content)
        assert status < 300 or (name.endswith("unknown") and status == 404), (name, method, target, status)
        if name:
            self.counts[name] = len(self._requests) - before
        return location


def count(ask: Ask, requests: list[str]) -> dict[str, int]:
    """The requests of each call. All are made once before they count, with other content."""
    counter = Counter(ask, requests)
    for number in range(2):
        _push_blobs(counter, number)
        _pull_blobs(counter, number)
        _push_manifests(counter, number)
        _pull_manifests(counter, number)
        _delete(counter, number)
    return counter.counts


def _config(number: int) -> bytes:
    return f"configuration {number}".encode()


def _layer(number: int) -> bytes:
    return f"layer {number}".encode() * 500


def _manifest(number: int, **annotations: str) -> bytes:
    def descriptor(kind: str, content: bytes) -> dict[str, Any]:
        media_type = f"application/vnd.oci.image.{kind}"
        return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}

    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor("config.v1+json", _config(number)),
        "layers": [descriptor("layer.v1.tar", _layer(number))],
        "annotations": annotations,
    }
    return json.dumps(document).encode()


def _ended(location: str, content: bytes) -> str:
    """The target that ends an upload."""
    return f"{location}{'&' if '?' in location else '?'}digest={digest_of(content)}"


def _push_blobs(counter: Counter, number: int) -> None:
    uploads = f"{REPOSITORY}/blobs/uploads/"
    layer, patched = _layer(number), b"patched " + _layer(number)
    started = counter.call("start an upload", "POST", uploads)
    counter.call("end it with the whole blob", "PUT", _ended(started, layer), layer)
    started = counter.call("", "POST", uploads)
    counter.call("", "PUT", _ended(started, _config(number)), _config(number))
    started = counter.call("", "POST", uploads)
    location = counter.call("PATCH an upload", "PATCH", started, patched)
    location = counter.call("GET its status", "GET", location)
    counter.call("end it, PATCHed", "PUT", _ended(location, patched))
    counter.call("cancel an upload", "DELETE", counter.call("", "POST", uploads))
    mount = f"mount={digest_of(layer)}&from={REPOSITORY.removeprefix('/v2/')}"
    counter.call("mount a blob", "POST", f"{REPOSITORY}-too/blobs/uploads/?{mount}")


def _pull_blobs(counter: Counter, number: int) -> None:
    blob = f"{REPOSITORY}/blobs/{digest_of(_layer(number))}"
    counter.call("HEAD a blob", "HEAD", blob)
    counter.call("HEAD a blob that is unknown", "HEAD", f"{REPOSITORY}/blobs/{digest_of(b'unknown')}")
    counter.call("GET a blob", "GET", blob)
    counter.call("GET a range of a blob", "GET", blob, range="bytes=1-5")


def _push_manifests(counter: Counter, number: int) -> None:
    manifest, other = _manifest(number), _manifest(number, tagged="no")
    fields = {"content-type": MANIFEST}
    counter.call("PUT a manifest by tag", "PUT", f"{REPOSITORY}/manifests/v{number}", manifest, **fields)
    counter.call("PUT the same again", "PUT", f"{REPOSITORY}/manifests/v{number}", manifest, **fields)
    by_digest = f"{REPOSITORY}/manifests/{digest_of(other)}"
    counter.call("PUT a manifest by digest", "PUT", by_digest, other, **fields)


def _pull_manifests(counter: Counter, number: int) -> None:
    by_digest = f"{REPOSITORY}/manifests/{digest_of(_manifest(number))}"
    for how, target in (("tag", f"{REPOSITORY}/manifests/v{number}"), ("digest", by_digest)):
        for method in ("HEAD", "GET"):
            counter.call(f"{method} a manifest by {how}", method, target, accept=MANIFEST)
    counter.call("list the tags", "GET", f"{REPOSITORY}/tags/list")


def _delete(counter: Counter, number: int) -> None:
    counter.call("DELETE a manifest", "DELETE", f"{REPOSITORY}/manifests/{digest_of(_manifest(number))}")
    counter.call("DELETE a blob", "DELETE", f"{REPOSITORY}/blobs/{digest_of(_layer(number))}")

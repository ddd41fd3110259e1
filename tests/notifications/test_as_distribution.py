"""The same requests to distribution and to udist, with the same file: the same events, with exceptions."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from tests.http_api.images import ALL, CONFIG, descriptor, image, index
from tests.http_api.wsgi import Client
from tests.link.waiting import until
from tests.remote.serving import Answer, Served, serving
from tests.storage.stock import DEBIANS, running
from udist_plugin import create_app
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import DOCKER_MANIFEST_LIST, OCI_INDEX, OCI_LAYER_TAR, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Send = Callable[[str, str, bytes, Mapping[str, str]], tuple[int, str]]
    """Method, target, content and fields to a status and the path that ``Location`` names."""

    Events = dict[str, list[dict[str, Any]]]
    """By the name of the request that caused them."""

BLOB = b"0123456789"
EMPTY = b""
IMAGE = image(layers=[descriptor(BLOB, OCI_LAYER_TAR, annotations={"title": "a"})])
INDEX = index(descriptor(IMAGE, OCI_MANIFEST, platform={"architecture": "amd64", "os": "linux"}))
LIST = index(
    descriptor(IMAGE, OCI_MANIFEST, platform={"architecture": "amd64", "os": "linux"}),
    media_type=DOCKER_MANIFEST_LIST,
)
MISSING = Digest.of(b"missing")
V3, V2 = "registry", DEBIANS
LAST = "the last one"


class Use:
    """Requests, each with its name as its User-Agent, which comes back in the events; ``statuses`` are their
    responses'."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.statuses: dict[str, int] = {}

    def __call__(self, name: str, method: str, target: str, content: bytes = b"", **fields: str) -> str:
        headers = {key.replace("_", "-"): value for key, value in fields.items()}
        self.statuses[name], location = self._send(method, target, content, {"User-Agent": name, **headers})
        return location

    def blob(self, name: str, repository: str, content: bytes) -> None:
        location = self(f"{name}: POST", "POST", f"/v2/{repository}/blobs/uploads/")
        mark = "&" if "?" in location else "?"
        self(f"{name}: PUT", "PUT", f"{location}{mark}digest={Digest.of(content)}", content)

    def manifest(self, name: str, reference: str, content: bytes, media_type: str = OCI_MANIFEST) -> None:
        self(name, "PUT", f"/v2/a/manifests/{reference}", content, Content_Type=media_type)

    def everything(self) -> None:
        self.blob("blob", "a", BLOB)
        self.blob("blob again", "a", BLOB)
        self.blob("config", "a", CONFIG)
        self.blob("empty blob", "a", EMPTY)
        self("blob in one POST", "POST", f"/v2/a/blobs/uploads/?digest={Digest.of(BLOB)}", BLOB)
        location = self("upload: POST", "POST", "/v2/a/blobs/uploads/")
        location = self("upload: PATCH", "PATCH", location, b"part")
        self("upload: DELETE", "DELETE", location)
        self.manifest("image by tag", "v1", IMAGE)
        self.manifest("image by tag again", "v1", IMAGE)
        self.manifest("image by another tag", "v2", IMAGE)
        self.manifest("image by digest", Digest.of(IMAGE), IMAGE)
        self.manifest("index", "index", INDEX, OCI_INDEX)
        self.manifest("list", "list", LIST, DOCKER_MANIFEST_LIST)
        self.manifest("image without its layer", "v3", image(b"missing"))
        self.pull()
        self.mount()
        self.delete()
        self.blob(LAST, "last", BLOB)

    def pull(self) -> None:
        for method in ("GET", "HEAD"):
            for reference in ("v1", Digest.of(IMAGE), "index", "list", "nowhere", MISSING):
                self(f"{method} {reference}", method, f"/v2/a/manifests/{reference}", Accept=ALL)
            for content in (BLOB, EMPTY, b"missing"):
                self(f"{method} blob {content!r}", method, f"/v2/a/blobs/{Digest.of(content)}")
        blob, etag = f"/v2/a/blobs/{Digest.of(BLOB)}", f'"{Digest.of(BLOB)}"'
        self("range", "GET", blob, Range="bytes=2-4")
        self("range past the end", "GET", blob, Range="bytes=20-40")
        self("blob not modified", "GET", blob, If_None_Match=etag)
        self(
            "manifest not modified",
            "GET",
            "/v2/a/manifests/v1",
            Accept=ALL,
            If_None_Match=f'"{Digest.of(IMAGE)}"',
        )
        self("not acceptable", "GET", "/v2/a/manifests/v1", Accept="text/html")
        self(
            "behind a proxy",
            "GET",
            blob,
            X_Forwarded_For="192.0.2.1, 192.0.2.2",
            X_Forwarded_Proto="https",
            X_Forwarded_Host="outside.example, inside.example",
        )
        self("tags", "GET", "/v2/a/tags/list")
        self("catalog", "GET", "/v2/_catalog")

    def mount(self) -> None:
        target = f"/v2/b/blobs/uploads/?mount={Digest.of(BLOB)}&from="
        self("mount", "POST", f"{target}a")
        self("mount again", "POST", f"{target}a")
        self("mount in vain", "POST", f"{target}nowhere")
        self("mount without from", "POST", f"/v2/b/blobs/uploads/?mount={Digest.of(BLOB)}")

    def delete(self) -> None:
        self("delete a tag", "DELETE", "/v2/a/manifests/list")
        self("delete a manifest", "DELETE", f"/v2/a/manifests/{Digest.of(IMAGE)}")
        self("delete it again", "DELETE", f"/v2/a/manifests/{Digest.of(IMAGE)}")
        self("delete a blob", "DELETE", f"/v2/a/blobs/{Digest.of(BLOB)}")
        self("delete what is not there", "DELETE", f"/v2/a/blobs/{MISSING}")


DIFFERENT = {
    V3: {"blob in one POST", "mount without from"},  # which distribution does not do
    V2: {"blob in one POST", "mount without from", "delete a tag"},  # nor this, by its name
}
"""The requests that cause no events there: distribution answers otherwise."""


def configuration(url: str, root: Path, version: str, **more: Any) -> dict[str, Any]:
    return {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(root)}, "delete": {"enabled": True}},
        "http": {"addr": "127.0.0.1:0", "secret": "a test"},
        "notifications": {
            "events": {"includereferences": True},
            "endpoints": [{"name": "test", "url": f"{url}/events", "timeout": "30s", **more}],
        },
        "udist": {"notifications": {"format": "v1" if version == V2 else "v2"}},
    }


@contextmanager
def stock(version: str, configured: dict[str, Any], folder: Path) -> Iterator[tuple[str, Send]]:
    """Distribution: its address, and what sends requests to it."""
    file = folder / "config.yml"
    file.write_text(json.dumps(configured))
    with running(version, file) as server:

        def send(method: str, target: str, content: bytes, fields: Mapping[str, str]) -> tuple[int, str]:
            connection = HTTPConnection(server.address, timeout=30)
            connection.request(method, target, content, dict(fields))
            with connection.getresponse() as response:  # content is left: 2.8 breaks it off after some 416
                location = response.getheader("location", "")
            connection.close()
            return response.status, location.removeprefix(f"http://{server.address}")

        yield server.address, send


@contextmanager
def udist(configured: dict[str, Any]) -> Iterator[tuple[str, Send]]:
    address = "registry.test:5000"
    with create_app(configured, {}) as app:
        client = Client(app, {"HTTP_HOST": address, "REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "9"})

        def send(method: str, target: str, content: bytes, fields: Mapping[str, str]) -> tuple[int, str]:
            answer = client.request(method, target, fields, content)
            return answer.status, answer.field("location")

        yield address, send


def received(endpoint: Served, address: str) -> Events:
    """What the endpoint got, once the last event is there; of what differs each time only the form."""
    until(
        lambda: (
            endpoint.asked and LAST.encode() in endpoint.asked[-1].body and b"PUT" in endpoint.asked[-1].body
        )
    )
    events: Events = {}
    for asked in endpoint.asked:
        assert (asked.method, asked.target) == ("POST", "/events")
        (event,) = json.loads(asked.body)["events"]
        name = event["request"].pop("useragent")
        event["content type"] = asked.headers["content-type"]
        events.setdefault(name, []).append(plain(event, address))
    for each in events.values():  # tags are deleted in any order
        each.sort(key=lambda event: event["target"].get("tag", "") if event["action"] == "delete" else "")
    return events


def plain(event: dict[str, Any], address: str) -> dict[str, Any]:
    for identity in (event.pop("id"), event["request"].pop("id"), event["source"].pop("instanceID")):
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", identity)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d)", event.pop("timestamp"))
    event["source"]["addr"] = event["source"]["addr"].partition(":")[0]
    text = json.dumps(event).replace(address, "ADDRESS")
    found: dict[str, Any] = json.loads(re.sub(r"127\.0\.0\.1:\d+", "CLIENT", text))
    return found


def observed(version: str, folder: Path, *, ours: bool, **more: Any) -> tuple[Use, Events]:
    with serving(lambda _: Answer(200)) as endpoint:
        configured = configuration(
            f"http://127.0.0.1:{endpoint.port}", folder / ("udist" if ours else "stock"), version, **more
        )
        with udist(configured) if ours else stock(version, configured, folder) as (address, send):
            use = Use(send)
            use.everything()
            return use, received(endpoint, address)


@pytest.mark.parametrize("version", [V3, V2])
def test_the_same_requests_cause_the_same_events(version: str, tmp_path: Path) -> None:
    use, theirs = observed(version, tmp_path, ours=False)
    own_use, ours = observed(version, tmp_path, ours=True)
    assert len(theirs) > 25
    assert {name for name in ours if ours[name] != theirs.get(name)} == DIFFERENT[version]
    assert ours.keys() - theirs.keys() == DIFFERENT[version] and not theirs.keys() - ours.keys()
    statuses = {name for name, status in own_use.statuses.items() if use.statuses[name] != status}
    assert statuses == DIFFERENT[version]


@pytest.mark.parametrize("version", [V3, V2])
def test_what_is_ignored_is_ignored_by_both(version: str, tmp_path: Path) -> None:
    """An event without a media type is filtered by an empty one; 2.8 does not know ``actions``."""
    ignored: dict[str, Any] = {
        "ignoredmediatypes": [OCI_MANIFEST],
        "ignore": {"mediatypes": ["", OCI_INDEX], "actions": ["pull"] if version == V3 else []},
    }
    _, theirs = observed(version, tmp_path, ours=False, **ignored)
    _, ours = observed(version, tmp_path, ours=True, **ignored)
    assert {name for name in ours if ours[name] != theirs.get(name)} == DIFFERENT[version] - {"delete a tag"}
    assert not {"image by tag", "index", "delete a blob"} & ours.keys()
    assert ("range" in ours) == (version == V2)

"""``policy.repository.classes``: the same pushes to distribution and to udist."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.http_api.images import CONFIG, descriptor, image, index, push_blob, put_manifest
from tests.http_api.wsgi import Client
from tests.storage.stock import DEBIANS, running
from udist_plugin import create_app
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import DOCKER_CONFIG, DOCKER_PLUGIN_CONFIG, OCI_CONFIG

if TYPE_CHECKING:
    from pathlib import Path

HELM = "application/vnd.cncf.helm.config.v1+json"
PUSHES = {
    "an image": image(),
    "Docker's image": image(docker=True),
    "a plugin": image(docker=True, config=descriptor(CONFIG, DOCKER_PLUGIN_CONFIG)),
    "OCI's plugin": image(config=descriptor(CONFIG, DOCKER_PLUGIN_CONFIG)),
    "a chart": image(config=descriptor(CONFIG, HELM)),
    "Docker's in OCI's": image(config=descriptor(CONFIG, DOCKER_CONFIG)),
    "OCI's in Docker's": image(docker=True, config=descriptor(CONFIG, OCI_CONFIG)),
    "an index": index(),
}


@pytest.mark.parametrize("program", ["registry", DEBIANS])
@pytest.mark.parametrize("classes", [["image"], ["plugin"], ["image", "plugin"], ["chart"], []], ids=str)
def test_the_same_manifests_are_denied_as_by_distribution(
    program: str, classes: list[str], tmp_path: Path
) -> None:
    policy = {"repository": {"classes": classes}}
    storage = {"filesystem": {"rootdirectory": str(tmp_path)}}
    config = tmp_path / "config.yml"
    http = {"addr": "127.0.0.1:0"}
    config.write_text(json.dumps({"version": 0.1, "storage": storage, "policy": policy, "http": http}))
    theirs, ours = {}, {}
    with running(program, config) as stock:
        stock.push_blob("a", Digest.of(CONFIG), CONFIG)
        for name, manifest in PUSHES.items():
            kind = json.loads(manifest)["mediaType"]
            there = stock.request("PUT", "/v2/a/manifests/v1", manifest, {"Content-Type": kind})
            theirs[name] = (there.status, there.content)
    with create_app({"version": 0.1, "storage": {"inmemory": {}}, "policy": policy}) as app:
        client = Client(app)
        push_blob(client, "a", CONFIG)
        for name, manifest in PUSHES.items():
            here = put_manifest(client, "a", "v1", manifest)
            ours[name] = (here.status, here.content)
    told = {name: (status, _told(content)) for name, (status, content) in ours.items()}
    assert told == {name: (status, _told(content)) for name, (status, content) in theirs.items()}
    assert (403 in {status for status, _ in ours.values()}) == bool(classes)


def _told(content: bytes) -> list[tuple[str, str]]:
    errors = json.loads(content)["errors"] if content else []
    return [(error["code"], error["message"]) for error in errors]

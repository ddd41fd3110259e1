"""What the extension refuses, and what its answers say."""

from __future__ import annotations

import json
import os
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.bootstrap.test_extension import GC, LEASES, client, root
from udist_plugin.cli.running import run
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import extension as storage_extension
from udist_plugin.storage import paths
from udist_plugin.storage.collection.collect import collect
from udist_plugin.storage.extension import StoreExtension
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from pathlib import Path

    from tests.http_api.wsgi import Client

__all__ = ["client", "root"]

UNUSED = Digest.of(b"unused")


def test_what_is_not_understood_releases_nothing(client: Client) -> None:
    made = client.request("PUT", f"{LEASES}/x", content=b'{"references": ["a:v1"]}').json()
    for target, content in (
        (f"{LEASES}/x?ref=a:v1", b""),
        (f"{LEASES}/x?reference=", b""),
        (f"{LEASES}/x?{'reference=a:v1&' * 256}reference=a:v2", b""),
        (f"{LEASES}/x", b'{"references": ["a:v1"]}'),
    ):
        assert client.request("DELETE", target, content=content).status == 400
    assert client.request("GET", LEASES).json() == made


def test_what_is_not_there_is_named(client: Client) -> None:
    answer = client.request("PUT", f"{LEASES}/x", content=b'{"references": ["a:v1", "a:v8", "b:v9"]}')
    details = [error["detail"] for error in answer.json()["errors"]]
    assert (answer.status, details) == (404, [{"reference": "a:v8"}, {"reference": "b:v9"}])
    answer = client.request("DELETE", f"{LEASES}/x")
    assert answer.json()["errors"][0]["message"] == "no such lease"


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("GET", GC, "POST"),
        ("POST", LEASES, "GET, HEAD"),
        ("POST", f"{LEASES}/x", "GET, HEAD, PUT, DELETE"),
    ],
)
def test_a_method_that_is_not_allowed(client: Client, method: str, target: str, allowed: str) -> None:
    answer = client.request(method, target)
    assert (answer.status, answer.field("Allow")) == (405, allowed)


def test_every_answer_says_that_it_is_a_registrys(client: Client) -> None:
    for method, target in ("POST", GC), ("GET", GC), ("GET", LEASES), ("GET", "/v2/_udist/x"):
        assert client.request(method, target).field("Docker-Distribution-Api-Version") == "registry/2.0"


def test_an_owner_is_repeated_as_it_was_sent(client: Client) -> None:
    answer = client.request("GET", f"{LEASES}/%C3%A9")
    assert answer.status == 400
    assert "owner: 'é' is not" in answer.json()["errors"][0]["detail"]["reason"]


def test_the_document_is_that_of_the_command(
    client: Client, root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", str(root))
    assert run(["gc", "--untagged", "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    answer = client.request("POST", f"{GC}?untagged=true").json()
    assert answer.pop("omitted") == {"manifests": 0, "blobs": 0}
    assert document["manifests"]
    assert answer == document


def test_the_cache_of_sizes_forgets_what_is_deleted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a plugin would say that it has a blob that it has not."""
    driver = FilesystemDriver.from_parameters({"rootdirectory": str(root)}, scratch=paths.SCRATCH)
    monkeypatch.setattr(storage_extension, "collect", partial(collect, pause=lambda _: None))
    told: list[Digest] = []
    store = StoreExtension(driver, StorageRegistry(driver), read_only=False, forget=told.append)
    driver.put_content(paths.blob_data(UNUSED), b"unused")
    then = time.time() - 2 * 24 * 3600
    for _ in range(2):
        for file in root.rglob("*"):
            os.utime(file, (then, then))
        applied, steps = store.collect(apply=True, untagged=False, restore=False, retention=None)
        found = [*steps]
    assert applied
    assert [step["action"] for step in found] == ["delete"]
    assert told == [UNUSED]

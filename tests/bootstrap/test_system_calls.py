"""How many calls of the operating system each small request takes on a file system: none may creep in.

Each gives up the interpreter and takes it back, which other threads may be waiting for.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.http_api.wsgi import Client
from udist_plugin.bootstrap.apps import create_app
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_EMPTY, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems take other calls")

CONFIG = b"{}"
NAME = "/v2/some/where"
NO_CALLS = {"fspath", "fsencode", "fsdecode", "geteuid"}
"""Functions of ``posix`` that ask the system nothing that matters."""


class Taken(NamedTuple):
    """What a request takes: ``calls`` of all kinds, the ``syncs`` included."""

    calls: int
    syncs: int = 0


def blob() -> Iterator[tuple[bytes, Digest]]:
    """Blobs in the same folder of the store, so that it stands for all but the first."""
    number = 0
    while True:
        content = b"%04096d" % number
        number += 1
        digest = Digest.of(content)
        if digest.hex.startswith("00"):
            yield content, digest


BLOBS = blob()


def manifest(number: int) -> bytes:
    config = {"mediaType": OCI_EMPTY, "digest": Digest.of(CONFIG), "size": len(CONFIG)}
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []}
    return json.dumps({**document, "annotations": {"number": str(number)}}).encode()


def manifests() -> Iterator[bytes]:
    number = 0
    while True:
        number += 1
        if Digest.of(content := manifest(number)).hex.startswith("00"):
            yield content


MANIFESTS = manifests()


def put_manifest(client: Client, tag: str, content: bytes) -> None:
    answer = client.request("PUT", f"{NAME}/manifests/{tag}", {"content-type": OCI_MANIFEST}, content)
    assert answer.status == 201, answer


def push_at_once(client: Client) -> None:
    content, digest = next(BLOBS)
    answer = client.request("POST", f"{NAME}/blobs/uploads/?digest={digest}", content=content)
    assert answer.status == 201, answer


def begin(client: Client) -> str:
    answer = client.request("POST", f"{NAME}/blobs/uploads/")
    assert answer.status == 202, answer
    return answer.field("location")


def push_with_put(client: Client) -> None:
    content, digest = next(BLOBS)
    answer = client.request("PUT", f"{begin(client)}?digest={digest}", content=content)
    assert answer.status == 201, answer


def push_with_patch(client: Client) -> None:
    content, digest = next(BLOBS)
    answer = client.request("PATCH", begin(client), content=content)
    assert answer.status == 202, answer
    answer = client.request("PUT", f"{answer.field('location')}?digest={digest}")
    assert answer.status == 201, answer


def push_new_tag(client: Client) -> None:
    content = next(MANIFESTS)
    put_manifest(client, Digest.of(content).hex[:32], content)


def push_old_tag(client: Client) -> None:
    put_manifest(client, "latest", next(MANIFESTS))


def ask(method: str, target: str) -> Callable[[Client], None]:
    def request(client: Client) -> None:
        answer = client.request(method, f"{NAME}/{target}")
        assert answer.status == 200, answer

    return request


REQUESTS: list[tuple[Callable[[Client], None], Taken]] = [
    (push_at_once, Taken(34, 6)),
    (push_with_put, Taken(50, 6)),
    (push_with_patch, Taken(65, 6)),
    (push_new_tag, Taken(69, 11)),
    (push_old_tag, Taken(63, 9)),
    (ask("GET", "manifests/kept"), Taken(8)),
    (ask("GET", f"manifests/{Digest.of(manifest(0))}"), Taken(5)),
    (ask("HEAD", "manifests/kept"), Taken(8)),
    (ask("HEAD", f"blobs/{Digest.of(CONFIG)}"), Taken(5)),
]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A registry that holds what is asked for, and whose folders have not changed for long."""
    root = str(tmp_path / "store")  # not made by pytest, for whom files have another mode
    with create_app({"version": "0.1", "storage": {"filesystem": {"rootdirectory": root}}}) as app:
        client = Client(app)
        answer = client.request("POST", f"{NAME}/blobs/uploads/?digest={Digest.of(CONFIG)}", content=CONFIG)
        assert answer.status == 201, answer
        put_manifest(client, "kept", manifest(0))
        yield client


def grow_old(folder: Path) -> None:
    for path, _, _ in os.walk(folder):
        os.utime(path, (1, 1))


@pytest.mark.parametrize(("request_", "taken"), REQUESTS)
def test_no_more_calls_than_these(
    client: Client, tmp_path: Path, request_: Callable[[Client], None], taken: Taken
) -> None:
    for _ in range(2):  # what is asked for once is known from then on
        request_(client)
        grow_old(tmp_path)
    counted: Counter[str] = Counter()

    def count(frame: FrameType, event: str, argument: object) -> None:
        if event == "c_call" and getattr(argument, "__module__", "") in ("posix", "fcntl"):
            counted[getattr(argument, "__name__", "")] += 1

    sys.setprofile(count)
    try:
        request_(client)
    finally:
        sys.setprofile(None)
    for name in NO_CALLS:
        del counted[name]
    assert Taken(counted.total(), counted["fsync"]) == taken, counted

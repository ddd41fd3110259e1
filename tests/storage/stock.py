"""Stock servers, served on loopback: Debian's docker-registry on a folder, or any version on any store."""

from __future__ import annotations

import json
import subprocess
import threading
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from tests.tools import require_tool
from udist_plugin.oci.media_types import MANIFESTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.storage.samples import Document
    from udist_plugin.oci.digest import Digest

DEBIANS = "docker-registry"
"""Distribution 2, as Debian packages it."""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> dict[str, object]:
        value = json.loads(self.content)
        assert isinstance(value, dict)
        return value


class Stock:
    """A client of the stock server, whose process is ``pid``."""

    def __init__(self, address: str, pid: int = 0) -> None:
        self.address = address
        self.pid = pid

    def request(
        self, method: str, target: str, content: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        connection = HTTPConnection(self.address, timeout=30)
        try:
            connection.request(method, target, content, headers or {})
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, fields, response.read())
        finally:
            connection.close()

    def start_upload(self, name: str) -> str:
        """The target to go on with."""
        answer = self.request("POST", f"/v2/{name}/blobs/uploads/")
        assert answer.status == 202, answer
        location = urlsplit(answer.headers["location"])
        return f"{location.path}?{location.query}"

    def push_blob(self, name: str, digest: Digest, content: bytes) -> None:
        target = self.start_upload(name)
        answer = self.request("PUT", f"{target}&digest={digest}", content)
        assert answer.status == 201, answer

    def push_manifest(self, name: str, document: Document, target: str) -> None:
        answer = self.request(
            "PUT", f"/v2/{name}/manifests/{target}", document.content, {"Content-Type": document.media_type}
        )
        assert answer.status == 201, answer

    def blob(self, name: str, digest: Digest) -> Answer:
        return self.request("GET", f"/v2/{name}/blobs/{digest}")

    def manifest(self, name: str, target: str) -> Answer:
        return self.request("GET", f"/v2/{name}/manifests/{target}", headers={"Accept": ", ".join(MANIFESTS)})

    def tags(self, name: str) -> list[str]:
        tags = self.request("GET", f"/v2/{name}/tags/list").json().get("tags") or []
        assert isinstance(tags, list)
        return sorted(tags)

    def repositories(self) -> list[str]:
        repositories = self.request("GET", "/v2/_catalog").json()["repositories"]
        assert isinstance(repositories, list)
        return repositories


@contextmanager
def serving(root: Path, config: Path, program: str = DEBIANS) -> Iterator[Stock]:
    """Runs a server on the folder ``root`` until the block ends."""
    with running(program, _write_config(root, config)) as stock:
        yield stock


@contextmanager
def running(program: str, config: Path) -> Iterator[Stock]:
    """Runs a server with a configuration whose address has port 0, until the block ends."""
    process = subprocess.Popen(
        [require_tool(program), "serve", str(config)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    drain = None
    try:
        for line in process.stderr:
            if "listening on " in line:
                address = line.partition("listening on ")[2].split('"')[0].split()[0]
                break
        else:
            raise AssertionError(f"{program} ended with status {process.wait(10)}")
        drain = threading.Thread(target=process.stderr.read)
        drain.start()
        yield Stock(address, process.pid)
    finally:
        process.kill()
        process.wait(10)
        if drain is not None:
            drain.join(10)
        process.stderr.close()


def collect_garbage(root: Path, config: Path, *options: str, program: str = DEBIANS) -> str:
    """Runs a server's collector over the folder and returns what it printed."""
    return collect_configured(program, _write_config(root, config), *options)


def collect_configured(program: str, config: Path, *options: str) -> str:
    """The same over what the configuration says."""
    done = subprocess.run(
        [require_tool(program), "garbage-collect", *options, str(config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _write_config(root: Path, config: Path) -> Path:
    # JSON is YAML; port 0 lets the system choose, and the log tells.
    config.write_text(
        json.dumps(
            {
                "version": 0.1,
                "log": {"level": "info"},
                "storage": {"filesystem": {"rootdirectory": str(root)}, "delete": {"enabled": True}},
                "http": {"addr": "127.0.0.1:0", "secret": "a test"},
                "validation": {"manifests": {"urls": {"allow": ["^https://"]}}},
            }
        )
    )
    return config

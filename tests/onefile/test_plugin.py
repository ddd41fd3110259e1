"""The plugin in the single file, in a root without Python. ``tests/campaigns/onefile.py`` asks more of it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.clients.conftest import installed
from tests.clients.node_program import building, run
from tests.conformance.plugin import RUNS
from tests.drivers.azure.conftest import container, parameters
from tests.drivers.gcs.conftest import bucket, endpoint
from tests.drivers.oss.server import oss
from tests.drivers.swift.account import Account
from tests.drivers.swift.server import PASSWORD, USER
from tests.onefile.building import start
from tests.onefile.roots import in_root
from tests.onefile.suites import conforms, go, node
from udist_plugin import Plugin, RemoteRegistry, Source, pull_artifact, push_artifact

if TYPE_CHECKING:
    from pathlib import Path

    from tests.drivers.s3.server import S3Server

__all__ = ["bucket", "container", "endpoint", "installed", "parameters"]

pytestmark = pytest.mark.timeout(900)  # the first builds the file


def round_trip(command: list[str], storage: dict[str, object], work: Path) -> None:
    (work / "notes").write_text("important\n")
    config = json.dumps({"version": 0.1, "storage": storage})
    with Plugin(config, {}, command) as plugin:
        registry = RemoteRegistry(plugin)
        push_artifact(registry, "demo/notes", [Source.of(str(work / "notes"))], tags=["v1"])
        pull_artifact(registry, "demo/notes", "v1", str(work / "restored"))
    assert (work / "restored" / "notes").read_text() == "important\n"


@pytest.mark.parametrize("words", [["/udist", "udist-plugin"], ["/bin/udist-plugin"]], ids=["word", "name"])
def test_it_is_the_plugin(onefile: Path, tmp_path: Path, words: list[str]) -> None:
    round_trip([*in_root(onefile), *words], {"inmemory": {}}, tmp_path)


def test_on_s3(onefile: Path, tmp_path: Path, minio_server: S3Server) -> None:
    storage: dict[str, object] = {"s3": minio_server.parameters(minio_server.bucket())}
    round_trip([*in_root(onefile), "/bin/udist-plugin"], storage, tmp_path)


def test_on_azure(onefile: Path, tmp_path: Path, parameters: dict[str, object]) -> None:
    round_trip([*in_root(onefile), "/bin/udist-plugin"], {"azure": parameters}, tmp_path)


def test_on_gcs(onefile: Path, tmp_path: Path, bucket: str, endpoint: str) -> None:
    command = in_root(onefile, "--setenv", "STORAGE_EMULATOR_HOST", endpoint)
    round_trip([*command, "/bin/udist-plugin"], {"gcs": {"bucket": bucket}}, tmp_path)


def test_on_oss(onefile: Path, tmp_path: Path, minio_server: S3Server) -> None:
    command = in_root(onefile, "--ro-bind", "/etc/hosts", "/etc/hosts")  # its endpoint has to be a name
    with oss(minio_server) as server:
        round_trip([*command, "/bin/udist-plugin"], {"oss": server.parameters()}, tmp_path)


def test_on_swift(onefile: Path, tmp_path: Path, swift_server: str) -> None:
    section = {"authurl": f"{swift_server}/auth/v1.0", "username": USER, "password": PASSWORD}
    with Account(swift_server, "onefile") as account:
        storage: dict[str, object] = {"swift": {**section, "container": account.name}}
        round_trip([*in_root(onefile), "/bin/udist-plugin"], storage, tmp_path)


def test_udist_finds_its_plugin(onefile: Path, tmp_path: Path) -> None:
    """Itself: there is no other, and no Python to run one."""
    command = in_root(onefile, "--bind", str(tmp_path), "/data", "--setenv", "XDG_DATA_HOME", "/data")
    push = subprocess.run([*command, "/udist", "push", "demo/file:v1", "/udist"], timeout=120, check=False)
    tags = subprocess.run(
        [*command, "/udist", "tags", "demo/file"], stdout=subprocess.PIPE, timeout=120, check=False
    )
    assert (push.returncode, tags.returncode, tags.stdout) == (0, 0, b"v1\n")


def test_a_process_has_the_program_s_name(onefile: Path, unpacked: Path) -> None:
    done = start(onefile, "exec", "--", "/bin/sh", "-c", "cat /proc/$PPID/comm", XDG_CACHE_HOME=str(unpacked))
    assert done.stdout == "udist\n"


@pytest.mark.parametrize(("version", "sparse", "least"), RUNS[-1:])
def test_it_conforms(
    onefile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, sparse: bool, least: int
) -> None:
    conforms(onefile, monkeypatch, version, sparse, least, tmp_path)


def test_go(onefile: Path, tmp_path: Path) -> None:
    said = go(onefile, tmp_path, "-test.v", "-test.run=^(TestRealFiles|TestRegistry|TestServeHTTP)$")
    assert said.count("\n--- PASS: ") + said.startswith("--- PASS: ") == 3


def test_node(onefile: Path, installed: None) -> None:
    with building():
        run("npm", "run", "build")
        run("npx", "tsc", "-p", "tsconfig.json")
        said = node(onefile, "fetch")
    assert "# fail 0" in said

"""``udist doctor``: whether the configured store can be used, and what is wrong with one that cannot."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sys
from importlib.metadata import EntryPoint, EntryPoints
from types import ModuleType
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.drivers.oss.server import oss
from tests.drivers.s3.server import ACCESS_KEY, REGION, SECRET_KEY
from tests.drivers.scripted import Reply, Request, scripted
from tests.drivers.swift.conftest import container, parameters
from udist_plugin.drivers import ENTRY_POINTS
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from tests.cli.conftest import Ran
    from tests.drivers.s3.server import S3Server
    from tests.drivers.swift.account import Account

    Udist = Callable[..., Ran]

__all__ = ["container", "parameters"]

ALL = ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
STEPS = ["reach", "write", "upload", "commit", "read", "list", "delete"]


def configure(path: Path, **storage: object) -> str:
    path.write_text(json.dumps({"version": 0.1, "storage": storage}))  # which is YAML
    return str(path)


def test_a_folder_is_well(udist: Udist, tmp_path: Path) -> None:
    ran = udist("doctor")
    assert ran.code == 0
    assert ran.err == ""
    store, *lines = ran.out.splitlines()
    assert store == f"store   filesystem: rootdirectory {tmp_path / 'store'}"
    assert [line.split()[0] for line in lines] == ["ok"] * 8
    assert not list((tmp_path / "store").rglob("doctor-*"))


@pytest.mark.parametrize(
    ("driver", "options", "key", "problem"),
    [
        (
            "filesystem: {rootdirectory: store}",
            "privatekey: /k",
            "name",
            "expected cloudfront to be the first",
        ),
        (
            "s3: {bucket: b, region: r}",
            "privatekey: /k",
            "options.privatekey",
            "cannot read /k: No such file",
        ),
    ],
)
@pytest.mark.parametrize("command", [("doctor", "--config"), ("config", "check")])
def test_middleware_with_which_no_plugin_starts_is_told(
    udist: Udist,
    work: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    driver: str,
    options: str,
    key: str,
    problem: str,
) -> None:
    monkeypatch.delenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY")
    (work / "config.yml").write_text(
        f"version: 0.1\nstorage: {{{driver}}}\nmiddleware:\n  storage:\n  - name: cloudfront\n"
        f"    options: {{baseurl: 'https://d.cloudfront.net', keypairid: K, {options}}}\n"
    )
    ran = udist(*command, "config.yml")
    assert ran.code == 4
    line = 5 if key == "name" else 6
    assert ran.err.startswith(f"udist: middleware.storage.0.{key} (config.yml:{line}): {problem}")


def test_the_place_of_any_store_is_told_without_logins(
    udist: Udist, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configure(work / "config.yml", fsspec={"url": "memory://someone:s3cret@host/folder"})
    monkeypatch.delenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY")
    ran = udist("doctor", "--config", config)
    assert ran.out.splitlines()[0] == "store   fsspec: url memory://******@host/folder"
    assert "s3cret" not in ran.out + ran.err


def test_what_the_file_system_lacks_is_told(udist: Udist, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    ran = udist("doctor")
    assert ran.code == 0
    assert "no flock here (No locks available)" in ran.err


def test_json_tells_each_step(udist: Udist, tmp_path: Path) -> None:
    told = json.loads(udist("doctor", "--json").out)
    assert (told["driver"], told["ok"]) == ("filesystem", True)
    assert told["store"] == {"rootdirectory": str(tmp_path / "store")}
    assert [step["step"] for step in told["steps"]] == STEPS
    assert all(step["ok"] and step["seconds"] >= 0 for step in told["steps"])


def test_nothing_is_written_to_a_store_that_is_read_only(
    udist: Udist, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED", "true")
    assert len(udist("doctor").out.splitlines()) == 3
    assert not (tmp_path / "store").exists()


def test_a_folder_that_cannot_be_written_to_is_named(udist: Udist, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store/docker").write_text("a file")
    ran = udist("doctor")
    assert ran.code == 1
    assert ran.out.splitlines()[-1].startswith("failed  small files can be written")
    assert "/docker/registry" in ran.err


def test_the_store_is_named_before_anything_is_tried(
    udist: Udist, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/dev/null")
    ran = udist("doctor")
    assert (ran.code, ran.out) == (4, "store   filesystem: rootdirectory /dev/null\n")
    assert "storage.filesystem.rootdirectory (REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY): " in ran.err
    monkeypatch.delenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert udist("doctor").out.startswith(f"store   filesystem: rootdirectory {tmp_path / 'udist'}\n")


@pytest.fixture
def unset(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY")


@pytest.mark.usefixtures("unset")
def test_a_bucket_is_well(udist: Udist, minio_server: S3Server, tmp_path: Path) -> None:
    bucket = minio_server.bucket()
    path = configure(tmp_path / "config.yml", s3=minio_server.parameters(bucket))
    ran = udist("doctor", "--config", path)
    assert (ran.code, ran.err) == (0, "")
    store, *lines = ran.out.splitlines()
    assert store == f"store   s3: bucket {bucket}, region {REGION}, regionendpoint {minio_server.url}"
    assert [line.split()[0] for line in lines] == ["ok"] * 9
    assert "large uploads can be sent in parts" in ran.out
    assert not list((minio_server.folder / bucket).rglob("doctor-*"))
    assert "Uploads" not in client(minio_server).list_multipart_uploads(Bucket=bucket)


@pytest.mark.usefixtures("unset")
def test_a_bucket_that_keeps_versions_is_not(udist: Udist, minio_server: S3Server, tmp_path: Path) -> None:
    with oss(minio_server) as server:
        path = configure(tmp_path / "config.yml", oss=server.parameters())
        assert udist("doctor", "--config", path).code == 0
        server.versioned = True
        ran = udist("doctor", "--config", path)
    assert ran.code == 1
    assert ran.out.splitlines()[-1].startswith("failed  no file is written where another stands")
    assert "use a bucket without versioning" in ran.out + ran.err


@pytest.mark.usefixtures("unset")
def test_a_container_of_swift_is_well(
    udist: Udist, parameters: dict[str, object], container: Account, tmp_path: Path
) -> None:
    path = configure(tmp_path / "config.yml", swift={**parameters, "secretkey": "secret"})
    ran = udist("doctor", "--config", path)
    assert (ran.code, ran.err) == (0, "")
    store, *lines = ran.out.splitlines()
    place = f"authurl {parameters['authurl']}, container {container.name}"
    assert store == f"store   swift: {place}"
    assert [line.split()[0] for line in lines] == ["ok"] * 11
    assert "temporary URLs serve files" in ran.out
    assert container.names() == []


def client(server: S3Server, service: str = "s3") -> Any:
    return boto3.client(
        service,
        endpoint_url=server.url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )


@pytest.mark.usefixtures("unset")
def test_permissions_for_large_uploads_are_named(
    udist: Udist, minio_server: S3Server, tmp_path: Path
) -> None:
    """Of credentials that may do all that small files need."""
    statement = {"Effect": "Allow", "Action": ALL, "Resource": ["arn:aws:s3:::*"]}
    given = client(minio_server, "sts").assume_role(
        RoleArn="arn:minio:iam::any:role/any",
        RoleSessionName="udist",
        DurationSeconds=900,
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )["Credentials"]
    bucket = minio_server.bucket()
    parameters = minio_server.parameters(
        bucket,
        accesskey=given["AccessKeyId"],
        secretkey=given["SecretAccessKey"],
        sessiontoken=given["SessionToken"],
    )
    ran = udist("doctor", "--config", configure(tmp_path / "config.yml", s3=parameters))
    assert ran.code == 1
    assert ran.out.splitlines()[-1].startswith("failed  large uploads")
    assert f"the bucket {bucket} denies" in ran.err
    assert ran.err.rstrip().endswith(
        "grant them s3:ListMultipartUploadParts, s3:AbortMultipartUpload, s3:ListBucketMultipartUploads"
    )
    assert not list((minio_server.folder / bucket).rglob("doctor-*/link"))


@pytest.mark.usefixtures("unset")
def test_a_store_that_was_not_reached_is_asked_for_nothing_more(udist: Udist, tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Reply:
        asked.append(request.method)
        return Reply(403, b"<Error><Code>AccessDenied</Code></Error>")

    with scripted(answer) as url:
        parameters = {"bucket": "b", "region": "r", "regionendpoint": url, "accesskey": "a", "secretkey": "b"}
        ran = udist("doctor", "--json", "--config", configure(tmp_path / "config.yml", s3=parameters))
    assert ran.code == 4
    assert asked == ["GET"]


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize(
    ("key", "value"), [("bucket", "not-there"), ("secretkey", "wrong"), ("accesskey", "nobody")]
)
def test_what_is_wrong_with_a_bucket_is_named(
    udist: Udist, minio_server: S3Server, tmp_path: Path, key: str, value: str
) -> None:
    parameters = minio_server.parameters(minio_server.bucket()) | {key: value}
    ran = udist("doctor", "--json", "--config", configure(tmp_path / "config.yml", s3=parameters))
    assert ran.code == 4
    told = json.loads(ran.out)
    assert not told["ok"]
    assert [step["ok"] for step in told["steps"]] == [False]
    detail = json.loads(ran.err)["errors"][0]["detail"]
    assert (detail["key"], detail["source"]) == (f"storage.s3.{key}", str(tmp_path / "config.yml") + ":1")
    assert parameters["bucket"] in told["steps"][0]["error"]


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize("protocol", ["memory", "file"])
def test_what_fsspec_reaches_is_well(udist: Udist, tmp_path: Path, protocol: str) -> None:
    url = f"{protocol}://{tmp_path / 'files'}"
    ran = udist("doctor", "--config", configure(tmp_path / "config.yml", fsspec={"url": url}))
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == ["ok"] * 10
    assert "files can be replaced" in ran.out
    assert "files can be written in pieces" in ran.out


def refuse() -> None:
    raise StorageError("no locks here", driver="mine")


def break_down() -> None:
    raise LookupError("nonsense")


@pytest.fixture
def mine(unset: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The ``checkup`` of a driver that another package adds; the configuration at ``config.yml`` names it."""
    module = ModuleType("mine")
    driver = type("Mine", (InMemoryDriver,), {"name": "mine", "checkup": "mine"})
    monkeypatch.setattr(module, "Mine", driver, raising=False)
    monkeypatch.setitem(sys.modules, "mine", module)
    added = EntryPoints([EntryPoint("mine", "mine:Mine", ENTRY_POINTS)])
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: added.select(group=group))
    configure(tmp_path / "config.yml", mine={})
    return module


@pytest.mark.parametrize(
    ("step", "code", "line", "error"),
    [
        (("lock", int), 0, "ok      files can be locked (", ""),
        (("other", int), 0, "ok      other (", ""),
        (("lock", refuse), 1, "failed  files can be locked (", "no locks here"),
        (("lock", break_down), 1, "failed  files can be locked (", "LookupError: nonsense"),
        ((), 4, "ok      folders can be listed (", "mine.steps failed: ValueError"),
    ],
)
def test_a_driver_of_another_package_adds_steps(
    udist: Udist, mine: ModuleType, tmp_path: Path, step: object, code: int, line: str, error: str
) -> None:
    vars(mine).update(SAID={"lock": "files can be locked"}, steps=lambda *_: [step])
    ran = udist("doctor", "--config", str(tmp_path / "config.yml"))
    assert ran.code == code
    assert error in ran.err
    assert [each for each in ran.out.splitlines() if each.startswith(line)]


def test_steps_that_cannot_be_imported_are_named(
    udist: Udist, mine: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(vars(mine)["Mine"], "checkup", "no_such_checkup")
    ran = udist("doctor", "--config", str(tmp_path / "config.yml"))
    assert ran.code == 4
    assert "storage.mine: " in ran.err
    assert "No module named 'no_such_checkup'" in ran.err

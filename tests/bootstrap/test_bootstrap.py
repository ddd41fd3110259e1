"""A configuration becomes the registry it describes."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import logging
import os
import subprocess
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.house.test_imports import SLOW
from udist_plugin.bootstrap.apps import create_app
from udist_plugin.bootstrap.services import build_service
from udist_plugin.config import load
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import ConfigurationError, StorageError
from udist_plugin.oci import digest as oci_digest
from udist_plugin.oci import manifest as oci_manifest
from udist_plugin.oci.digest import Digest
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.upkeep.schedule import Purging

if TYPE_CHECKING:
    from pathlib import Path

    from udist_plugin.service import RegistryApp

INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
MISSING = "MANIFEST_BLOB_UNKNOWN"
INVALID = "MANIFEST_INVALID"
EMPTY = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": f"sha256:{'0' * 64}", "size": 2}


def ask(
    app: RegistryApp, method: str, target: str, content: bytes = b"", media_type: str = ""
) -> tuple[int, Any]:
    """Status and JSON of one answer; no JSON is ``None``."""
    answer: list[Any] = []
    path, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_URI": target,
        "CONTENT_LENGTH": str(len(content)),
        "CONTENT_TYPE": media_type,
        "wsgi.input": io.BytesIO(content),
    }
    body = b"".join(app(environ, lambda status, fields, *_: answer.extend((status, fields))))
    return int(answer[0].split()[0]), json.loads(body) if body else None


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def purgers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "udist-purge"]


def manifest(**more: object) -> bytes:
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": EMPTY, "layers": [], **more}
    return json.dumps(document).encode()


def test_the_ways_to_give_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    text = "version: 0.1\nstorage: inmemory\nhttp: {prefix: /a/}\n"
    path.write_text(text)
    typed = load(text, {}).configuration
    mapping = {"storage": {"inmemory": None}, "http": {"prefix": "/a/"}}
    for config in (text, path, mapping, typed):
        with create_app(config) as app:
            assert ask(app, "GET", "/a/v2/") == (200, {})


def test_variables_go_over_it_and_the_process_s_own_are_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REGISTRY_HTTP_PREFIX", "/b/")
    with create_app("version: 0.1\nstorage: inmemory", {"REGISTRY_HTTP_DRAINTIMEOUT": "3s"}) as app:
        assert ask(app, "GET", "/v2/") == (200, {})
        assert app.drain_timeout == 3.0


def test_variables_beside_a_typed_configuration_are_refused() -> None:
    typed = load({"storage": "inmemory"}, {}).configuration
    with pytest.raises(ConfigurationError, match="already typed"):
        create_app(typed, {"REGISTRY_LOG_LEVEL": "debug"})


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.yml: cannot be read: No such file"):
        create_app(tmp_path / "missing.yml")
    (tmp_path / "binary.yml").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match=r"binary\.yml: not UTF-8 at byte 0"):
        create_app(tmp_path / "binary.yml")
    (tmp_path / "wrong.yml").write_text("version: 0.1\nlog: {level: loud}\n")
    with pytest.raises(ConfigurationError, match=r"log\.level \(.*wrong\.yml:2\)"):
        create_app(tmp_path / "wrong.yml")


def test_what_there_is_to_say_of_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "udist_plugin")
    create_app({"storage": "inmemory", "http": {"addr": ":5000"}, "lgo": {}}).close()
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "lgo (configuration): unknown key, ignored; did you mean log?"),
        ("INFO", "no effect here: http.addr (configuration)"),
    ]


def test_everything_that_is_wrong_is_told_at_once_what_the_driver_meets_too(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("version: 0.1\nstorage: {filesystem: {rootdirectory: /dev/null}}\nlog: {level: loud}\n")
    for wrong, keys in (
        ("loud", ["log.level", "storage.filesystem.rootdirectory"]),
        ("info", ["storage.filesystem.rootdirectory"]),
    ):
        path.write_text(path.read_text().replace("loud", wrong))
        for build in (partial(create_app, path), partial(build_service, str(path), None, {}, {})):
            with pytest.raises(ConfigurationError) as caught:
                build()
            found = [caught.value, *caught.value.also]
            assert [error.key for error in found] == keys
            assert found[-1].source == f"{path}:2"


class TestThePlugin:
    def test_takes_the_caller_s_environment_for_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REGISTRY_STORAGE", "inmemory")
        monkeypatch.setenv("REGISTRY_LOG_LEVEL", "debug")
        assert build_service(None, None, None, os.environ).configuration.log.level == "debug"
        assert (
            build_service(None, None, {"REGISTRY_STORAGE": "inmemory"}, os.environ).configuration.log.level
            == "info"
        )

    def test_takes_one_configuration(self, tmp_path: Path) -> None:
        path = tmp_path / "config.yml"
        path.write_text("version: 0.1\nstorage: inmemory\nlog: {level: warn}")
        assert build_service(str(path), None, {}, {}).configuration.log.level == "warn"
        assert build_service(None, path.read_text(), {}, {}).configuration.log.level == "warn"
        with pytest.raises(ConfigurationError, match="expected one"):
            build_service(str(path), path.read_text(), {}, {})

    def test_says_where_in_the_caller_s_configuration_the_mistake_is(self) -> None:
        with pytest.raises(ConfigurationError, match=r"log\.level \(the caller's configuration:2\)"):
            build_service(None, "version: 0.1\nlog: {level: loud}", {}, {})


class TestValidation:
    def push(self, content: bytes, media_type: str = MANIFEST, **validation: object) -> str:
        """The error's code, or nothing when the manifest was taken."""
        with create_app({"storage": "inmemory", "validation": validation}) as app:
            status, body = ask(app, "PUT", f"/v2/a/manifests/{digest_of(content)}", content, media_type)
        assert (status == 201) == (body is None)
        return body["errors"][0]["code"] if body else ""

    def test_is_on(self) -> None:
        assert self.push(manifest()) == MISSING

    def test_off_it_still_looks_for_blobs_but_not_for_an_index_s_manifests(self) -> None:
        assert self.push(manifest(), disabled=True) == MISSING
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [{**EMPTY, "mediaType": MANIFEST}]}
        assert self.push(json.dumps(index).encode(), INDEX) == MISSING
        assert self.push(json.dumps(index).encode(), INDEX, disabled=True) == ""
        assert self.push(json.dumps(index).encode(), INDEX, disabled=True, enabled=True) == MISSING
        none = {"indexes": {"platforms": "none"}}
        assert self.push(json.dumps(index).encode(), INDEX, manifests=none) == ""

    def test_of_references_can_be_relaxed_alone(self) -> None:
        relaxed = {"references": False}
        assert self.push(manifest(), manifests=relaxed) == ""
        layer = {**EMPTY, "mediaType": LAYER, "urls": ["https://registry.example/x"]}
        denied = {**relaxed, "urls": {"deny": ["example"]}}
        assert self.push(manifest(layers=[layer]), manifests=denied) == INVALID

    def test_of_platforms_is_for_those_listed(self) -> None:
        def index(architecture: str) -> bytes:
            child = {
                **EMPTY,
                "mediaType": MANIFEST,
                "platform": {"os": "linux", "architecture": architecture},
            }
            return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [child]}).encode()

        indexes = {"platforms": "list", "platformlist": [{"os": "linux", "architecture": "amd64"}]}
        assert self.push(index("amd64"), INDEX, manifests={"indexes": indexes}) == MISSING
        assert self.push(index("arm64"), INDEX, manifests={"indexes": indexes}) == ""

    def test_of_urls_follows_allow_and_deny(self) -> None:
        layer = {**EMPTY, "mediaType": LAYER, "urls": ["https://registry.example/x"]}
        content = manifest(layers=[layer])
        for urls, code in (
            ({}, ""),
            ({"allow": ["^https://registry"]}, ""),
            ({"allow": ["^https://other"]}, INVALID),
            ({"deny": ["^https://other"]}, ""),
            ({"allow": ["^https://"], "deny": ["example"]}, INVALID),
        ):
            assert self.push(content, manifests={"references": False, "urls": urls}) == code, urls


def test_a_pushed_manifest_is_parsed_and_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found travels with the bytes: through validation, the store, and the caches."""
    content = manifest()
    done: list[str] = []

    def counted(module: object, name: str) -> None:
        original = getattr(module, name)

        def call(*arguments: object) -> object:
            done.append(name)
            return original(*arguments)

        monkeypatch.setattr(module, name, call)

    with create_app({"storage": "inmemory", "udist": {"validation": {"references": False}}}) as app:
        counted(oci_manifest, "load_document")
        counted(oci_digest, "new_hash")
        for reference in ("v1", digest_of(content)):
            done.clear()
            status, _ = ask(app, "PUT", f"/v2/a/manifests/{reference}", content, MANIFEST)
            assert (status, sorted(done)) == (201, ["load_document", "new_hash"])


@pytest.mark.parametrize("error", [OSError(errno.EMFILE, "no more"), RuntimeError("can't start new thread")])
def test_a_job_for_which_there_is_nothing_left_is_done_without(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def scarce(*_: object) -> None:
        raise error

    recorded: list[tuple[str, str]] = []
    monkeypatch.setattr("udist_plugin.bootstrap.parts._purging", scarce)
    text = "version: 0.1\nstorage: inmemory\nhealth: {storagedriver: {enabled: true}}"
    with build_service(None, text, {}, {}) as app:
        app.start(lambda level, message: recorded.append((level, message)))
        names = {thread.name for thread in threading.enumerate()}
    assert recorded == [("warn", f"storage.maintenance.uploadpurging will not run: {error}")]
    assert "udist-health" in names


def test_read_only(tmp_path: Path) -> None:
    storage = {
        "filesystem": {"rootdirectory": str(tmp_path)},
        "maintenance": {"readonly": {"enabled": True}, "uploadpurging": {"interval": "1ms", "age": "0s"}},
    }
    before = set(purgers())
    with create_app({"storage": storage}) as app:
        assert ask(app, "POST", "/v2/a/blobs/uploads/")[0] == 405
        assert set(purgers()) <= before
    assert list(tmp_path.iterdir()) == []


def test_deletion_is_on_unless_switched_off() -> None:
    for reference in (f"sha256:{'0' * 64}", "v1"):
        target = f"/v2/a/manifests/{reference}"
        with create_app({"storage": {"inmemory": None}}) as app:
            assert ask(app, "DELETE", target)[0] == 404
        with create_app({"storage": {"inmemory": None, "delete": {"enabled": False}}}) as app:
            assert ask(app, "DELETE", target)[0] == 405


class TestPurging:
    def started(self, driver: InMemoryDriver) -> str:
        return StorageRegistry(driver).start_upload("a").id

    def lines(self, driver: InMemoryDriver, *, dryrun: bool = False, count: int = 1) -> list[str]:
        """The first ``count`` lines that purging logs."""
        lines: list[str] = []
        enough = threading.Event()

        def record(level: str, message: str) -> None:
            lines.append(f"{level}: {message}")
            if len(lines) >= count:
                enough.set()

        purging = Purging(driver, 0.0, 0.001, dry_run=dryrun)
        purging.start(record)
        assert enough.wait(10)
        purging.close()
        return lines

    def test_removes_what_is_abandoned(self) -> None:
        driver = InMemoryDriver()
        begun = self.started(driver)
        assert self.lines(driver) == [f"info: purged: /docker/registry/v2/repositories/a/_uploads/{begun}"]

    def test_only_looks_when_told_so(self) -> None:
        driver = InMemoryDriver()
        path = f"/docker/registry/v2/repositories/a/_uploads/{self.started(driver)}"
        assert set(self.lines(driver, dryrun=True, count=3)) == {f"info: would be purged: {path}"}
        assert driver.exists(path)

    def test_goes_on_after_a_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        driver = InMemoryDriver()
        self.started(driver)
        failures = iter([StorageError("the disk is gone")])

        def listing(path: str) -> list[str]:
            for failure in failures:
                raise failure
            return InMemoryDriver.list(driver, path)

        monkeypatch.setattr(driver, "list", listing)
        lines = self.lines(driver, count=2)
        assert "the disk is gone" in lines[0]
        assert lines[1].startswith("info: purged: ")

    def test_ends_with_the_app(self) -> None:
        before = set(purgers())
        app = create_app({"storage": "inmemory"})
        assert len(set(purgers()) - before) == 1
        app.close()
        app.close()
        assert set(purgers()) <= before


def test_two_registries_share_nothing(tmp_path: Path) -> None:
    content = b"blob"
    digest = Digest(digest_of(content))
    with create_app({"storage": "inmemory"}) as one, create_app({"storage": "inmemory"}) as other:
        status, _ = ask(
            one, "POST", f"/v2/a/blobs/uploads/?digest={digest}", content, "application/octet-stream"
        )
        assert status == 201
        assert ask(one, "HEAD", f"/v2/a/blobs/{digest}")[0] == 200
        assert ask(other, "HEAD", f"/v2/a/blobs/{digest}")[0] == 404
    assert os.listdir(tmp_path) == []


def test_the_first_answer_needs_nothing_slow(tmp_path: Path) -> None:
    code = """
import sys
before = set(sys.modules)
from udist_plugin.bootstrap.services import build_service
app = build_service(None, None, {"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": sys.argv[1]}, {})
environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/v2/", "QUERY_STRING": "", "REQUEST_URI": "/v2/"}
assert b"".join(app(environ, lambda status, fields: None)) == b"{}"
answered = set(sys.modules)
app.start(print)  # which loads what an error needs, and comes after the first answer
print(*answered - before)
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert set(done.stdout.split()) & {*SLOW, "platformdirs", "difflib", "google"} == set()

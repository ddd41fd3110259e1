"""What a configuration sets, as whoever spawns the plugin meets it."""

from __future__ import annotations

import json
import logging
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from udist_plugin import Plugin, create_app
from udist_plugin.errors import HandshakeFailed
from udist_plugin.oci.digest import Digest
from udist_plugin.wire.encoding import encode
from udist_plugin.wire.frames import Frame, Request, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from udist_plugin.client.response import Response

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
EMPTY_INDEX = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode()


@contextmanager
def spawned(config: dict[str, Any]) -> Iterator[tuple[Plugin, list[str]]]:
    """A plugin with ``config``, in memory unless it says where, and the lines of its log."""
    lines: list[str] = []
    text = json.dumps({"version": 0.1, "storage": {"inmemory": {}}, **config})  # which is YAML too
    with Plugin(text, {}, log=lines.append) as plugin:
        yield plugin, lines


def answer(plugin: Plugin, method: str, target: str, body: bytes = b"", media_type: str = "") -> Response:
    fields = [("content-type", media_type)] if media_type else []
    with plugin.request(method, target, fields, body) as response:
        response.content = response.read()  # type: ignore[attr-defined]
        return response


def status(plugin: Plugin, method: str, target: str, body: bytes = b"", media_type: str = "") -> int:
    return answer(plugin, method, target, body, media_type).status


def document(response: Response) -> Any:
    return json.loads(response.content)  # type: ignore[attr-defined]


def push_index(plugin: Plugin, name: str, tag: str) -> None:
    assert status(plugin, "PUT", f"/v2/{name}/manifests/{tag}", EMPTY_INDEX, INDEX) == 201


class TestLog:
    def lines(self, **log: object) -> list[str]:
        """The log of a plugin whose configuration is worth a warning and a notice."""
        with spawned({"log": log, "lgo": {}, "http": {"addr": ":5000"}}) as (plugin, lines):
            assert status(plugin, "GET", "/v2/") == 200
        return lines

    def test_has_the_form_and_the_fields_that_were_set(self) -> None:
        fields = {"service": "my registry", "environment": "test"}
        records = [json.loads(line) for line in self.lines(formatter="json", fields=fields)]
        assert [record["level"] for record in records] == ["warning", "info"]
        assert all(fields.items() <= record.items() for record in records)
        assert {"@timestamp", "@version", "message"} <= json.loads(self.lines(formatter="logstash")[0]).keys()
        assert re.fullmatch(
            r'time="\S+Z" level=warning msg="lgo \(.*" environment=test service="my registry"',
            self.lines(formatter="text", fields=fields)[0],
        )

    def test_has_what_is_at_its_level_and_above(self) -> None:
        assert len(self.lines(level="warn")) == 1
        assert self.lines(level="error") == []

    def test_has_a_line_of_each_request_only_when_asked(self) -> None:
        agent = 'some "agent"'
        for log, count in (
            ({"level": "error"}, 0),
            ({"level": "error", "accesslog": {"disabled": False}}, 3),
        ):
            with spawned({"log": log}) as (plugin, lines):
                for target in ("/v2/", "/v2/_catalog?n=5", "/nowhere"):
                    with plugin.request("GET", target, [("user-agent", agent)]) as response:
                        response.read()
            assert len(lines) == count
        assert re.fullmatch(
            r'- - - \[[^]]+ \+0000\] "GET /v2/ HTTP/1.1" 200 2 "" "some \\"agent\\""', lines[0]
        )
        assert '"GET /v2/_catalog?n=5 HTTP/1.1" 200 ' in lines[1]
        assert '"GET /nowhere HTTP/1.1" 404 ' in lines[2]

    def test_of_requests_in_this_process_is_loggings(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "udist_plugin.access")
        with create_app({"storage": "inmemory", "log": {"accesslog": {"disabled": False}}}) as app:
            app(
                {"REQUEST_METHOD": "GET", "PATH_INFO": "/v2/", "SERVER_PROTOCOL": "HTTP/1.0"}, lambda *_: None
            )
        assert [each.message for each in caplog.records if '"GET /v2/ HTTP/1.0" 200 2' in each.message]


class TestWarnings:
    """Mistakes that do not stop the plugin are the caller's to see, whatever is logged."""

    QUIET = "version: 0.1\nstorage: inmemory\nlog: {level: error}\nlgo: {}\n"
    SAID = "lgo (udist.yml:4): unknown key, ignored; did you mean log?"

    def test_are_there_to_be_asked_for_and_logged_by_the_caller(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Plugin(self.QUIET, {}, config_name="udist.yml") as plugin:
            assert plugin.warnings == (self.SAID,)
        assert [(each.name, each.levelname, each.message) for each in caplog.records] == [
            ("udist_plugin", "WARNING", self.SAID)
        ]

    def test_are_not_logged_twice_by_whoever_takes_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        lines: list[str] = []
        with Plugin(self.QUIET.replace("error", "warn"), {}, log=lines.append) as plugin:
            assert len(plugin.warnings) == 1
        assert (len(lines), caplog.records) == (1, [])

    def test_of_any_number_and_in_any_bytes_fit_the_settings(self) -> None:
        many = "".join(f"unknown{number}{'x' * 100}: 1\n" for number in range(400))
        with Plugin(self.QUIET + many, {"REGISTRY_\N{SNOWMAN}": "1"}, log=print) as plugin:
            assert 100 < len(plugin.warnings) < 400
            assert plugin.warnings[0].startswith("REGISTRY_\N{SNOWMAN}: names no known key")
            left_out = 402 - len(plugin.warnings) + 1
            assert plugin.warnings[-1] == f"{left_out} more warnings are in the plugin's log"

    def test_and_errors_survive_what_utf8_cannot_say(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REGISTRY_LOG_\udcff", "1")
        monkeypatch.setenv("REGISTRY_STORAGE", "inmemory")
        with Plugin(log=print) as plugin:
            assert plugin.warnings[0].startswith(r"REGISTRY_LOG_\udcff: names no known key")
        monkeypatch.setenv("REGISTRY_STORAGE_\udcff", "1")
        with pytest.raises(HandshakeFailed, match=r"REGISTRY_STORAGE_\\udcff: names no known key"):
            Plugin(log=print)


class TestHealth:
    def until(self, plugin: Plugin, expected: int) -> Any:
        """What ``/debug/health`` tells once its status is ``expected``."""
        deadline = time.monotonic() + 20
        while (told := answer(plugin, "GET", "/debug/health")).status != expected:
            assert time.monotonic() < deadline
        return document(told)

    def test_a_file_takes_the_plugin_out_of_service_and_back(self, tmp_path: Path) -> None:
        down = tmp_path / "down"
        check = {"file": str(down), "interval": "10ms", "threshold": 2}
        with spawned({"health": {"file": [check]}}) as (plugin, lines):
            assert status(plugin, "GET", "/v2/") == 200
            down.touch()
            assert self.until(plugin, 503) == {str(down): "file exists"}
            refused = answer(plugin, "PUT", "/v2/a/manifests/v1", b"x" * 300_000)
            assert refused.status == 503
            assert document(refused)["errors"][0]["code"] == "UNAVAILABLE"
            down.unlink()
            assert self.until(plugin, 200) == {}
            assert status(plugin, "GET", "/v2/") == 200
        assert [f"health check failed: {down}: file exists" in line for line in lines] == [True, False]

    def test_addresses_and_urls_are_asked(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = f"127.0.0.1:{listener.getsockname()[1]}"
            uri = f"http://{address}/"
            health = {
                "tcp": [{"addr": address, "interval": "10ms"}],
                "http": [{"uri": uri, "interval": "10ms", "timeout": "50ms"}],
            }
            with spawned({"health": health}) as (plugin, _):
                assert list(self.until(plugin, 503)) == [uri]
                listener.close()
                deadline = time.monotonic() + 20
                while len(told := self.until(plugin, 503)) < 2:
                    assert time.monotonic() < deadline
                assert "connection failed" in told[address]

    def test_a_check_that_takes_long_does_not_hold_up_the_end(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            uri = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            with spawned({"health": {"http": [{"uri": uri, "interval": "1ms", "timeout": "20s"}]}}) as (
                plugin,
                _,
            ):
                assert status(plugin, "GET", "/v2/") == 200
                connection, _ = silent.accept()
                began = time.monotonic()
            with connection:
                assert time.monotonic() - began < 0.9

    def test_the_store_is_asked(self, tmp_path: Path) -> None:
        root = tmp_path / "root"
        storage = {"filesystem": {"rootdirectory": str(root / "store")}}
        health = {"storagedriver": {"enabled": True, "interval": "10ms"}}
        with spawned({"storage": storage, "health": health}) as (plugin, _):
            push_index(plugin, "a", "v1")
            assert self.until(plugin, 200) == {}
            root.rename(tmp_path / "away")
            root.write_text("no folder")
            assert "Not a directory" in self.until(plugin, 503)["storagedriver_filesystem"]
            root.unlink()
            (tmp_path / "away").rename(root)
            assert self.until(plugin, 200) == {}
            assert status(plugin, "GET", "/v2/a/manifests/v1") == 200

    def test_without_checks_there_is_no_thread_and_nothing_to_tell(self) -> None:
        with spawned({"health": {"storagedriver": {"enabled": False}}}) as (plugin, _):
            assert status(plugin, "GET", "/debug/health") == 404
        before = set(threading.enumerate())
        with create_app({"storage": "inmemory", "health": {"storagedriver": {"enabled": False}}}):
            assert [each.name for each in set(threading.enumerate()) - before] == ["udist-purge"]

    def test_what_cannot_be_asked_is_refused_at_the_start(self) -> None:
        with (
            pytest.raises(HandshakeFailed, match=r"health\.http\.0\.uri.*a URL such as"),
            spawned({"health": {"http": [{"uri": "file:///etc/passwd"}]}}),
        ):
            pass


class TestPages:
    def test_catalog_maxentries(self) -> None:
        with spawned({"catalog": {"maxentries": 2}}) as (plugin, _):
            for name in ("a", "b", "c"):
                push_index(plugin, name, "v1")
            page = answer(plugin, "GET", "/v2/_catalog")
            assert document(page)["repositories"] == ["a", "b"]
            assert page.header("link") == '</v2/_catalog?n=2&last=b>; rel="next"'
            capped = answer(plugin, "GET", "/v2/_catalog?n=3")
            assert document(capped)["repositories"] == ["a", "b"]
            assert capped.header("link") == '</v2/_catalog?n=2&last=b>; rel="next"'
            refused = answer(plugin, "GET", "/v2/_catalog?n=x")
            assert refused.status == 400
            assert document(refused)["errors"][0] == {
                "code": "PAGINATION_NUMBER_INVALID",
                "message": "invalid number of results requested",
                "detail": {"n": "x"},
            }

    @pytest.mark.parametrize("unset", [0, -1])
    def test_a_limit_below_one_is_none_of_its_own(self, unset: int) -> None:
        with spawned({"catalog": {"maxentries": unset}}) as (plugin, _):
            for name in ("a", "b", "c"):
                push_index(plugin, name, "v1")
            assert document(answer(plugin, "GET", "/v2/_catalog"))["repositories"] == ["a", "b", "c"]

    def test_tags_maxtags(self) -> None:
        with spawned({"tags": {"maxtags": 2}}) as (plugin, _):
            for tag in ("v1", "v2", "v3"):
                push_index(plugin, "a", tag)
            page = answer(plugin, "GET", "/v2/a/tags/list?n=50")
            assert document(page)["tags"] == ["v1", "v2"]
            assert page.header("link") == '</v2/a/tags/list?n=2&last=v2>; rel="next"'
            assert document(answer(plugin, "GET", "/v2/a/tags/list"))["tags"] == ["v1", "v2", "v3"]
            assert status(plugin, "GET", "/v2/a/tags/list?n=-1") == 400


class TestHttp:
    def location(self, **http: object) -> str:
        with spawned({"http": http}) as (plugin, _):
            started = answer(plugin, "POST", f"{http.get('prefix', '/')}v2/a/blobs/uploads/")
            assert started.status == 202
            return started.header("location") or ""

    def test_every_location_begins_as_configured(self) -> None:
        assert self.location().startswith("/v2/a/blobs/uploads/")
        assert self.location(relativeurls=True).startswith("/v2/a/blobs/uploads/")
        assert self.location(prefix="/some/prefix/").startswith("/some/prefix/v2/a/blobs/uploads/")
        host = "https://registry.example:5000"
        assert self.location(host=host).startswith(f"{host}/v2/a/blobs/uploads/")
        assert self.location(host=host, relativeurls=True).startswith(f"{host}/v2/a/")  # as in distribution

    def test_headers_are_in_every_answer(self) -> None:
        headers = {"X-Content-Type-Options": ["nosniff"], "X-Two": ["1", "2"]}
        with spawned({"http": {"headers": headers}}) as (plugin, _):
            for target in ("/v2/", "/v2/a/tags/list", "/elsewhere"):
                with plugin.request("GET", target) as response:
                    told = [value for name, value in response.headers if name == "x-two"]
                    assert (response.header("x-content-type-options"), told) == ("nosniff", ["1", "2"])

    def test_secret_says_that_it_has_no_effect_and_nothing_else(self) -> None:
        with spawned({"http": {"secret": "hidden"}}) as (plugin, lines):
            assert status(plugin, "GET", "/v2/") == 200
        assert [line for line in lines if "http.secret" in line]
        assert not [line for line in lines if "hidden" in line]

    def test_draintimeout_bounds_what_is_still_open(self) -> None:
        config = json.dumps({"version": 0.1, "storage": "inmemory", "http": {"draintimeout": "50ms"}})
        command = [sys.executable, "-m", "udist_plugin"]
        with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, bufsize=0) as child:
            assert child.stdin
            assert child.stdout
            assert child.stderr
            push = Request("POST", "http", "", f"/v2/a/blobs/uploads/?digest={Digest.of(b'never sent')}")
            ping = Request("GET", "http", "", "/v2/")
            frames = [Frame(0, Settings([1], configuration=config)), Frame(1, push), Frame(3, ping)]
            child.stdin.write(b"".join(map(encode, frames)))
            seen = b""
            while b"registry/2.0" not in seen:  # the answer to the second means that the first was accepted
                seen += child.stdout.read(1 << 16)
            child.send_signal(signal.SIGTERM)
            assert child.wait(20) == 1
            assert b"requests were still open after draining for 0.05 s" in child.stderr.read()


class TestValidation:
    def errors(self, validation: dict[str, Any], content: dict[str, Any]) -> list[str]:
        """The codes of a push's errors."""
        body = json.dumps({"schemaVersion": 2, **content}).encode()
        with spawned({"validation": {"manifests": validation}}) as (plugin, _):
            pushed = answer(plugin, "PUT", "/v2/a/manifests/v1", body, content["mediaType"])
            if pushed.status == 201:
                return []
            return [error["code"] for error in document(pushed)["errors"]]

    def test_indexes_platforms(self) -> None:
        missing = {"mediaType": MANIFEST, "digest": Digest.of(b""), "size": 2}
        children = [{**missing, "platform": {"os": "linux", "architecture": "amd64"}}, missing]
        index = {"mediaType": INDEX, "manifests": children}
        platforms = {"platforms": "list", "platformlist": [{"os": "linux", "architecture": "arm64"}]}
        assert self.errors({"indexes": platforms}, index) == []
        assert self.errors({"indexes": {"platforms": "none"}}, index) == []
        assert self.errors({}, index) == ["MANIFEST_BLOB_UNKNOWN"]
        platforms["platformlist"] = [{"os": "linux", "architecture": "amd64"}]
        assert self.errors({"indexes": platforms}, index) == ["MANIFEST_BLOB_UNKNOWN"]

    def test_urls(self) -> None:
        layer = {"mediaType": FOREIGN, "digest": Digest.of(b""), "size": 2, "urls": ["https://a.example/b"]}
        image = {"mediaType": MANIFEST, "config": layer, "layers": [layer]}
        allowed, denied = {"allow": [r"^https://a\."]}, {"deny": ["example"]}
        assert self.errors({"urls": allowed, "references": False}, image) == []
        assert self.errors({"urls": denied, "references": False}, image) == ["MANIFEST_INVALID"]


class TestMaintenance:
    def test_readonly_refuses_what_writes_and_answers_the_rest(self, tmp_path: Path) -> None:
        storage = {"filesystem": {"rootdirectory": str(tmp_path)}}
        with spawned({"storage": storage}) as (plugin, _):
            push_index(plugin, "a", "v1")
        readonly = {**storage, "maintenance": {"readonly": {"enabled": True}}}
        with spawned({"storage": readonly}) as (plugin, _):
            assert status(plugin, "GET", "/v2/a/manifests/v1") == 200
            for method, target in (
                ("POST", "/v2/a/blobs/uploads/"),
                ("PUT", "/v2/a/manifests/v2"),
                ("DELETE", "/v2/a/manifests/v1"),
                ("DELETE", f"/v2/a/blobs/{Digest.of(b'')}"),
            ):
                content, kind = (EMPTY_INDEX, INDEX) if method == "PUT" else (b"", "")
                refused = answer(plugin, method, target, content, kind)
                assert refused.status == 405
                assert document(refused)["errors"][0]["code"] == "UNSUPPORTED"

    def test_uploadpurging_deletes_what_is_abandoned(self, tmp_path: Path) -> None:
        uploads = tmp_path / "docker/registry/v2/repositories/a/_uploads"
        for purging, gone in (({}, True), ({"dryrun": True}, False)):
            storage = {
                "filesystem": {"rootdirectory": str(tmp_path)},
                # Of no age at all, an upload could be purged while it begins.
                "maintenance": {"uploadpurging": {**purging, "age": "1s", "interval": "10ms"}},
            }
            with spawned({"storage": storage}) as (plugin, lines):
                assert status(plugin, "POST", "/v2/a/blobs/uploads/") == 202
                deadline = time.monotonic() + 20
                while not any("purged: " in line for line in lines):
                    assert time.monotonic() < deadline
                    assert status(plugin, "GET", "/v2/") == 200
            assert bool(list(uploads.iterdir())) is not gone

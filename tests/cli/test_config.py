"""``udist config``: what a configuration comes to, all that is wrong with it, and what it can hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from udist_plugin.config.keys import all_keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran

    Udist = Callable[..., Ran]

FILE = """\
version: 0.1
log: {level: debug}
storage:
  s3:
    bucket: backups
    region: eu-central-1
    accesskey: AKIAEXAMPLE
http:
  addr: :5000
  draintimeout: 90s
"""


@pytest.fixture
def config(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY")
    monkeypatch.setenv("REGISTRY_STORAGE_S3_SECRETKEY", "wJalrXUtnFEMI")
    path = work / "config.yml"
    path.write_text(FILE)
    return path


def rows(out: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split()[1:] for line in out.splitlines()}


@pytest.mark.usefixtures("config")
def test_check_names_the_source_of_every_value(udist: Udist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_STORAGE_S3_CHUNKSIZE", "6291456")
    ran = udist("config", "check", "config.yml")
    assert ran.code == 0
    shown = rows(ran.out)
    assert shown["log.level"] == ["debug", "config.yml:2"]
    assert shown["storage.s3.bucket"] == ["backups", "config.yml:5"]
    assert shown["storage.s3.chunksize"] == ["6291456", "REGISTRY_STORAGE_S3_CHUNKSIZE"]
    assert shown["storage.s3.secure"] == ["true", "default"]
    assert shown["http.draintimeout"] == ["1m30s", "config.yml:10"]
    assert shown["storage.maintenance.uploadpurging.age"] == ["168h", "default"]
    assert "storage.filesystem.rootdirectory" not in shown
    assert ran.err == "udist: no effect here: http.addr (config.yml:9)\n"


@pytest.mark.usefixtures("config")
def test_check_shows_no_secret(udist: Udist) -> None:
    for words in ((), ("--explain",), ("--json",)):
        ran = udist("config", "check", "config.yml", *words)
        assert "wJalrXUtnFEMI" not in ran.out + ran.err
        assert "AKIAEXAMPLE" not in ran.out + ran.err
        assert "******" in ran.out


@pytest.mark.usefixtures("config")
def test_check_explains(udist: Udist) -> None:
    shown = rows(udist("config", "check", "config.yml", "--explain").out)
    assert " ".join(shown["storage.s3.bucket"]) == "backups config.yml:5 the bucket"


@pytest.mark.usefixtures("config")
def test_check_prints_json(udist: Udist) -> None:
    document = json.loads(udist("config", "check", "config.yml", "--json").out)
    settings = {setting["key"]: setting for setting in document["settings"]}
    assert settings["catalog.maxentries"]["value"] == 1000
    assert settings["storage.delete.enabled"]["value"] is True
    assert settings["http.draintimeout"] == {
        "key": "http.draintimeout",
        "value": "1m30s",
        "source": "config.yml:10",
        "effect": "time for open requests to finish after the caller has closed",
    }
    assert document["notices"] == ["no effect here: http.addr (config.yml:9)"]
    assert document["warnings"] == []


def test_check_names_every_error_at_once(udist: Udist, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text(f"{FILE}proxy: {{remoteurl: a}}\nlgo: debug\ntags: {{maxtags: many}}\n")
    monkeypatch.setenv("REGISTRY_STORAGE_S3_CHUNKSIZE", "1")
    ran = udist("config", "check", "config.yml")
    assert (ran.code, ran.out) == (4, "")
    keys = [line.split()[1] for line in ran.err.splitlines()]
    assert sorted(keys) == ["proxy.remoteurl", "storage.s3.chunksize", "tags.maxtags"]
    ran = udist("config", "check", "config.yml", "--json")
    assert ran.code == 4
    found = json.loads(ran.err)["errors"]
    assert {"key": "tags.maxtags", "source": "config.yml:13"}.items() <= found[1]["detail"].items()
    assert sorted(error["detail"]["key"] for error in found) == sorted(keys)


S3 = "s3: {bucket: b, region: r"


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        ("s3: {bucket: b, accesskey: a}", {"secretkey": 2, "region": 2}),
        (
            f"{S3},\n  regionendpoint: 'ftp://x',\n  redirectendpoint: nohost,\n  chunksize: 1,\n"
            "  credentialsconfigpath: /not/there, cafile: /nor/there}",
            {
                "chunksize": 5,
                "regionendpoint": 3,
                "redirectendpoint": 4,
                "udist.s3.cafile": 6,
                "credentialsconfigpath": 6,
            },
        ),
        (f"{S3}, v4auth: false, profile: nobody}}", {"v4auth": 2, "udist.s3.profile": 2}),
        ("s3: {v4auth: false}", {"bucket": 2, "v4auth": 2, "region": 2}),
        ("gcs: {bucket: b,\n  keyfile: /not/there}", {"keyfile": 3}),
        ("gcs: {keyfile: /not/there, credentials: s3cret}", {"bucket": 2, "credentials": 2, "keyfile": 2}),
        ("azure: {credentials: {type: shared_key}}", {"container": 2, "accountname": 2, "accountkey": 2}),
        (
            "azure: {container: c, accountname: a, aad_endpoint: http://plain,\n"
            "  credentials: {type: client_secret, secret: s3cret}}",
            {"credentials.tenantid": 2, "credentials.clientid": 2, "aad_endpoint": 2},
        ),
        ("azure: {container: c, connectionstring: s3cret}", {"connectionstring": 2}),
        ("azure: {container: c, accountname: a, serviceurl: 'https:///?sig=s3cret'}", {"serviceurl": 2}),
        ("filesystem: {rootdirectory: /dev/null}", {"rootdirectory": 2}),
        ("swift: {}", {"authurl": 2, "username": 2, "password": 2, "container": 2}),
        ("swift: {authurl: 'a:1/v3', username: a, password: b, container: c}", {"authurl": 2}),
    ],
)
def test_check_tells_what_the_driver_would(
    udist: Udist, work: Path, monkeypatch: pytest.MonkeyPatch, storage: str, expected: dict[str, int]
) -> None:
    monkeypatch.delenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY")
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_CONFIG_FILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(work))
    (work / "config.yml").write_text(f"version: 0.1\nstorage: {{{storage}}}\n")
    ran = udist("config", "check", "config.yml", "--json")
    assert ran.code == 4
    driver = storage.partition(":")[0]
    found = [error["detail"] for error in json.loads(ran.err)["errors"]]
    assert {error["key"]: error["source"] for error in found} == {
        key if key.startswith("udist.") else f"storage.{driver}.{key}": f"config.yml:{line}"
        for key, line in expected.items()
    }
    assert "s3cret" not in ran.err


def test_check_without_a_file_or_a_variable_is_that_of_the_default_folder(
    udist: Udist, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY")
    monkeypatch.setenv("XDG_DATA_HOME", str(work))
    shown = rows(udist("config", "check").out)
    assert shown["storage"] == ["filesystem", "default"]
    assert shown["storage.filesystem.rootdirectory"] == [str(work / "udist"), "default"]


def test_check_without_a_file_is_that_of_the_variables(udist: Udist, work: Path) -> None:
    shown = rows(udist("config", "check").out)
    folder = [str(work.parent / "store"), "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY"]
    assert shown["storage.filesystem.rootdirectory"] == folder
    assert shown["log.level"] == ["info", "default"]


@pytest.mark.usefixtures("config")
def test_check_warns_of_slips(udist: Udist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_LOG_LEVL", "debug")
    ran = udist("config", "check", "config.yml")
    assert ran.code == 0
    assert "REGISTRY_LOG_LEVL: names no known key, ignored; did you mean REGISTRY_LOG_LEVEL?" in ran.err


def test_check_of_a_file_that_is_not_there(udist: Udist) -> None:
    ran = udist("config", "check", "missing.yml")
    assert (ran.code, ran.err) == (4, "udist: missing.yml: cannot be read: No such file or directory\n")


def test_check_reads_the_files_of_access_control(udist: Udist, work: Path) -> None:
    config, users = work / "config.yml", work / "htpasswd"
    config.write_text(
        "version: 0.1\nstorage: filesystem\nauth:\n  htpasswd:\n    realm: a\n    path: htpasswd\n"
    )
    assert udist("config", "check", "config.yml").code == 0
    assert not users.exists()
    users.write_text("alice:plain\n")
    ran = udist("config", "check", "config.yml")
    assert ran.code == 4
    assert "auth.htpasswd.path (config.yml:6): expected user:hash with a bcrypt hash" in ran.err
    assert "plain" not in ran.err


def test_keys_lists_every_key(udist: Udist) -> None:
    listed = rows(udist("config", "keys").out)
    assert listed.keys() - {"KEY"} == {key.path for key in all_keys()}
    assert " ".join(listed["storage.s3.bucket"]) == "text required works the bucket"
    assert " ".join(listed["http.addr"]) == "text - no effect without a listener the address to listen on"
    assert " ".join(listed["log.formatter"]) == (
        "word text works the format of log records (one of text, json, logstash)"
    )
    assert "works" in " ".join(listed["auth.token.realm"])


def test_keys_of_a_section(udist: Udist) -> None:
    listed = json.loads(udist("config", "keys", "storage.gcs", "--json").out)["keys"]
    assert all(key["key"].startswith("storage.gcs.") for key in listed)
    bucket = next(key for key in listed if key["key"] == "storage.gcs.bucket")
    assert bucket == {
        "key": "storage.gcs.bucket",
        "type": "text",
        "expected": "the name of a bucket",
        "default": None,
        "required": True,
        "status": "works",
        "effect": "the bucket",
    }
    one = json.loads(udist("config", "keys", "http.headers", "--json").out)["keys"]
    assert [key["key"] for key in one] == ["http.headers.*[]"]


def test_keys_of_no_section(udist: Udist) -> None:
    ran = udist("config", "keys", "storage.gcsx")
    assert ran.code == 2
    assert "there is no key or section 'storage.gcsx'" in ran.err


@pytest.mark.parametrize("words", [("config",), ("config", "check"), ("config", "keys")])
def test_help_has_examples(udist: Udist, words: tuple[str, ...]) -> None:
    ran = udist(*words, "--help")
    assert ran.code == 0
    assert "examples:\n  udist config" in ran.out


def test_check_shows_no_login(udist: Udist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_HEALTH_HTTP_0_URI", "https://me:s3cret@other.example/x@y")
    for words in (["--explain"], ["--json"]):
        ran = udist("config", "check", *words)
        assert "https://******@other.example/x@y" in ran.out
        assert "s3cret" not in ran.out + ran.err


def test_check_shows_no_query(udist: Udist, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY")
    monkeypatch.setenv("REGISTRY_HEALTH_HTTP_0_URI", "https://other.example/x?s3cret&token=s3cret#a")
    url = "https://a.blob.core.windows.net/?sv=s3cret&sig=s3cret%3D"
    (work / "config.yml").write_text(
        f"version: 0.1\nstorage: {{azure: {{container: c, accountname: a, serviceurl: '{url}'}}}}\n"
    )
    for words in (["--explain"], ["--json"]):
        ran = udist("config", "check", "config.yml", *words)
        assert "https://a.blob.core.windows.net/?sv=******&sig=******" in ran.out
        assert "https://other.example/x?******&token=******#a" in ran.out
        assert "s3cret" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("text", "variable", "driver", "source"),
    [
        ("storage: inmemory", "", "inmemory", "config.yml:2"),
        ("storage:\n  inmemory:", "", "inmemory", "config.yml:3"),
        ("storage: {filesystem: {rootdirectory: /a}}", "inmemory", "inmemory", "REGISTRY_STORAGE"),
        ("storage: {delete: {enabled: false}}", "filesystem", "filesystem", "REGISTRY_STORAGE"),
    ],
)
def test_check_tells_the_driver_and_who_chose_it(
    udist: Udist,
    work: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    variable: str,
    driver: str,
    source: str,
) -> None:
    monkeypatch.delenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY")
    if variable:
        monkeypatch.setenv("REGISTRY_STORAGE", variable)
    (work / "config.yml").write_text(f"version: 0.1\n{text}\n")
    assert rows(udist("config", "check", "config.yml").out)["storage"] == [driver, source]

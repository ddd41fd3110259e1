"""What a person sees when something is wrong: one line that helps, and an exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING
from unittest.mock import ANY

import pytest

from udist_plugin import errors
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran

    Udist = Callable[..., Ran]

COMMAND = [sys.executable, "-m", "udist_plugin.cli.main"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "COMMAND"),
        (("frobnicate",), "invalid choice"),
        (("push", "demo/a"), "PATH"),
        (("push", "de mo", "x"), "'de mo' is not a repository name"),
        (("tags", "demo/a:v1"), "'demo/a:v1': give the repository alone: 'demo/a'"),
        (("push", "demo/a:-", "x"), "is not a tag"),
        (("push", "demo/a:v1,-", "x"), "invalid tag"),
        (("push", "demo/a,v1", "x"), "has no first tag"),
        (("push", f"demo/a@sha256:{'0' * 64}", "x"), "cannot push to a digest"),
        (("push", "demo/a", "x", "-a", "novalue"), "'novalue' is not KEY=VALUE"),
        (("push", "demo/a", "x", "--artifact-type", "nonsense"), "not a media type"),
        (("push", "demo/a", "x", "--subject", "sha256:1"), "--subject: 'sha256:1' is not a digest"),
        (("pull", "demo/a@sha256:12"), "is not a digest"),
        (("tag", "demo/a"), "TAG"),
        (("tag", "demo/a", "demo/a:v2"), "'demo/a:v2': give the new tag alone: 'v2'"),
        (("tag", "demo/a", "-"), "'-' is not a tag"),
        (("pull", "demo/a", "--concurrency", "0"), "'0' is not a number from 1 to 64"),
        (("push", "demo/a", "x", "--concurrency", "65"), "'65' is not a number from 1 to 64"),
        (("rm", "demo/a"), "give either a tag or a digest"),
        (("ls", "--plugin", "'"), "No closing quotation"),
        (("ls", "--plugin", " "), "the command is empty"),
        (("lease", "release"), "required: OWNER\n"),
        (("restore",), "required: FILE\n"),
    ],
)
def test_a_wrong_command_line_is_2(udist: Udist, words: tuple[str, ...], said: str) -> None:
    ran = udist(*words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ("gc", "--config="),
        ("gc", "--retention="),
        ("scrub", "--state="),
        ("config", "check", ""),
        ("copy", "--dest-config=", "udist:a", "udist:b"),
        ("copy", "--policy=", "udist:a", "udist:b"),
        ("copy", "--sign-by-key=", "udist:a", "udist:b"),
        ("copy", "--digestfile=", "udist:a", "udist:b"),
        ("exec", "--socket=", "--", "true"),
        ("exec", "--report=", "--", "true"),
    ],
)
def test_a_file_without_a_name_is_none_at_all(udist: Udist, words: tuple[str, ...]) -> None:
    """A script gives one whose variable is not set. The default store would be another one."""
    ran = udist(*words)
    assert (ran.code, ran.out) == (2, "")
    assert "expected a path, not nothing" in ran.err


def test_not_found_is_3(udist: Udist) -> None:
    udist("push", "demo/a:v1", "README.md")
    for words in (("pull", "demo/a:v2"), ("inspect", "demo/b"), ("tags", "demo/b"), ("rm", "demo/a:v2")):
        ran = udist(*words)
        assert (ran.code, ran.out) == (3, "")
        assert ran.err.startswith("udist: ")
        assert 'hint: "udist ls" lists' in ran.err or 'hint: "udist tags NAME" lists' in ran.err


def test_the_file_that_failed_is_named(udist: Udist, work: Path) -> None:
    udist("push", "demo/a", "README.md", "folder")
    blob = paths.blob_data(Digest.of((work / "README.md").read_bytes()))
    (work.parent / f"store{blob}").unlink()
    ran = udist("pull", "demo/a", "-o", "out")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("udist: pulling README.md: blob unknown to registry")


def test_modules_of_the_folder_one_stands_in_are_not_run(udist: Udist, work: Path) -> None:
    for name in ("udist_plugin.py", "html.py", "sitecustomize.py"):
        (work / name).write_text(f"open({name + '.ran'!r}, 'w')\n")
    assert udist("ls").code == 0
    assert not list(work.glob("*.ran"))


def test_a_plugin_that_does_not_start_is_4(udist: Udist, work: Path) -> None:
    missing = udist("ls", "--plugin", "/nonexistent/plugin")
    assert missing.code == 4
    assert "/nonexistent/plugin" in missing.err
    (work / "udist.yml").write_text("version: 0.1\nstorage: {nonsense: {}}\n")
    wrong = udist("ls", "--config", "udist.yml")
    assert wrong.code == 4
    assert "nonsense" in wrong.err
    absent = udist("ls", "--config", "absent.yml")
    assert (absent.code, absent.err) == (4, "udist: absent.yml: cannot be read: No such file or directory\n")


def test_all_that_is_wrong_with_a_file_is_told_by_its_own_name_and_lines(udist: Udist, work: Path) -> None:
    (work / "udist.yml").write_text(
        "version: 0.1\nstorage: {filesystem: {}, delet: {}}\nlog: {level: loud}\n"
    )
    for words in (("ls",), ("doctor",)):
        ran = udist(*words, "--config", "udist.yml")
        assert ran.code == 4
        assert ran.err.splitlines() == [
            "udist: storage.delet (udist.yml:2): unknown key; did you mean storage.delete?",
            "udist: log.level (udist.yml:3): expected one of error, warn, info, debug, not 'loud'",
        ], words


def test_warnings_are_always_shown(udist: Udist, work: Path) -> None:
    (work / "udist.yml").write_text("version: 0.1\nstorage: filesystem\nlgo: {level: debug}\n")
    said = "udist: lgo (udist.yml:3): unknown key, ignored; did you mean log?\n"
    assert udist("ls", "--config", "udist.yml") == (0, "", said)
    assert udist("doctor", "--config", "udist.yml").err == said


def test_a_command_that_is_no_plugin_is_told_by_its_words(udist: Udist) -> None:
    ran = udist("ls", "--plugin", "echo hello world")
    assert ran.code == 4
    assert "hello world" in ran.err
    assert "Traceback" not in ran.err


def test_a_missing_file_is_1(udist: Udist) -> None:
    assert udist("push", "demo/a", "absent") == (1, "", "udist: absent: No such file or directory\n")


def test_errors_are_json_on_request(udist: Udist) -> None:
    ran = udist("pull", "demo/a:v1", "--json")
    assert (ran.code, ran.out) == (3, "")
    assert json.loads(ran.err)["errors"][0]["code"] == "MANIFEST_UNKNOWN"


@pytest.mark.parametrize(
    ("words", "code", "detail"),
    [
        (("pull", "demo/a:v1"), "MANIFEST_UNKNOWN", {"Tag": "v1"}),
        (("rm", "demo/a:v1"), "MANIFEST_UNKNOWN", {"reference": "demo/a:v1", "Tag": "v1"}),
        (("pull", "DEMO"), "COMMAND_INVALID", None),
        (("help", "nonsense", "--json"), "COMMAND_INVALID", None),
        (("ls", "--config", "udist.yml"), "CONFIGURATION_INVALID", {"key": "", "source": "", "problem": ANY}),
        (
            ("config", "check", "udist.yml"),
            "CONFIGURATION_INVALID",
            {"key": "log.level", "source": "udist.yml:3", "problem": ANY},
        ),
        (
            ("ls", "--config", "absent.yml"),
            "CONFIGURATION_INVALID",
            {"key": "", "source": "absent.yml", "problem": ANY},
        ),
        (("ls", "--plugin", "/absent/plugin"), "PLUGIN_NOT_STARTED", {"status": "NOT_FOUND"}),
        (("ls", "--plugin", "echo hello"), "PLUGIN_NOT_STARTED", {"status": "INTERNAL"}),
        (("push", "demo/a", "absent"), "SOURCE_INVALID", {"path": "absent"}),
        (("push", "demo/a", "README.md", "./README.md"), "ARTIFACT_INVALID", {"path": "README.md"}),
    ],
)
def test_an_error_as_json_has_code_message_and_detail(
    udist: Udist, work: Path, words: tuple[str, ...], code: str, detail: object
) -> None:
    (work / "udist.yml").write_text("version: 0.1\nstorage: filesystem\nlog: {level: loud}\n")
    ran = udist(*words, "--json")
    assert (ran.code > 0, ran.out.strip()) == (True, '{\n  "deleted": []\n}' if words[0] == "rm" else "")
    (error,) = json.loads(ran.err)["errors"]
    assert error == {"code": code, "message": ANY, "detail": detail}
    assert error["message"]


@pytest.mark.parametrize(
    ("error", "code", "detail"),
    [
        (errors.PluginDied("gone"), "PLUGIN_DIED", {"status": "UNAVAILABLE"}),
        (errors.NoFreeSlot("busy"), "TIMEOUT", {"status": "RESOURCE_EXHAUSTED"}),
        (errors.StreamReset("reset"), "CONNECTION_FAILED", {"status": "UNKNOWN"}),
        (errors.RemoteProtocolError("nonsense"), "CONNECTION_FAILED", None),
        (
            errors.StorageFull("full", driver="s3", path="/a"),
            "STORAGE_FAILED",
            {"driver": "s3", "path": "/a"},
        ),
        (errors.Denied({"name": "a"}), "DENIED", {"name": "a"}),
        (FileNotFoundError(2, "gone", "a"), "FILE_FAILED", {"path": "a", "errno": "ENOENT"}),
        (ZeroDivisionError("of the test"), "INTERNAL_ERROR", None),
    ],
)
def test_whatever_fails_has_a_documented_code(
    udist: Udist, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str, detail: object
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr("udist_plugin.cli.ls.connected", broken)
    ran = udist("ls", "--json")
    (told,) = json.loads(ran.err)["errors"]
    assert (ran.code, told) == (1, {"code": code, "message": ANY, "detail": detail})


def test_all_errors_of_one_answer_are_told(udist: Udist, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = errors.ManifestBlobUnknown({"digest": "a"}), errors.ManifestBlobUnknown({"digest": "b"})
    first.also = (second,)

    def broken(*_: object) -> None:
        raise first

    monkeypatch.setattr("udist_plugin.cli.ls.connected", broken)
    assert udist("ls").err.count("blob unknown to registry") == 2
    told = json.loads(udist("ls", "--json").err)["errors"]
    assert [each["detail"] for each in told] == [{"digest": "a"}, {"digest": "b"}]


def test_what_nobody_foresaw_is_a_line_and_a_traceback_on_request(
    udist: Udist, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of the test")

    monkeypatch.setattr("udist_plugin.cli.ls.connected", broken)
    assert udist("ls") == (1, "", "udist: ZeroDivisionError: of the test\n")
    assert "Traceback" in udist("ls", "-v").err


def test_verbose_shows_the_plugins_log(udist: Udist) -> None:
    command = f"{sys.executable} -c \"import sys; sys.stderr.write('from the plugin\\n'); sys.exit(3)\""
    assert "from the plugin" in udist("ls", "-v", "--plugin", command).err


def test_an_interrupt_ends_the_process_as_one(work: Path) -> None:
    """By the signal itself, which a shell says as 130: a loop around the command ends, too."""
    running = subprocess.Popen(
        [*COMMAND, "ls", "-v", "--plugin", "sh -c 'echo started >&2; exec cat > /dev/null'"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    assert running.stderr.readline() == "started\n"
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (-signal.SIGINT, "")
    assert "Traceback" not in err


def test_a_reader_that_has_gone_is_no_traceback(udist: Udist) -> None:
    udist("push", "demo/a", "README.md")
    source, sink = os.pipe()
    os.close(source)
    with os.fdopen(sink, "w") as gone:
        ran = subprocess.run(
            [*COMMAND, "ls"], stdout=gone, stderr=subprocess.PIPE, text=True, timeout=30, check=False
        )
    assert (ran.returncode, ran.stderr) == (-signal.SIGPIPE, "")


def test_a_wrong_command_line_is_json_on_request(udist: Udist) -> None:
    ran = udist("pull", "de mo", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "'de mo' is not a repository name" in json.loads(ran.err)["errors"][0]["message"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("words", [("ls",), ("ls", "--json"), ("--help",)])
def test_standard_output_without_room_is_told_once(udist: Udist, words: tuple[str, ...]) -> None:
    udist("push", "demo/a", "README.md")
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [*COMMAND, *words], stdout=full, stderr=subprocess.PIPE, env=environ, timeout=30, check=False
        )
    assert ran.returncode == 1
    said = "standard output: No space left on device"
    if "--json" in words:
        assert json.loads(ran.stderr)["errors"][0]["message"] == said
    else:
        assert ran.stderr.decode() == f"udist: {said}\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("words", [("version",), ("help",), ("push", "--help"), ("--version",)])
def test_unbuffered_standard_output_without_room_is_told(words: tuple[str, ...]) -> None:
    """Each write reaches it, also those of argparse."""
    environ = os.environ | {"PYTHONUNBUFFERED": "1"}
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [*COMMAND, *words], stdout=full, stderr=subprocess.PIPE, env=environ, timeout=30, check=False
        )
    assert (ran.returncode, ran.stderr) == (1, b"udist: No space left on device\n")


def test_an_error_does_not_steer_the_terminal(udist: Udist, work: Path) -> None:
    (work / "\x1b[31mred").write_text("x")
    udist("push", "demo/a", "\x1b[31mred")
    (work / "\x1b[31mred").unlink()
    (work / "\x1b[31mred").mkdir()
    ran = udist("pull", "demo/a")
    assert (ran.code, ran.out) == (1, "")
    assert "a folder is in the place of a file" in ran.err
    assert "\x1b" not in ran.err


def test_a_store_that_fails_is_told_with_its_place(udist: Udist, work: Path) -> None:
    udist("push", "demo/a:v1", "README.md")
    tags = work.parent / "store/docker/registry/v2/repositories/demo/a/_manifests/tags"
    (tags / "v2/current").mkdir(parents=True)
    with (tags / "v2/current/link").open("wb") as link:
        link.truncate(9 << 20)
    told = udist("inspect", "demo/a:v2")
    assert (told.code, told.out) == (1, "")
    assert "demo/a/_manifests/tags/v2/current/link: more bytes than the 8388608 that belong" in told.err
    untold = udist("push", "demo/a:v3", "README.md", "--subject", "v2")  # begins with HEAD: no content
    assert untold.code == 1
    assert "hint: run the command again with -v" in untold.err

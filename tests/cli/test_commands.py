"""Each command, through a spawned plugin."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_failures import COMMAND
from tests.images.comparing import content_of
from udist_plugin.cli.standard_input import spooled
from udist_plugin.client.plugin import Plugin
from udist_plugin.images.artifact import TITLE
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_CONFIG, OCI_LAYER_TAR, OCI_MANIFEST
from udist_plugin.remote.registry import RemoteRegistry
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran

    Udist = Callable[..., Ran]


def test_push_prints_the_digest_and_pull_brings_it_back(udist: Udist, work: Path) -> None:
    pushed = udist("push", "demo/readme:v1", "README.md", "folder")
    assert pushed.code == 0
    assert pushed.err == ""
    digest = Digest(pushed.out.strip())
    assert udist("pull", "demo/readme:v1", "-o", "out") == (0, f"{digest}\n", "")
    assert content_of(work / "out") == {
        "README.md": (b"# Read me\n", False),
        "folder": None,
        "folder/inner": (b"inner\n", False),
    }
    assert udist("pull", f"demo/readme@{digest}", "--output", "other").code == 0


def test_lists(udist: Udist) -> None:
    assert udist("ls") == (0, "", "")
    udist("push", "demo/b:v2,v1", "README.md")
    udist("push", "demo/a", "README.md")
    assert udist("ls").out == "demo/a\ndemo/b\n"
    assert udist("tags", "demo/a").out == "latest\n"
    assert udist("tags", "demo/b").out == "v1\nv2\n"
    assert json.loads(udist("ls", "--json").out) == {"repositories": ["demo/a", "demo/b"]}
    assert json.loads(udist("tags", "demo/b", "--json").out) == {"name": "demo/b", "tags": ["v1", "v2"]}


def test_inspect(udist: Udist) -> None:
    udist("push", "demo/a:v1", "README.md:text/markdown", "folder", "-a", "some.key=a=b")
    shown = udist("inspect", "demo/a:v1").out
    for words in ("demo/a:v1", "README.md", "text/markdown", "10 B", "folder", "some.key  a=b"):
        assert words in shown
    raw = udist("inspect", "demo/a:v1", "--raw").out
    document = json.loads(udist("inspect", "demo/a:v1", "--json").out)
    assert document["manifest"] == json.loads(raw)
    assert document["digest"] == Digest.of(raw.encode())
    assert document["size"] == len(raw)


def test_what_a_registry_holds_does_not_steer_the_terminal(udist: Udist) -> None:
    udist("push", "demo/a:v1", "README.md", "-a", "key=\x1b[2J\x07")
    shown = udist("inspect", "demo/a:v1").out
    assert "key  \N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}" in shown
    assert "\x1b" not in shown


def test_options_stand_anywhere_before_two_dashes(udist: Udist, work: Path) -> None:
    (work / "--json").write_text("a file of that name")
    pushed = udist(
        "push", "--concurrency", "2", "demo/a", "README.md", "-a", "k=v", "folder", "-q", "--", "--json"
    )
    assert (pushed.code, pushed.err) == (0, "")
    assert Digest(pushed.out.strip())
    layers = json.loads(udist("inspect", "demo/a", "--raw").out)["layers"]
    assert [each["annotations"][TITLE] for each in layers] == ["README.md", "folder", "--json"]
    assert json.loads(udist("tag", "demo/a", "one", "--json", "two").out)["tags"] == ["one", "two"]
    assert udist("rm", "demo/a:one", "--force", "demo/a:gone", "demo/a:two").code == 0
    assert udist("tags", "demo/a").out == "latest\n"
    assert json.loads(udist("config", "--json", "keys", "storage.inmemory").out)["keys"]


@pytest.mark.parametrize("words", [("push", "demo/a", "-o", "out", "README.md"), ("config", "check", "-o")])
def test_an_unknown_option_shows_the_usage_of_the_command(udist: Udist, words: tuple[str, ...]) -> None:
    ran = udist(*words)
    program = " ".join(("udist", *words[: words.index("-o")])).removesuffix(" demo/a")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"usage: {program} [-h]")
    assert ran.err.endswith(f"\n{program}: error: unrecognized arguments: -o\n")


def from_pipe(content: bytes, *words: str) -> tuple[int, bytes, bytes]:
    """``udist words`` with ``content`` on standard input: exit code, standard output and error."""
    ran = subprocess.run([*COMMAND, *words], input=content, capture_output=True, timeout=60, check=False)
    return ran.returncode, ran.stdout, ran.stderr


def test_standard_input_becomes_a_file_and_a_file_standard_output(work: Path) -> None:
    content = bytes(range(256)) * 10_000
    code, out, err = from_pipe(content, "push", "demo/a:v1", "-", "--name", "db/dump.sql")
    assert (code, err) == (0, b"")
    Digest(out.decode().strip())
    assert from_pipe(b"", "pull", "demo/a:v1", "-o", "-") == (0, content, b"")
    assert from_pipe(b"", "pull", "demo/a:v1", "-o", "out")[0] == 0
    assert content_of(work / "out") == {"db": None, "db/dump.sql": (content, False)}


def test_a_name_without_standard_input_is_refused(udist: Udist) -> None:
    ran = udist("push", "demo/a", "README.md", "--name", "other")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith("udist push: error: --name is for standard input, and no PATH is -\n")


def test_standard_input_can_be_empty_and_have_a_media_type(udist: Udist, work: Path) -> None:
    assert from_pipe(b"", "push", "demo/a:v1", "-", "README.md", "--name", "a:text/plain")[0] == 0
    assert from_pipe(b"", "push", "demo/b:v1", "-")[0] == 0
    assert "stdin" in udist("inspect", "demo/b:v1").out
    (work / "-").write_text("a file of that name")
    udist("push", "demo/a:v2", "./-")
    shown = json.loads(udist("inspect", "demo/a:v1", "--json").out)["manifest"]["layers"]
    assert [(layer["annotations"][TITLE], layer["size"]) for layer in shown] == [
        ("a", 0),
        ("README.md", 10),
    ]
    assert shown[0]["mediaType"] == "text/plain"
    assert from_pipe(b"", "pull", "demo/a:v2", "-o", "-") == (0, b"a file of that name", b"")


def test_only_one_file_can_go_to_standard_output(udist: Udist) -> None:
    udist("push", "demo/a:files", "README.md", "folder/inner")
    udist("push", "demo/a:folder", "folder")
    for tag, said in (("files", "holds 2 files"), ("folder", "a folder cannot be written to a stream")):
        code, out, err = from_pipe(b"", "pull", f"demo/a:{tag}", "-o", "-")
        assert (code, out) == (1, b"")
        assert said in err.decode()
    assert udist("pull", "demo/a:files", "-o", "-", "--json").code == 2


def test_content_on_standard_output_is_verified(udist: Udist, work: Path) -> None:
    udist("push", "demo/a:v1", "README.md")
    digest = Digest.of((work / "README.md").read_bytes())
    blob = work.parent / f"store{paths.blob_data(digest)}"
    assert blob.exists()
    blob.write_bytes(b"# Mislead\n")
    code, _, err = from_pipe(b"", "pull", "demo/a:v1", "-o", "-")
    assert code == 1
    assert b"digest" in err


def test_a_closed_standard_input_is_told(work: Path) -> None:
    words = " ".join([*COMMAND, "push", "demo/a", "-", "<&-"])
    ran = subprocess.run(["sh", "-c", words], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (1, "udist: standard input: is closed\n")


def test_a_standard_input_that_cannot_be_read_is_told(work: Path) -> None:
    with (work / "written").open("wb") as write_only:
        command = [*COMMAND, "push", "demo/a", "-"]
        ran = subprocess.run(
            command, stdin=write_only, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert (ran.returncode, ran.stderr) == (1, "udist: standard input: Bad file descriptor\n")


def test_a_temporary_folder_that_is_full_is_told_and_blamed_for_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    content = io.BytesIO(b"content")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(OSError, match="later") as caught, spooled():
        raise OSError("later")
    assert caught.value.filename is None
    content.seek(0)
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", lambda **_: open("/dev/full", "rb"))  # noqa: SIM115
    with pytest.raises(OSError, match="No space left") as caught, spooled():
        pass
    assert caught.value.filename == str(tmp_path)


def test_all_that_cannot_be_pushed_is_listed_before_anything_is_done(udist: Udist, work: Path) -> None:
    os.mkfifo(work / "folder/pipe")
    (work / "folder/out").symlink_to("/etc/passwd")
    ran = udist("push", "demo/a", "absent", "folder", "README.md")
    assert (ran.code, ran.out) == (1, "")
    assert [line.split(": ", 2)[1] for line in ran.err.splitlines()] == [
        "absent",
        "folder/out",
        "folder/pipe",
    ]
    assert udist("ls").out == ""
    told = json.loads(udist("push", "demo/a", "absent", "folder", "--json").err)["errors"]
    assert [(error["code"], error["detail"]["path"]) for error in told] == [
        ("SOURCE_INVALID", "absent"),
        ("SOURCE_INVALID", "folder/out"),
        ("SOURCE_INVALID", "folder/pipe"),
    ]


def test_options_choose_what_of_a_folder_is_pushed(udist: Udist, work: Path) -> None:
    (work / "folder/.git").mkdir()
    (work / "folder/.git/config").touch()
    (work / "folder/a.log").touch()
    (work / "folder/link").symlink_to("../README.md")
    os.mkfifo(work / "folder/pipe")
    words = ("--exclude", "*.log", "--exclude", ".git/", "--skip-special", "--dereference")
    assert udist("push", "demo/a", "folder", *words).code == 0
    assert udist("pull", "demo/a", "-o", "out").code == 0
    assert content_of(work / "out/folder") == {"inner": (b"inner\n", False), "link": (b"# Read me\n", False)}


def test_rm_takes_a_tag_or_a_manifest(udist: Udist) -> None:
    digest = udist("push", "demo/a:v1,v2", "README.md").out.strip()
    assert udist("rm", "demo/a:v1") == (0, "demo/a:v1\n", "")
    assert udist("tags", "demo/a").out == "v2\n"
    assert udist("pull", f"demo/a@{digest}").code == 0
    assert json.loads(udist("rm", f"demo/a@{digest}", "--json").out) == {"deleted": [f"demo/a@{digest}"]}
    assert udist("pull", "demo/a:v2").code == 3
    assert udist("rm", f"demo/a@{digest}").code == 3


def test_rm_of_several_deletes_what_it_can(udist: Udist) -> None:
    udist("push", "demo/a:v1,v2,v3", "README.md")
    ran = udist("rm", "demo/a:v1", "demo/a:absent", "demo/a:v2")
    assert (ran.code, ran.out) == (3, "demo/a:v1\ndemo/a:v2\n")
    assert ran.err.splitlines() == [
        "udist: manifest unknown (reference: demo/a:absent, Tag: absent)",
        'hint: "udist tags NAME" lists the tags of a repository',
    ]
    assert udist("tags", "demo/a").out == "v3\n"
    ran = udist("rm", "demo/a:x", "demo/a:y", "--json")
    assert (ran.code, json.loads(ran.out)) == (3, {"deleted": []})
    assert [error["code"] for error in json.loads(ran.err)["errors"]] == ["MANIFEST_UNKNOWN"] * 2


def test_rm_by_force_passes_over_what_is_not_there(udist: Udist) -> None:
    udist("push", "demo/a:v1", "README.md")
    absent = f"demo/a@{Digest.of(b'')}"
    assert udist("rm", "-f", "demo/a:absent", absent, "demo/b:v1", "demo/a:v1") == (0, "demo/a:v1\n", "")
    refused = udist("--config", "/dev/null", "rm", "--force", "demo/a:v1")
    assert refused.code == 4


def test_tag(udist: Udist) -> None:
    digest = udist("push", "demo/a:v1", "README.md").out
    udist("push", "demo/a:latest", "folder")
    assert udist("tag", "demo/a:v1", "stable", "latest") == (0, digest, "")
    assert udist("tags", "demo/a").out == "latest\nstable\nv1\n"
    assert udist("digest", "demo/a") == (0, digest, "")
    tagged = json.loads(udist("tag", f"demo/a@{digest.strip()}", "v2", "--json").out)
    assert (tagged["tags"], tagged["digest"]) == (["v2"], digest.strip())
    assert udist("tag", "demo/a:absent", "v3").code == 3


def test_digest(udist: Udist) -> None:
    digest = udist("push", "demo/a:v1", "README.md").out
    assert udist("digest", "demo/a:v1") == (0, digest, "")
    assert json.loads(udist("digest", "demo/a:v1", "--json").out)["digest"] == digest.strip()
    assert udist("digest", "demo/a:v2").code == 3


def test_options_may_stand_before_the_command(udist: Udist, work: Path) -> None:
    udist("push", "demo/a:v1", "--", "README.md")
    listed = {"name": "demo/a", "tags": ["v1"]}
    for words in (("--json", "tags", "demo/a"), ("-v", "--json", "tags", "--", "demo/a")):
        assert json.loads(udist(*words).out) == listed
    plugin = f"{sys.executable} -m udist_plugin"
    for before in (["--plugin", plugin], [f"--plugin={plugin}"]):
        assert udist(*before, "ls").out == "demo/a\n"
    assert udist("--plugin", "/nonexistent/plugin", "ls").code == 4
    assert udist("--config", "absent.yml", "config", "keys").code == 2
    assert udist("--config", "absent.yml", "ls").code == 4
    assert udist("--plugin", plugin, "doctor").code == 2
    assert udist("--json").code == 2
    assert udist("--conf", "absent.yml", "ls").code == 2


def test_referrers(udist: Udist) -> None:
    subject = udist("push", "demo/a:v1", "README.md").out.strip()
    assert udist("referrers", "demo/a:v1") == (0, "", "")
    bill = udist("push", "demo/a", "--subject", "v1", "--artifact-type", "a/bill", "folder").out.strip()
    other = udist(
        "push", "demo/a:sig", "--subject", subject, "--artifact-type", "a/sig", "folder"
    ).out.strip()
    assert udist("tags", "demo/a").out == f"{subject.replace(':', '-')}\nsig\nv1\n"
    assert {line.split()[0] for line in udist("referrers", "demo/a:v1").out.splitlines()} == {bill, other}
    listed = json.loads(udist("referrers", "demo/a:v1", "--artifact-type", "a/sig", "--json").out)
    assert [item["digest"] for item in listed["manifests"]] == [other]


def test_json_of_a_push_and_a_pull(udist: Udist) -> None:
    pushed = json.loads(udist("push", "demo/a:v1,v2", "README.md", "--json").out)
    assert (pushed["reference"], pushed["tags"]) == ("demo/a", ["v1", "v2"])
    pulled = json.loads(udist("pull", "demo/a:v2", "-o", "out", "--json").out)
    assert (pulled["digest"], pulled["size"]) == (pushed["digest"], pushed["size"])
    assert [file["path"] for file in pulled["files"]] == ["out/README.md"]


def push_image(layers: list[Descriptor], kind: str) -> str:
    """A manifest whose configuration is of media type ``kind``, as ``demo/image:v1``; its digest."""
    config = Descriptor(kind, Digest.of(b"{}"), 2)
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config.to_json()}
    document["layers"] = [layer.to_json() for layer in layers]
    with Plugin() as plugin:
        registry = RemoteRegistry(plugin)
        for content in (b"{}", b"layer"):
            registry.push_blob("demo/image", Digest.of(content), io.BytesIO(content))
        manifest = Manifest.parse(json.dumps(document).encode(), OCI_MANIFEST)
        return registry.push_manifest("demo/image", manifest, ["v1"]).digest


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (OCI_CONFIG, "a container image, not an artifact of files"),
        ("application/vnd.cncf.helm.config.v1+json", f"no layer has a file name (the annotation {TITLE})"),
    ],
)
def test_an_image_without_files_is_an_error_that_says_what_to_use(
    udist: Udist, work: Path, kind: str, said: str
) -> None:
    digest = push_image([Descriptor(OCI_LAYER_TAR, Digest.of(b"layer"), 5)], kind)
    for words in (("pull", "demo/image:v1", "-o", "out"), ("pull", "demo/image:v1", "-o", "-")):
        ran = udist(*words)
        assert (ran.code, ran.out) == (1, "")
        first, hint = ran.err.splitlines()
        assert first == f"udist: {digest}: {said}"
        assert hint.startswith('hint: "udist inspect" shows what it holds')
        assert "udist copy" in hint
    assert not (work / "out").exists()


def test_layers_without_a_name_are_told(udist: Udist, work: Path) -> None:
    layer = Descriptor(OCI_LAYER_TAR, Digest.of(b"layer"), 5)
    push_image([layer._replace(annotations={TITLE: "file"}), layer], OCI_CONFIG)
    ran = udist("pull", "demo/image:v1", "-o", "out")
    assert (ran.code, ran.err) == (0, "udist: left out 1 of 2 layers: no file name\n")
    assert content_of(work / "out") == {"file": (b"layer", False)}


def test_existing_files_are_kept_on_request(udist: Udist, work: Path) -> None:
    udist("push", "demo/a", "README.md")
    (work / "README.md").write_text("changed")
    kept = udist("pull", "demo/a", "--keep-old-files")
    assert (kept.code, kept.err) == (1, "udist: ./README.md: exists already\n")
    assert udist("pull", "demo/a").code == 0
    assert (work / "README.md").read_text() == "# Read me\n"


@pytest.mark.parametrize("plugin", ["-m udist_plugin", "-m udist_plugin.cli.main serve"])
def test_any_command_can_be_the_plugin(udist: Udist, plugin: str) -> None:
    udist("push", "demo/a", "README.md")
    assert udist("ls", "--plugin", f"{sys.executable} {plugin}").out == "demo/a\n"


def test_a_configuration_file_is_used(udist: Udist, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY")
    (work / "udist.yml").write_text(
        f"version: 0.1\nstorage:\n  filesystem: {{rootdirectory: {work / 'other'}}}\n"
        "  delete: {enabled: false}\n"
    )
    digest = udist("push", "demo/a:v1", "README.md", "--config", "udist.yml").out.strip()
    assert (work / "other").is_dir()
    refused = udist("rm", f"demo/a@{digest}", "--config", "udist.yml")
    assert refused.code == 1
    assert "unsupported" in refused.err
    assert "storage.delete" in refused.err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_any_name_is_shown_in_any_encoding(udist: Udist, work: Path, encoding: str) -> None:
    (work / "\N{SNOWMAN}\n").write_text("x")
    udist("push", "demo/a", "\N{SNOWMAN}\n")
    environ = os.environ | {"PYTHONIOENCODING": encoding}
    for words in (("inspect", "demo/a"), ("inspect", "demo/a", "--json")):
        ran = subprocess.run([*COMMAND, *words], capture_output=True, env=environ, timeout=30, check=False)
        assert (ran.returncode, ran.stderr) == (0, b"")
        assert rb"\u2603" in ran.stdout
    assert json.loads(ran.stdout)["manifest"]["layers"][0]["annotations"][TITLE] == "\N{SNOWMAN}\n"

"""What of a folder is packed, and what is refused before anything is read."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from tests.images.comparing import content_of
from udist_plugin.errors import SourceInvalid
from udist_plugin.images.pull import pull_artifact
from udist_plugin.images.push import Source, push_artifact
from udist_plugin.images.selection import ALL, Selection, entries
from udist_plugin.images.survey import check_sources

if TYPE_CHECKING:
    from pathlib import Path

    from udist_plugin.remote.registry import RemoteRegistry


def selected(folder: Path, selection: Selection = ALL) -> tuple[list[str], list[str]]:
    """The paths of what is packed, and what is said of what is refused, without the folder's own path."""
    refused: list[SourceInvalid] = []
    found = [entry.inner for entry in entries(str(folder), selection, refused.append) if entry.inner]
    return found, [str(error).removeprefix(f"{folder}/") for error in refused]


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        ([], ["a.log", "build", "build/a.o", "src", "src/a.log", "src/a.o", "src/build"]),
        (["*.log"], ["build", "build/a.o", "src", "src/a.o", "src/build"]),
        (["build"], ["a.log", "src", "src/a.log", "src/a.o"]),
        (["build/"], ["a.log", "src", "src/a.log", "src/a.o", "src/build"]),
        (["/build"], ["a.log", "src", "src/a.log", "src/a.o", "src/build"]),
        (["src/*"], ["a.log", "build", "build/a.o", "src"]),
        (["s*/*.o"], ["a.log", "build", "build/a.o", "src", "src/a.log", "src/build"]),
        (["SRC", "?.o", "[!ab]*"], ["a.log", "build"]),
        (["*"], []),
        (["[", "a.lo"], ["a.log", "build", "build/a.o", "src", "src/a.log", "src/a.o", "src/build"]),
    ],
)
def test_patterns_exclude(tmp_path: Path, patterns: list[str], left: list[str]) -> None:
    for path in ("a.log", "build/a.o", "src/a.o", "src/a.log", "src/build"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    assert selected(tmp_path, Selection(tuple(patterns))) == (left, [])


def test_what_is_excluded_is_not_looked_at(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "out").symlink_to("/etc/passwd")
    (tmp_path / "nowhere").symlink_to("absent")
    assert selected(tmp_path, Selection(("pipe", "out", "nowhere"), dereference=True)) == ([], [])


def test_special_files_are_left_out_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)  # a socket's path has a short limit
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        (tmp_path / "z").touch()
        problem = "neither a file, a folder nor a symbolic link; exclude it or skip special files"
        assert selected(tmp_path) == (["z"], [f"pipe: {problem}", f"socket: {problem}"])
        assert selected(tmp_path, Selection(skip_special=True)) == (["z"], [])


def test_links_are_followed_on_request(registry: RemoteRegistry, tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    (outside / "file").write_text("outside")
    (folder / "file").symlink_to("../outside/file")
    (folder / "folder").symlink_to(outside)
    (folder / "inner").symlink_to("file")
    told = "points outside the folder; exclude or dereference it"
    assert selected(folder) == (
        ["inner"],
        [f"file: the link to '../outside/file' {told}", f"folder: the link to {str(outside)!r} {told}"],
    )
    source = Source(str(folder), "folder", selection=Selection(dereference=True))
    push_artifact(registry, "demo", [source], tags=["v1"])
    pull_artifact(registry, "demo", "v1", str(tmp_path / "out"))
    content = (b"outside", False)
    assert content_of(tmp_path / "out/folder") == {
        "file": content,
        "folder": None,
        "folder/file": content,
        "inner": content,
    }


def test_links_that_lead_nowhere_or_round_in_circles_are_refused(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/up").symlink_to("..")
    (tmp_path / "nowhere").symlink_to("absent")
    (tmp_path / "itself").symlink_to("itself")
    assert selected(tmp_path) == (["itself", "nowhere", "sub", "sub/up"], [])
    assert selected(tmp_path, Selection(dereference=True)) == (
        ["sub"],
        [
            "itself: the link leads nowhere",
            "nowhere: the link leads nowhere",
            "sub/up: the link leads back to a folder that it lies in; exclude it",
        ],
    )


def test_everything_that_cannot_be_pushed_is_told_at_once(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tree / "folder/pipe")
    (tree / "folder/sub/out").symlink_to("/etc")
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: "read" not in str(path) and access(path, mode))
    (tree / "folder/unreadable").touch()
    paths = ["missing", "folder", "/dev/null", "read me.txt", "empty"]
    with pytest.raises(SourceInvalid) as caught:
        check_sources((path, ALL) for path in paths)
    assert str(caught.value).splitlines() == [
        "missing: No such file or directory",
        "folder/pipe: neither a file, a folder nor a symbolic link; exclude it or skip special files",
        "folder/sub/out: the link to '/etc' points outside the folder; exclude or dereference it",
        "folder/unreadable: Permission denied",
        "/dev/null: neither a file nor a folder",
        "read me.txt: Permission denied",
    ]
    assert [error.path for error in caught.value.also][-1] == "read me.txt"


def test_a_folder_that_cannot_be_listed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shut").mkdir()
    (tmp_path / "z").touch()
    listdir = os.listdir

    def refuse(path: str) -> list[str]:
        if path.endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refuse)
    assert selected(tmp_path) == (["z"], ["shut: Permission denied"])


def test_nothing_is_pushed_of_what_cannot_be_pushed_whole(registry: RemoteRegistry, tree: Path) -> None:
    os.mkfifo(tree / "folder/pipe")
    with pytest.raises(SourceInvalid, match="pipe"):
        push_artifact(registry, "demo", [Source.of("big"), Source.of("folder")], tags=["v1"])
    assert registry.list_repositories().items == []

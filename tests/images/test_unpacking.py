"""Archives that want to do harm."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.images.comparing import content_of
from udist_plugin.errors import ArtifactError
from udist_plugin.images.selection import DEPTH_MAX, leads_out
from udist_plugin.images.unpacking import place_folder

if TYPE_CHECKING:
    from pathlib import Path


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", **changes: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    for key, value in changes.items():
        setattr(info, key, value)
    return info


def archive(*entries: tarfile.TarInfo, content: bytes = b"") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for info in entries:
            if info.isreg():
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def unpack(data: bytes, target: Path, title: str = "t") -> None:
    place_folder(io.BytesIO(data), title, str(target), content_digest=None, overwrite=True)


LINK, HARD, FOLDER = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE

HARMFUL = {
    "absolute": [entry("/t/x")],
    "climbing": [entry("t/../../x")],
    "climbing and back": [entry("t/../t/x")],
    "outside the title": [entry("other/x")],
    "the title with more": [entry("title/x")],
    "a file as the folder": [entry("t")],
    "absolute link": [entry("t/l", LINK, "/etc")],
    "link out": [entry("t/l", LINK, "../x")],
    "link out from below": [entry("t/a/b/l", LINK, "../../../x")],
    "link out through a link": [entry("t/d", LINK, "."), entry("t/l", LINK, "d/d/../..")],
    "file through a link": [entry("t/d", LINK, "."), entry("t/d/x")],
    "folder through a link": [entry("t/d", LINK, "."), entry("t/d/x", FOLDER)],
    "link through a link": [entry("t/d", LINK, "."), entry("t/d/x", LINK, "a")],
    "hard link out": [entry("t/x", HARD, "/etc/passwd")],
    "hard link climbing": [entry("t/x", HARD, "t/../../etc/passwd")],
    "hard link outside the title": [entry("t/x", HARD, "etc/passwd")],
    "hard link to a link": [entry("t/a"), entry("t/l", LINK, "a"), entry("t/x", HARD, "t/l")],
    "hard link through a link": [entry("t/a"), entry("t/d", LINK, "."), entry("t/x", HARD, "t/d/a")],
    "hard link to nothing": [entry("t/x", HARD, "t/later")],
    "hard link to the folder": [entry("t/x", HARD, "t")],
    "a file where a folder is": [entry("t/a/b"), entry("t/a")],
    "a folder where a file is": [entry("t/a"), entry("t/a/b")],
    "too deep": [entry("t" + "/d" * (DEPTH_MAX + 1))],
}


@pytest.mark.parametrize("entries", HARMFUL.values(), ids=HARMFUL)
def test_a_harmful_archive_leaves_nothing_behind(tmp_path: Path, entries: list[tarfile.TarInfo]) -> None:
    for target in (tmp_path / "new", tmp_path):
        with pytest.raises(ArtifactError):
            unpack(archive(*entries), target)
        assert content_of(tmp_path) == {}


def test_links_inside_are_kept(tmp_path: Path) -> None:
    data = archive(
        entry("t/a/file"),
        entry("t/a/up", LINK, "../b/c"),
        entry("./t/b/hard", HARD, "t/a/file"),
        entry("t/b/self", LINK, "."),
        content=b"data",
    )
    unpack(data, tmp_path / "out")
    assert content_of(tmp_path / "out") == {
        "a": None,
        "a/file": (b"data", False),
        "a/up": "../b/c",
        "b": None,
        "b/hard": (b"data", False),
        "b/self": ".",
    }


def test_devices_and_set_id_bits_are_left_out(tmp_path: Path) -> None:
    unpack(
        archive(
            entry("t/dev", tarfile.CHRTYPE), entry("t/pipe", tarfile.FIFOTYPE), entry("t/x", mode=0o6755)
        ),
        tmp_path / "out",
    )
    assert content_of(tmp_path / "out") == {"x": (b"", True)}
    assert os.stat(tmp_path / "out/x").st_mode & 0o7000 == 0


def test_modes_are_what_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        unpack(
            archive(entry("t/x", mode=0o666), entry("t/d", FOLDER, mode=0o500), entry("t/d/y", mode=0o777)),
            tmp_path / "out",
        )
    finally:
        os.umask(before)
    modes = {name: os.stat(tmp_path / "out" / name).st_mode & 0o777 for name in ("x", "d", "d/y")}
    assert modes == {"x": 0o640, "d": 0o700, "d/y": 0o750}


def test_a_later_entry_replaces_an_earlier_one(tmp_path: Path) -> None:
    unpack(
        archive(
            entry("t/x", LINK, "y"), entry("t/x"), entry("t/d", FOLDER), entry("t/d", FOLDER), content=b"1"
        ),
        tmp_path / "out",
    )
    assert content_of(tmp_path / "out") == {"x": (b"1", False), "d": None}


def test_the_output_folder_itself_can_be_filled(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    unpack(archive(entry("./x"), entry(".", FOLDER)), tmp_path, title=".")
    assert set(content_of(tmp_path)) == {"mine", "x"}


def test_a_header_of_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    header = entry("t/x", tarfile.XHDTYPE, size=1 << 30).tobuf(tarfile.USTAR_FORMAT)
    with pytest.raises(ArtifactError, match="extended header of 1073741824 bytes"):
        unpack(gzip.compress(header + bytes(1024)), tmp_path / "out")


def test_an_archive_cut_short_is_noticed(tmp_path: Path) -> None:
    plain = gzip.decompress(archive(entry("t/x"), content=b"x" * 5000))
    for size in (100, 512, 3000):
        with pytest.raises(ArtifactError):
            unpack(
                gzip.compress(plain[:size])[:-8] if size == 512 else gzip.compress(plain[:size]),
                tmp_path / "out",
            )
    assert content_of(tmp_path) == {}


@given(
    st.lists(st.sampled_from(["..", ".", "a", "b", ""]), max_size=6).map("/".join),
    st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=3).map("/".join),
)
def test_a_link_that_is_let_through_stays_inside(link: str, inner: str) -> None:
    if not leads_out(inner, link):
        resolved = os.path.normpath(os.path.join("/root", os.path.dirname(inner), link))
        assert resolved == "/root" or resolved.startswith("/root/")

"""Which image of an index is meant by a platform."""

from __future__ import annotations

import pytest

from udist_plugin.errors import PlatformUnknown, ReferenceInvalid
from udist_plugin.images.platforms import Platform, choose
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest


def chosen(wanted: str, *stated: str) -> tuple[str, list[str]]:
    """The one of ``stated`` that is chosen (the first of several), and the warnings; empty for none."""
    entries = []
    for number, text in enumerate(stated):
        platform = None if text == "none" else Platform(*text.split("/"))
        entries.append((platform, Descriptor("", Digest.of(b"%d" % number), number)))
    warnings: list[str] = []
    try:
        return stated[choose(entries, Platform.parse(wanted), warnings.append).size], warnings
    except PlatformUnknown:
        return "", warnings


INDEX = ("linux/amd64", "linux/arm64/v8", "linux/arm/v7", "linux/arm/v6", "unknown/unknown")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/v8", "linux/arm/v7"),
        ("linux/arm/v7", "linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("linux/arm/v5", ""),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/arm64", "linux/arm64/v8"),
        ("linux/arm64/v8", "linux/arm64/v8"),
        ("linux/arm64/v9", "linux/arm64/v8"),
        ("linux/aarch64", "linux/arm64/v8"),
        ("Linux/ARM64", "linux/arm64/v8"),
        ("unknown/unknown", "unknown/unknown"),
        ("linux/s390x", ""),
        ("windows/amd64", ""),
    ],
)
def test_what_is_asked_of_an_index_in_any_order(wanted: str, found: str) -> None:
    assert chosen(wanted, *INDEX) == chosen(wanted, *reversed(INDEX)) == (found, [])


@pytest.mark.parametrize(
    ("wanted", "stated", "found"),
    [
        ("linux/amd64", ["linux/amd64/v3", "linux/amd64/v2", "linux/amd64"], "linux/amd64"),
        ("linux/amd64/v1", ["linux/amd64/v3", "linux/amd64"], "linux/amd64"),
        ("linux/amd64/v4", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v3"], "linux/amd64/v3"),
        ("linux/amd64", ["linux/amd64/v3", "linux/amd64/v2"], ""),
        ("linux/amd64", ["linux/amd64/v1"], "linux/amd64/v1"),
        ("linux/amd64/v2", ["linux/amd64/v1"], "linux/amd64/v1"),
        ("linux/arm/v7", ["linux/arm/v5", "linux/arm/v6"], "linux/arm/v6"),
        ("linux/arm", ["linux/arm/v5", "linux/arm/v6"], "linux/arm/v6"),
        ("linux/arm/v6", ["linux/arm"], "linux/arm"),
        ("linux/arm64", ["linux/arm64/v8", "linux/arm64"], "linux/arm64"),
        ("linux/arm64/v8", ["linux/arm64", "linux/arm64/v8"], "linux/arm64/v8"),
        ("linux/arm64/v8", ["linux/arm64"], "linux/arm64"),
        ("linux/arm64", ["linux/arm64/v9"], ""),
        ("linux/riscv64", ["linux/riscv64"], "linux/riscv64"),
        ("linux/mips/x", ["linux/mips"], "linux/mips"),
    ],
)
def test_ladders(wanted: str, stated: list[str], found: str) -> None:
    assert chosen(wanted, *stated) == (found, [])


def test_an_entry_that_states_no_platform_comes_last_and_with_a_warning() -> None:
    assert chosen("linux/amd64", "none", "linux/amd64") == ("linux/amd64", [])
    found, warnings = chosen("linux/s390x", "none", "linux/amd64")
    assert found == "none"
    assert warnings[0].startswith("no entry of the index states linux/s390x; taking sha256:")
    assert chosen("linux/s390x", "none", "none", "linux/amd64") == ("", [])


def test_what_there_is_is_listed() -> None:
    entries = [(Platform(*text.split("/")), Descriptor("", Digest.of(b""), 0)) for text in (*INDEX, INDEX[0])]
    with pytest.raises(
        PlatformUnknown,
        match=r"^linux/s390x: the image is not there; it is there for linux/amd64, "
        r"linux/arm64/v8, linux/arm/v7, linux/arm/v6, unknown/unknown$",
    ):
        choose(entries, Platform("linux", "s390x"), print)


@pytest.mark.parametrize(
    "text", ["", "linux", "linux/", "linux/a/b/c", "linux/a b", "/amd64", "linux/amd64 "]
)
def test_what_is_no_platform(text: str) -> None:
    with pytest.raises(ReferenceInvalid, match="expected OS/ARCHITECTURE"):
        Platform.parse(text)

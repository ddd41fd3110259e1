"""The report of what was pushed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.wrappers.notifying import BLOBS, MANIFESTS, Occurrence
from udist_plugin.wrappers.push_report import PushReport

if TYPE_CHECKING:
    from pathlib import Path

LAYER = Descriptor("application/vnd.oci.image.layer.v1.tar", Digest.of(b"layer"), 1000)
CONFIG = Descriptor("application/vnd.oci.image.config.v1+json", Digest.of(b"config"), 50)


def blob(descriptor: Descriptor, action: str = "push") -> Occurrence:
    return Occurrence(action, BLOBS, "demo/app", descriptor.digest, size=descriptor.size)


def manifest(content: bytes, *references: Descriptor, tag: str = "v1") -> Occurrence:
    size = len(content)
    return Occurrence(
        "push", MANIFESTS, "demo/app", Digest.of(content), "a/b", size, tag, references=references
    )


def described(occurrence: Occurrence) -> Descriptor:
    return Descriptor(occurrence.media_type, Digest(occurrence.digest), occurrence.size)


def reported(path: Path, *occurrences: Occurrence) -> list[dict[str, Any]]:
    report = PushReport(str(path), pytest.fail)
    for each in occurrences:
        report(each)
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_was_uploaded_counts_for_the_first_that_refers_to_it(tmp_path: Path) -> None:
    first, second = manifest(b"1234", LAYER, CONFIG), manifest(b"12345", LAYER, tag="v2")
    lines = reported(tmp_path / "report", blob(LAYER), blob(CONFIG), first, second)
    assert lines == [
        {
            "repository": "demo/app",
            "tag": "v1",
            "digest": first.digest,
            "mediaType": "a/b",
            "size": 1054,
            "uploaded": 1054,
        },
        {
            "repository": "demo/app",
            "tag": "v2",
            "digest": second.digest,
            "mediaType": "a/b",
            "size": 1005,
            "uploaded": 5,
        },
    ]


def test_what_was_there_or_mounted_is_not_new(tmp_path: Path) -> None:
    lines = reported(tmp_path / "report", blob(CONFIG, "mount"), manifest(b"1234", LAYER, CONFIG))
    assert (lines[0]["size"], lines[0]["uploaded"]) == (1054, 4)


def test_an_index_counts_what_its_manifests_refer_to(tmp_path: Path) -> None:
    image = manifest(b"1234", LAYER, LAYER, tag="")
    index = manifest(b"123456", described(image))
    lines = reported(tmp_path / "report", blob(LAYER), image, index)
    assert [(line["size"], line["uploaded"]) for line in lines] == [(1004, 1004), (1010, 1010)]


def test_an_index_counts_what_was_pushed_with_several_tags(tmp_path: Path) -> None:
    image, again = manifest(b"1234", LAYER, tag="v1"), manifest(b"1234", LAYER, tag="v2")
    index = manifest(b"123456", described(image))
    lines = reported(tmp_path / "report", blob(LAYER), image, again, index)
    assert [line["uploaded"] for line in lines] == [1004, 0, 1010]


def test_another_tag_is_not_new(tmp_path: Path) -> None:
    lines = reported(tmp_path / "report", manifest(b"1234"), manifest(b"1234", tag="v2"))
    assert [(line["tag"], line["uploaded"]) for line in lines] == [("v1", 4), ("v2", 0)]


@pytest.mark.parametrize("action", ["pull", "delete"])
def test_other_events_are_left_out(action: str, tmp_path: Path) -> None:
    assert reported(tmp_path / "report", manifest(b"1234")._replace(action=action)) == []


def test_a_push_outlives_a_report_that_is_full() -> None:
    told: list[str] = []
    PushReport("/dev/full", told.append)(manifest(b"1234"))
    assert told == [f"demo/app@{Digest.of(b'1234')} is missing in the report: No space left on device"]

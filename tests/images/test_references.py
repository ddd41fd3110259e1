"""The same texts through containers/image's parser and ours."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.images.reference_texts import DIFFERENCES, TEXTS
from tests.tools import require_tool
from udist_plugin.errors import ReferenceInvalid
from udist_plugin.images.transports import parse_image_name

if TYPE_CHECKING:
    from udist_plugin.images.transports.base import ImageReference


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    """containers/image's verdict on each text."""
    lines = "".join(json.dumps(text) + "\n" for text in TEXTS)
    said = subprocess.run(
        [require_tool("containersimage"), "parse"],
        input=lines,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    return dict(zip(TEXTS, map(json.loads, said.splitlines()), strict=True))


def ours(text: str) -> ImageReference | None:
    try:
        return parse_image_name(text)
    except ReferenceInvalid:
        return None


def test_there_are_many() -> None:
    assert len(TEXTS) > 150
    assert DIFFERENCES.keys() <= set(TEXTS)


def test_verdicts_are_equal(theirs: dict[str, Any]) -> None:
    differing = {}
    for text, verdict in theirs.items():
        reference = ours(text)
        if (str(reference) if reference else "") != verdict["name"]:
            differing[text] = (str(reference), verdict["name"], verdict["error"])
    assert {text: told for text, told in differing.items() if text not in DIFFERENCES} == {}
    assert differing.keys() == DIFFERENCES.keys(), "a difference that is none any more"

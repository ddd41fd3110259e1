"""How a plugin ends when its caller has gone or broken a rule: what it writes, and its exit status."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.server.raw import PLUGIN, frames_in
from tests.vectors.conversation import put
from tests.vectors.notation import encoded, frame
from tests.vectors.single import get
from udist_plugin.wire.frames import Frame, GoAway, Reset, Settings

MEMORY = os.environ | {"REGISTRY_STORAGE": "inmemory"}
SETTINGS = encoded(frame(settings={"versions": [1]}))
BEGUN = encoded(frame(1, request=put(5) | {"target": "/v2/demo/manifests/latest"}))
"""It is answered once its content has come."""


def without_message(frame: Frame) -> Frame:
    body = frame.body
    return frame._replace(body=body._replace(message="")) if isinstance(body, GoAway | Reset) else frame


@pytest.mark.parametrize(
    ("said", "status", "answer"),
    [
        pytest.param(b"", 0, None, id="nothing"),
        pytest.param(SETTINGS, 0, None, id="settings-alone"),
        pytest.param(SETTINGS[:-1], 76, Frame(0, GoAway(0, "INTERNAL")), id="half-the-settings"),
        pytest.param(SETTINGS + BEGUN, 0, Frame(1, Reset("CANCELLED")), id="half-a-request"),
    ],
)
def test_after_the_last_byte(said: bytes, status: int, answer: Frame | None) -> None:
    result = subprocess.run(PLUGIN, input=said, capture_output=True, timeout=60, env=MEMORY, check=False)
    frames = frames_in(result.stdout)
    answers = [without_message(frame) for frame in frames if not isinstance(frame.body, Settings)]
    assert (result.returncode, answers) == (status, [answer] if answer else [])


def test_a_broken_output_alone_ends_it() -> None:
    """Standard input is still open."""
    with subprocess.Popen(
        PLUGIN, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=MEMORY, bufsize=0
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(SETTINGS)
        assert process.stdout.read(1)
        process.stdout.close()
        process.stdin.write(encoded(frame(1, last=True, request=get("/v2/"))))
        assert process.wait(30) == 1

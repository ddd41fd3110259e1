"""How a plugin ends when its caller has gone or broken a rule: what it writes, and its exit status."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.vectors.conversation import put
from tests.vectors.notation import encoded, frame
from tests.vectors.single import get
from udist_plugin.wire.generated import frame_pb2 as pb

COMMAND = [sys.executable, "-m", "udist_plugin"]
MEMORY = os.environ | {"REGISTRY_STORAGE": "inmemory"}
SETTINGS = encoded(frame(settings={"versions": [1]}))
BEGUN = encoded(frame(1, request=put(5) | {"target": "/v2/demo/manifests/latest"}))
"""It is answered once its content has come."""


def written(output: bytes) -> list[pb.Frame]:
    """The frames in ``output``, but for the plugin's settings."""
    frames = []
    while output:
        end = 5 + int.from_bytes(output[1:5], "big")
        frames.append(pb.Frame.FromString(output[5:end]))
        output = output[end:]
    return [one for one in frames if one.WhichOneof("body") != "settings"]


@pytest.mark.parametrize(
    ("said", "status", "answer"),
    [
        pytest.param(b"", 0, None, id="nothing"),
        pytest.param(SETTINGS, 0, None, id="settings-alone"),
        pytest.param(
            SETTINGS[:-1], 76, pb.Frame(go_away=pb.GoAway(code=pb.CODE_INTERNAL)), id="half-the-settings"
        ),
        pytest.param(
            SETTINGS + BEGUN,
            0,
            pb.Frame(stream_id=1, reset=pb.Reset(code=pb.CODE_CANCELLED)),
            id="half-a-request",
        ),
    ],
)
def test_after_the_last_byte(said: bytes, status: int, answer: pb.Frame | None) -> None:
    result = subprocess.run(COMMAND, input=said, capture_output=True, timeout=60, env=MEMORY, check=False)
    frames = written(result.stdout)
    for one in frames:
        getattr(one, str(one.WhichOneof("body"))).ClearField("message")
    assert (result.returncode, frames) == (status, [answer] if answer else [])


def test_a_broken_output_alone_ends_it() -> None:
    """Standard input is still open."""
    with subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=MEMORY, bufsize=0
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(SETTINGS)
        assert process.stdout.read(1)
        process.stdout.close()
        process.stdin.write(encoded(frame(1, last=True, request=get("/v2/"))))
        assert process.wait(30) == 1

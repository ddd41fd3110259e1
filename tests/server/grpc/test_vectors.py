"""The golden vectors of calls, against the server: what breaks the rules ends the call with its status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.vectors import generate
from tests.vectors.notation import expand

if TYPE_CHECKING:
    from tests.server.grpc.hosting import Host
    from tests.vectors.notation import Json

UNSEEN = {"credit-exceeded"}
"""No breach any more when the server takes the message: the application has read, and credit has grown."""
BROKEN = [
    vector
    for vector in generate.load("calls.json")
    if isinstance(vector["steps"][-1]["event"], dict)
    and vector["steps"][-1]["from"] == "caller"
    and vector["name"] not in UNSEEN
]


@pytest.mark.parametrize("vector", BROKEN, ids=[vector["name"] for vector in BROKEN])
def test_broken_by_the_caller(apps: Host, vector: Json) -> None:
    """The application reads all of the request, and then needs credit: so the server sees all messages."""
    call = apps.call()
    *_, last = vector["steps"]
    for step in vector["steps"]:
        if step.get("half_close"):
            call.half_close()
        else:
            call.send(expand(step["bytes"]))
    code, _, unprocessed = call.failure()
    assert (code, unprocessed) == (last["event"]["status"], last["event"].get("unprocessed", False))

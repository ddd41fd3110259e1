"""What go.podman.io/image makes of policies: a small program of its own packages."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from tests.tools import require_tool

if TYPE_CHECKING:
    from collections.abc import Sequence


class Question(NamedTuple):
    """Whether ``policy`` loads, and whether it allows ``image``; ``attached`` if its signatures are looked
    for in its registry."""

    policy: str
    image: str = ""
    attached: bool = False


class Answer(NamedTuple):
    loads: bool
    allowed: bool
    problem: str


def ask(questions: Sequence[Question], lookaside: str = "") -> list[Answer]:
    """``lookaside`` is a URL below which signatures are, beside those in the registry."""
    done = subprocess.run(
        [require_tool("policyjudge"), "judge", *filter(None, [lookaside])],
        input=json.dumps([each._asdict() for each in questions]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Answer(**each) for each in json.loads(done.stdout)]

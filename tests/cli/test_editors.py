"""Editors open listings as JSON."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from tests.cli.test_failures import COMMAND
from tests.tools import run_tool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran

    Udist = Callable[..., Ran]


def test_neovim_reads_a_listing_into_a_buffer_and_follows_it(udist: Udist, work: Path) -> None:
    """As ``udist help browsing`` says: ``:read !`` and ``json_decode``."""
    assert udist("push", "demo/app:v1,v2", "README.md").code == 0
    command = shlex.join(COMMAND)
    script = work / "listing.vim"
    script.write_text(
        f"""\
enew
silent read !{command} tree demo/app:v1 --json
1delete
set filetype=json
let tree = json_decode(join(getline(1, '$'), "\\n"))
let tags = json_decode(system('{command} tags demo/app --json'))
call writefile([json_encode([&filetype, tree.digest, tags.tags, line('$') > 10])], 'seen.json')
qall!
"""
    )
    run_tool("nvim", "--headless", "--clean", "-S", str(script), cwd=work, timeout=120)
    digest = udist("digest", "demo/app:v1").out.strip()
    assert json.loads((work / "seen.json").read_text()) == ["json", digest, ["v1", "v2"], True]


def test_every_command_that_reads_has_a_json_form(udist: Udist, work: Path) -> None:
    """``manifest get`` prints the document itself."""
    assert udist("push", "demo/app:v1", "README.md").code == 0
    assert json.loads(udist("manifest", "get", "demo/app:v1").out)["schemaVersion"] == 2
    digest = udist("digest", "demo/app:v1").out.strip()
    for words in (
        "ls",
        "tags demo/app",
        "inspect demo/app:v1",
        "tree demo/app:v1",
        "diff demo/app:v1 demo/app:v1",
        f"digest demo/app@{digest}",
        "referrers demo/app:v1",
        "policy check",
        "gc",
        "config check",
        "config keys",
        "doctor",
        "version",
    ):
        ran = udist(*words.split(), "--json")
        assert ran.code == 0, ran.err
        assert isinstance(json.loads(ran.out), dict | list), words

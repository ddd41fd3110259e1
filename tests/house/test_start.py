"""What a plugin loads for its first answer, counted in modules: a count is the same on every machine."""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.house.generate import REPOSITORY
from udist_plugin.client.plugin import Plugin
from udist_plugin.http_api.app import ERROR_PATH, RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BUDGET = 98
"""Modules of ours. Each costs a start some 0.1 ms of processor time."""

LATER = {*ERROR_PATH, "udist_plugin.server.log_formats"} | {
    f"udist_plugin.http_api.{place.partition(':')[0]}" for place in RESOURCES.values()
}
"""What only later requests and errors need."""

HEAVY = {"argparse", "boto3", "dataclasses", "google", "grpc", "platformdirs", "prometheus_client"} | {
    "typing",
    "yaml",
}
"""What such a plugin never needs, not even protobuf's library."""

SPARED = {"enum", "importlib", "json", "re", "signal", "site", "subprocess", "typing", "urllib", "warnings"}
"""What the first answer does without, of the standard library."""

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[3])

compiled = []

def listen(event, arguments):
    if event == "compile" and arguments[1] == "<string>":
        compiled.append(str(arguments[0]))

sys.addaudithook(listen)
from udist_plugin.cli.plugin import main
from udist_plugin.server import stdio
from udist_plugin.server.warming import WarmUp

stdio.PAUSE = float(sys.argv[1])
warm_up, drain = WarmUp.now, stdio._drain

def warm_up_and_tell(self):
    warm_up(self)
    sys.stderr.write("warm\\n")

def drain_and_tell(*arguments):
    loaded = list(sys.modules)
    import json
    with open(sys.argv[2], "w") as file:
        json.dump([loaded, compiled], file)
    return drain(*arguments)

WarmUp.now, stdio._drain = warm_up_and_tell, drain_and_tell
main([])
"""
"""A plugin that tells what it has loaded when its caller closes."""


class Start(NamedTuple):
    loaded: set[str]
    compiled: list[str]


CONFIGURATION = """\
version: 0.1
log: {{level: error}}  # no more
storage:
  filesystem:
    rootdirectory: {root}
"""


def start(root: Path, *, pause: float, warm: bool, times: int = 1, configuration: str | None = None) -> Start:
    """Asks a plugin some ``times``, and closes it at once, or when it is ``warm``."""
    is_warm = threading.Event()
    told = root / "told.json"
    python = ["env", f"XDG_DATA_HOME={root / 'store'}", sys.executable, "-S"]
    command = [*python, "-c", PROGRAM, str(pause), str(told), str(REPOSITORY)]
    with Plugin(
        configuration, {}, command, log=lambda line: is_warm.set() if line == "warm" else None
    ) as plugin:
        for _ in range(times):
            with plugin.request("GET", "/v2/") as response:
                assert response.status == 200
        assert not warm or is_warm.wait(30)
    loaded, compiled = json.loads(told.read_text())
    return Start(set(loaded), compiled)


@pytest.fixture
def once(tmp_path: Path) -> Start:
    return start(tmp_path, pause=60, warm=False)


def test_the_first_answer_keeps_to_its_budget(once: Start) -> None:
    ours = sorted(ours_of(once.loaded))
    assert len(ours) <= BUDGET, f"load what the first answer does not need later: {ours}"


def test_the_first_answer_spares_slow_modules(once: Start) -> None:
    assert once.loaded & SPARED == set()


def test_a_configuration_in_yaml_is_read_without_slow_modules(tmp_path: Path) -> None:
    configuration = CONFIGURATION.format(root=tmp_path / "configured")
    loaded = start(tmp_path, pause=60, warm=False, configuration=configuration).loaded
    assert "udist_plugin.config.plain_yaml" in loaded
    assert loaded & (SPARED | HEAVY) == set()


def test_the_start_compiles_no_annotation(once: Start) -> None:
    """The compiler's first call alone costs as much as ten modules."""
    assert [text for text in once.compiled if "lambda" not in text] == []


def test_a_caller_that_asks_once_is_spared_the_rest(once: Start) -> None:
    assert once.loaded & LATER == {"udist_plugin.http_api.base"}


def test_the_rest_is_loaded_before_it_is_needed(tmp_path: Path) -> None:
    loaded = start(tmp_path, pause=0, warm=True).loaded
    assert loaded >= LATER
    assert not loaded & HEAVY


def test_a_second_request_finds_it_loaded(tmp_path: Path) -> None:
    assert start(tmp_path, pause=60, warm=False, times=2).loaded >= LATER


def ours_of(modules: Iterable[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "udist_plugin"}

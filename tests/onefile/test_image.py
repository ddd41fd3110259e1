"""The root file system that ``.ci/onefile/Dockerfile`` makes, tried without an engine."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.house.generate import REPOSITORY
from tests.onefile.test_plugin import round_trip
from tests.tools import require_tool

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(900)

RECIPE = REPOSITORY / ".ci" / "onefile" / "Dockerfile"


def instructions() -> list[tuple[str, str]]:
    lines = RECIPE.read_text().splitlines()
    return [
        (name, rest) for name, _, rest in (line.partition(" ") for line in lines if not line.startswith("#"))
    ]


def container(root: Path, *options: str, user: str = "65532") -> list[str]:
    """The words before a command in it; ``options`` are bubblewrap's."""
    command = [require_tool("bwrap"), "--die-with-parent", "--unshare-all", "--uid", user, "--clearenv"]
    environ = [pair for name, rest in instructions() if name == "ENV" for pair in rest.split()]
    variables = [word for pair in environ for word in ("--setenv", *pair.split("="))]
    return [*command, *options, "--proc", "/proc", "--dev", "/dev", *variables]


@pytest.fixture
def root(onefile: Path, tmp_path: Path) -> Path:
    """What the recipe's steps give; the one that runs the file is run as an engine's root would."""
    root = tmp_path / "root"
    for folder in (
        "bin",
        "proc",
        "dev",
        *(rest.strip("/") for name, rest in instructions() if name == "WORKDIR"),
    ):
        (root / folder).mkdir(parents=True)
    shutil.copy(onefile, root / "bin" / "udist")
    assert ("RUN", '["/bin/udist", "version"]') in instructions()
    command = [*container(root, "--bind", str(root), "/", user="0"), "/bin/udist", "version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return root


def test_the_plugin_serves_on_a_read_only_root(root: Path, tmp_path: Path) -> None:
    """Nothing can be written but the volume."""
    assert [rest for name, rest in instructions() if name in ("USER", "ENTRYPOINT")] == [
        "65532:65532",
        '["/bin/udist"]',
    ]
    volume = tmp_path / "volume"
    volume.mkdir()
    options = ["--ro-bind", str(root), "/", "--bind", str(volume), "/data"]
    command = [*container(root, *options), "/bin/udist", "udist-plugin"]
    round_trip(command, {"filesystem": {"rootdirectory": "/data/registry"}}, tmp_path)
    assert (volume / "registry").exists()


def test_it_holds_no_shell_and_no_other_program(root: Path) -> None:
    assert [path.name for path in (root / "bin").iterdir()] == ["udist"]
    assert {path.name for path in root.iterdir()} == {"bin", "data", "dev", "proc", "var"}

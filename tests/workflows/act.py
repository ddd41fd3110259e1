"""Workflows run by act on this machine, where main and post of an action are processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from tests.tools import require_tool, run_tool
from tests.workers import folder, once

if TYPE_CHECKING:
    from collections.abc import Mapping

    Step = Mapping[str, Any]

REPOSITORY: Final = Path(__file__).parents[2]
ACTION: Final = REPOSITORY / "clients" / "github-action"
USES: Final = "udist/action@v1"
TIMEOUT: Final = 120  # seconds


def udist(**inputs: str) -> dict[str, Any]:
    """The action's step."""
    return {"uses": USES, "id": "registry", "with": {"version": str(wheel()), "cache": "false"} | inputs}


def script(*lines: str, **keys: str) -> Step:
    return {"run": "\n".join(lines)} | keys


def job(*steps: Step, **keys: Any) -> Mapping[str, Any]:
    return {"runs-on": "ubuntu-latest", "steps": list(steps)} | keys


class Ran(NamedTuple):
    """What a workflow's run said: its messages, as they are in the log, and the exit code."""

    code: int
    log: str


class Workspace(NamedTuple):
    """A repository whose workflows run, and the environment of the runner."""

    path: Path
    environ: dict[str, str]

    @classmethod
    def make(cls, root: Path, tools: Path | None = None) -> Workspace:
        """``tools`` is the runner's tool cache. By default all tests share one: only the first of them
        installs udist."""
        place = root / "home" / ".cache" / "act" / "tool_cache"  # a variable does not change where it is
        place.parent.mkdir(parents=True)
        place.symlink_to(tools or _shared_tools())
        path = root / "workspace"
        (path / ".github" / "workflows").mkdir(parents=True)
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(root / "home"),
            "XDG_DATA_HOME": str(root / "data"),
            "TMPDIR": str(root),
        }
        return cls(path, environ)

    def command(self, *options: str, **jobs: Mapping[str, Any]) -> list[str]:
        """The command that runs a workflow of ``jobs``."""
        place = self.path / ".github" / "workflows" / "test.yml"
        place.write_text(yaml.safe_dump({"on": "push", "jobs": jobs}))
        for words in (
            ["init"],
            ["add", "."],
            ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--allow-empty", "-m", "a"],
        ):
            run_tool("git", *words, cwd=self.path, timeout=30, HOME=self.environ["HOME"])
        return [
            require_tool("act"),
            "--platform=ubuntu-latest=-self-hosted",
            f"--local-repository={USES}={ACTION}",
            f"--env=XDG_DATA_HOME={self.environ['XDG_DATA_HOME']}",
            "--json",
            *(options or ["--no-cache-server"]),
        ]

    def run(self, *options: str, path: str | None = None, **jobs: Mapping[str, Any]) -> Ran:
        """``path`` is the runner's PATH."""
        done = subprocess.run(
            self.command(*options, **jobs),
            cwd=self.path,
            env=self.environ | ({"PATH": path} if path else {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return Ran(done.returncode, messages(done.stdout))


def messages(said: str) -> str:
    """What is in the log, of lines of JSON."""
    lines = []
    for line in said.splitlines():
        entry: Mapping[str, str] = json.loads(line) if line.startswith("{") else {"msg": line}
        lines.append(entry["msg"].rstrip("\n"))
    return "\n".join(lines)


def wheel() -> Path:
    """udist as it was committed last, built once a run."""
    place = folder() / "wheel"

    def build() -> None:
        clone = place / "clone"
        run_tool("git", "clone", "-q", str(REPOSITORY), str(clone), cwd=REPOSITORY, timeout=60)
        uv = [sys.executable, "-m", "uv", "build", "--wheel", "-q", "-o", str(place), str(clone)]
        subprocess.run(uv, check=True, timeout=TIMEOUT)
        shutil.rmtree(clone)

    once("wheel", build)
    (found,) = place.glob("*.whl")
    return found


def _shared_tools() -> Path:
    place = folder() / "tools"
    place.mkdir(exist_ok=True)
    return place

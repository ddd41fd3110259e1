"""The GitLab template, in whole pipelines in which each job has a folder of its own."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
import yaml

from tests.tools import require_tool, run_tool
from tests.workflows.act import REPOSITORY, wheel

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)

TEMPLATE: Final = REPOSITORY / "clients" / "gitlab" / "templates" / "udist.yml"
COMPONENT: Final = "$CI_SERVER_FQDN/$CI_PROJECT_PATH/udist@$CI_COMMIT_SHA"


class Project(NamedTuple):
    path: Path
    environ: dict[str, str]

    def run(self, include: dict[str, Any], **keys: Any) -> subprocess.CompletedProcess[str]:
        (self.path / ".gitlab-ci.yml").write_text(yaml.safe_dump({"include": [include], **keys}))
        author = ["-c", "user.name=a", "-c", "user.email=a@b"]
        for words in (["add", "."], [*author, "commit", "-q", "-m", "a"]):
            run_tool("git", *words, cwd=self.path, timeout=30)
        return subprocess.run(
            [require_tool("gitlab-ci-local"), "--shell-isolation"],
            cwd=self.path,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """One with the template as a component of its own."""
    for tool in ("gitlab-ci-local", "rsync", "oras"):
        require_tool(tool)
    path = tmp_path / "project"
    (path / "templates").mkdir(parents=True)
    (path / "templates" / "udist.yml").write_bytes(TEMPLATE.read_bytes())
    (tmp_path / "home").mkdir()
    run_tool("git", "init", "-q", cwd=path, timeout=30)
    remote = ["remote", "add", "origin", "https://gitlab.example.com/group/project.git"]
    run_tool("git", *remote, cwd=path, timeout=30)
    environ = {name: value for name, value in os.environ.items() if name in ("PATH", "PIP_CACHE_DIR")}
    return Project(path, environ | {"HOME": str(tmp_path / "home"), "XDG_DATA_HOME": str(tmp_path / "data")})


def test_a_component_hands_content_from_job_to_job(project: Project) -> None:
    image = "$UDIST_REGISTRY/demo/notes"
    push = f"oras push --no-tty --plain-http {image}:v1 notes.txt"
    pull = f"oras pull --no-tty --plain-http {image}:v1"
    report = (
        "cat .udist-pushed.jsonl"  # the template's after_script does; this runner empties the folder before
    )
    ran = project.run(
        {"component": COMPONENT, "inputs": {"version": str(wheel())}},
        stages=["build", "use"],
        build={"stage": "build", "extends": ".udist", "script": ["echo some notes >notes.txt", push, report]},
        use={"stage": "use", "extends": ".udist", "script": ["test ! -e notes.txt", pull, "cat notes.txt"]},
    )
    assert ran.returncode == 0, ran.stdout
    assert "use   > some notes\n" in ran.stdout
    assert '{"repository": "demo/notes", "tag": "v1", "digest": "sha256:' in ran.stdout


def test_a_file_with_a_configuration_and_an_error_in_it(project: Project) -> None:
    (project.path / "registry.yml").write_text(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectoy: /a\n"
    )
    inputs = {"version": str(wheel()), "config": "registry.yml", "job": ".registry"}
    ran = project.run(
        {"local": "templates/udist.yml", "inputs": inputs},
        use={"extends": ".registry", "script": ["echo reached"]},
    )
    assert ran.returncode == 1
    assert "storage.filesystem.rootdirectoy (registry.yml:4): unknown key" in ran.stdout
    assert "> reached" not in ran.stdout


def test_an_input_that_is_refused(project: Project) -> None:
    ran = project.run(
        {"component": COMPONENT, "inputs": {"version": "0.1.0; reboot"}},
        use={"extends": ".udist", "script": ["echo reached"]},
    )
    assert ran.returncode == 1
    assert "0.1.0; reboot" in ran.stdout
    assert "> reached" not in ran.stdout

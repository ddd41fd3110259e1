"""One version, stated once and repeated where other languages need it; what a release is made of."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from typing import TYPE_CHECKING

from tests.documents.reading import documents
from tests.house.generate import REPOSITORY
from tests.tools import require_tool
from udist_plugin.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

NODE = REPOSITORY / "clients" / "node"
TARBALL = f"udist-plugin-{__version__}.tgz"
INSTALL = re.compile(r"\b(pip|npm) install (?:-q )?'?([\w./-]+)(?:\[([\w,]+)\])?")


def test_every_client_states_the_package_s_version() -> None:
    go = re.search(r'^const Version = "(.*)"$', (REPOSITORY / "clients/go/session.go").read_text(), re.M)
    node = re.search(r'VERSION = "(.*)";', (NODE / "src/version.ts").read_text())
    lock = json.loads((NODE / "package-lock.json").read_text())
    assert go is not None and node is not None
    assert {
        go[1],
        node[1],
        json.loads((NODE / "package.json").read_text())["version"],
        lock["version"],
        lock["packages"][""]["version"],
    } == {__version__}


def test_the_changelog_begins_with_it() -> None:
    text = (REPOSITORY / "udist_plugin/docs/changelog.md").read_text()
    headings = re.findall(r"^## \[?([\d.]+|Unreleased)", text, re.M)
    assert next(each for each in headings if each != "Unreleased") == __version__


def test_what_users_are_told_to_install_is_there() -> None:
    """The package is on no index yet: it comes from a checkout."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    places = {"pip": {".", "/path/to/udist", "uv"}, "npm": {f"/path/to/udist/clients/node/{TARBALL}"}}
    told = [
        (file.name, *found)
        for file in [*documents(), *(REPOSITORY / "udist_plugin").rglob("*.py")]
        for found in INSTALL.findall(file.read_text())
    ]
    assert {tool for _, tool, _, _ in told} == set(places)
    for file, tool, place, extras in told:
        assert place in places[tool], file
        assert set(filter(None, extras.split(","))) <= set(project["optional-dependencies"]), file


def test_a_release_is_a_wheel_an_sdist_a_tarball_and_a_tag_of_every_go_module(tmp_path: Path) -> None:
    """All but the examples' module. A fixture of two tests would build it in each of two workers."""
    clone = tmp_path / "clone"
    git = require_tool("git")
    subprocess.run([git, "clone", "-q", str(REPOSITORY), str(clone)], check=True, timeout=60)
    require_tool("npm")
    command = [str(clone / ".ci" / "release"), f"v{__version__}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in (clone / "dist").iterdir() if path.name != ".gitignore") == [
        TARBALL,
        f"udist_plugin-{__version__}-py3-none-any.whl",
        f"udist_plugin-{__version__}.tar.gz",
    ]
    tags = [line.removeprefix("tag ") for line in done.stdout.splitlines() if line.startswith("tag ")]
    assert sorted(tags) == [
        f"clients/go/containersimage/v{__version__}",
        f"clients/go/goplugin/v{__version__}",
        f"clients/go/image/v{__version__}",
        f"clients/go/v{__version__}",
    ]


def test_a_tag_of_another_version_releases_nothing() -> None:
    command = [str(REPOSITORY / ".ci" / "release"), "v99.0.0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert f"the tag is v99.0.0, but udist_plugin/version.py says {__version__}" in done.stderr

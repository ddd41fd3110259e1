"""The npm packages with the plugin for a platform: packed from a file, installed, and found by ``spawn``."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.generate_node import NODE
from tests.clients.node_program import TIMEOUT, building, run
from tests.clients.stand_in import stand_in
from tests.tools import require_tool
from tests.workers import folder, once
from udist_plugin.version import __version__

PLATFORM = f"{sys.platform}-{'x64' if platform.machine() == 'x86_64' else 'arm64'}"
PACKAGE = f"udist-plugin-{PLATFORM}"
OTHER = {"linux-x64": "linux-arm64"}.get(PLATFORM, "linux-x64")
PROGRAM = """\
const plugin = await spawn({ config: "version: 0.1\\nstorage: {inmemory: {}}" });
console.log((await plugin.fetch("/v2/")).status);
await plugin.close();
"""
IMPORTED = f'import {{ spawn }} from "udist-plugin";\n{PROGRAM}'
REQUIRED = f'const {{ spawn }} = require("udist-plugin");\n(async () => {{\n{PROGRAM}}})();'

pytestmark = [pytest.mark.timeout(TIMEOUT), pytest.mark.usefixtures("installed")]


def pack(destination: Path, *programs: str) -> subprocess.CompletedProcess[str]:
    command = [require_tool("node"), "packaging/pack.js", str(destination), *programs]
    return subprocess.run(command, cwd=NODE, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def project(tmp_path: Path, built: None) -> Path:
    """A project that both tarballs were installed in."""
    tarballs, made = folder() / "platform-tarballs", folder() / "platform-project"

    def install_once() -> None:
        done = pack(tarballs, f"{PLATFORM}={stand_in()}")
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == [f"{PACKAGE}-{__version__}.tgz", f"udist-plugin-{__version__}.tgz"]
        made.mkdir()
        (made / "package.json").write_text('{"private": true}')
        run("npm", "install", "--no-audit", "--no-fund", *map(str, sorted(tarballs.iterdir())), cwd=made)

    once("platform-project", install_once)
    folders = {path.name for path in (made / "node_modules").iterdir() if not path.name.startswith(".")}
    assert folders == {"@bufbuild", "udist-plugin", PACKAGE}
    shutil.copytree(made, tmp_path, dirs_exist_ok=True, symlinks=True)
    return tmp_path


def spawned(
    project: Path, program: str = IMPORTED, path: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a program that spawns a plugin, without ``UDIST_PLUGIN``."""
    kind = "module" if program is IMPORTED else "commonjs"
    environ = {name: value for name, value in os.environ.items() if name != "UDIST_PLUGIN"}
    return subprocess.run(
        [require_tool("node"), f"--input-type={kind}", "-e", program],
        cwd=project,
        env={**environ, "PATH": os.environ["PATH"] if path is None else path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("program", [IMPORTED, REQUIRED], ids=["imported", "required"])
def test_the_package_for_the_platform(project: Path, program: str) -> None:
    """Before the plugin on ``PATH``, and without a word."""
    done = spawned(project, program, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert (done.returncode, done.stdout) == (0, "200\n"), done.stderr
    assert done.stderr == 'udist-plugin: time=now level=warning msg="the stand-in"\n'


def test_a_missing_package_is_named_with_what_is_used_instead(project: Path) -> None:
    shutil.rmtree(project / "node_modules" / PACKAGE)
    programs = Path(sys.executable).parent
    done = spawned(project, path=str(programs))
    assert (done.returncode, done.stdout) == (0, "200\n"), done.stderr
    assert done.stderr == (
        f"udist: the package {PACKAGE} is not installed (does npm omit optional dependencies?); "
        f"using {programs}/udist-plugin, found on PATH\n"
    )


def test_a_file_that_lost_its_mode_is_named(project: Path) -> None:
    program = project / "node_modules" / PACKAGE / "bin" / "udist-plugin"
    program.chmod(0o644)
    done = spawned(project, path="")
    assert done.returncode == 1
    said = f"{program} is not an executable file, and neither udist-plugin nor python3 was found on PATH"
    assert said in done.stderr


def test_python_is_the_last_choice(project: Path, tmp_path: Path) -> None:
    shutil.rmtree(project / "node_modules" / PACKAGE)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to("/bin/false")
    done = spawned(project, path=str(tmp_path / "bin"))
    assert f"using {tmp_path}/bin/python3 -P -m udist_plugin, found on PATH" in done.stderr


def test_a_platform_without_a_package(project: Path) -> None:
    """A release that has none for this one."""
    shutil.rmtree(project / "node_modules" / PACKAGE)
    manifest = project / "node_modules" / "udist-plugin" / "package.json"
    manifest.write_text(manifest.read_text().replace(PACKAGE, "udist-plugin-aix-ppc64"))
    done = spawned(project, path=str(Path(sys.executable).parent))
    assert f"udist: there is no package with a plugin for {PLATFORM}; using " in done.stderr


def test_what_cannot_be_packed(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\necho udist-plugin\n" + "#" * 64)
    for program, reason in {
        f"{PLATFORM}={script}": f"{script} is no program that is known, not for {PLATFORM}",
        f"{OTHER}={stand_in()}": f"{stand_in()} is for {PLATFORM}, not for {OTHER}",
        f"{PLATFORM}={stand_in('99.0.0')}": "is udist-plugin 99.0.0, and this package is",
        f"{PLATFORM}={shutil.which('true')}": "does not start as a plugin",
    }.items():
        done = pack(tmp_path / "out", program)
        assert done.returncode == 1
        assert reason in done.stderr
    assert not list((tmp_path / "out").iterdir())


def test_a_checkout_packs_no_dependency_on_them(tmp_path: Path) -> None:
    with building():
        run("npm", "pack", "--silent", "--pack-destination", str(tmp_path))
    [tarball] = tmp_path.iterdir()
    shutil.unpack_archive(tarball, tmp_path / "unpacked")
    assert "optionalDependencies" not in (tmp_path / "unpacked/package/package.json").read_text()

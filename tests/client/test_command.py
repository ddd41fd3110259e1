"""What is spawned where nobody says what: a plugin, wherever this package was found, and never the caller."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import sysconfig
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.house.generate import REPOSITORY
from udist_plugin.client.command import find_command
from udist_plugin.client.plugin import Plugin
from udist_plugin.client.process import PluginProcess
from udist_plugin.errors import PluginDied, PluginNotFound

if TYPE_CHECKING:
    from pathlib import Path

INMEMORY = "version: 0.1\nstorage: {inmemory: {}}"
PACKAGES = sysconfig.get_path("purelib")

PROGRAM = f"""
import os, sys
sys.path += sys.argv[1].split(os.pathsep)
import udist_plugin, udist_plugin.client.command
if len(sys.argv) > 2:
    os.chdir(sys.argv[2])
from udist_plugin import Plugin
with Plugin({INMEMORY!r}) as plugin, plugin.request("GET", "/v2/") as response:
    print(response.status, udist_plugin.__file__)
"""


def run(program: str, *arguments: str, flags: tuple[str, ...] = (), folder: Path | None = None) -> str:
    """What a program of this interpreter prints, run where nothing but the standard library is installed."""
    command = [sys.executable, "-S", *flags, "-c", program, *arguments]
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=folder, env=environ
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def zipped(folder: Path) -> Path:
    path = folder / "program.pyz"
    with zipfile.ZipFile(path, "w") as archive:
        for file in (REPOSITORY / "udist_plugin").rglob("*.py"):
            archive.write(file, file.relative_to(REPOSITORY))
    return path


@pytest.mark.parametrize("flags", [(), ("-I",), ("-E", "-s", "-B")])
def test_a_vendored_package_is_found(flags: tuple[str, ...], tmp_path: Path) -> None:
    """By ``sys.path`` alone, of which its child knows nothing."""
    output = run(PROGRAM, os.pathsep.join([str(REPOSITORY), PACKAGES]), flags=flags, folder=tmp_path)
    assert output == f"200 {REPOSITORY}/udist_plugin/__init__.py\n"


def test_a_relative_path_is_found_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "vendored").symlink_to(REPOSITORY)
    output = run(PROGRAM, os.pathsep.join(["vendored", PACKAGES]), "/", folder=tmp_path)
    assert output.startswith("200 ")


def test_an_archive_is_found(tmp_path: Path) -> None:
    archive = zipped(tmp_path)
    output = run(PROGRAM, os.pathsep.join([archive.name, PACKAGES]), folder=tmp_path)
    assert output == f"200 {archive.name}/udist_plugin/__init__.py\n"


def test_a_package_beside_a_program_hides_no_module_from_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "udist_plugin").symlink_to(REPOSITORY / "udist_plugin")
    for name in ("typing", "random", "select", "errno", "json", "platform"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not the one that was meant')\n")
    assert run(PROGRAM, os.pathsep.join([str(tmp_path), PACKAGES])).startswith("200 ")


def test_a_program_that_embeds_python_is_not_spawned() -> None:
    """``sys.executable`` is that program, or nothing."""
    for executable in ("None", "'/usr/bin/uwsgi'", "''"):
        program = f"import sys; sys.executable = {executable}\n{PROGRAM}"
        assert run(program, os.pathsep.join([str(REPOSITORY), PACKAGES])).startswith("200 ")


@pytest.mark.parametrize("mark", ["sys.frozen = True", "__compiled__ = True"])
def test_a_frozen_program_never_spawns_itself(tmp_path: Path, mark: str) -> None:
    program, starts = tmp_path / "python-program", tmp_path / "starts"
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        f"{mark}; sys.executable = {str(program)!r}\n"
        f"open({str(starts)!r}, 'a').write('started\\n')\n"
        f"sys.path.insert(0, {str(REPOSITORY)!r})\n"
        "from udist_plugin import Plugin, PluginNotFound\n"
        "try:\n"
        "    Plugin()\n"
        "except PluginNotFound as error:\n"
        "    print(error)\n"
    )
    program.chmod(0o755)
    environ = {"PATH": "/nonexistent"}
    ran = subprocess.run([program], capture_output=True, text=True, timeout=60, check=False, env=environ)
    assert (ran.stderr, starts.read_text()) == ("", "started\n")
    assert "pip install /path/to/udist" in ran.stdout


def test_a_frozen_program_finds_the_plugin_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    plugin = tmp_path / "udist-plugin"
    plugin.write_text("#!/bin/sh\n")
    plugin.chmod(0o755)
    assert find_command(None, {"PATH": str(tmp_path)}) == ([str(plugin)], True)


def test_flags_are_passed_on() -> None:
    program = (
        f"import sys, json; sys.path.insert(0, {str(REPOSITORY)!r})\n"
        "from udist_plugin.client.command import find_command\n"
        "print(json.dumps(find_command(None, {})[0]))"
    )
    words = json.loads(run(program, flags=("-I", "-B", "-X", "utf8", "-X", "frozen_modules=off")))
    assert words[:8] == [
        sys.executable, "-I", "-E", "-s", "-S", "-B", "-P", "-Xutf8",
    ]  # fmt: skip
    assert "-Xfrozen_modules=off" in words


def test_a_command_goes_before_the_variable_and_that_before_the_default() -> None:
    environ = {"UDIST_PLUGIN": "ssh  'a host' udist-plugin"}
    assert find_command(["a", "b c"], environ) == (["a", "b c"], False)
    assert find_command("a 'b c'", environ) == (["a", "b c"], False)
    assert find_command(None, environ) == (["ssh", "a host", "udist-plugin"], False)
    assert find_command([], {"UDIST_PLUGIN": " \n"}) == find_command(None, {})
    assert find_command(None, {})[1]


def test_the_variable_is_this_process_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UDIST_PLUGIN", "sh -c 'exit 3'")
    with pytest.raises(PluginDied, match="exit status 3"):
        Plugin()
    monkeypatch.setenv("UDIST_PLUGIN", "/nonexistent/udist-plugin")
    with pytest.raises(PluginNotFound, match=r"'/nonexistent/udist-plugin'.*UDIST_PLUGIN"):
        Plugin()


def test_a_quote_that_is_left_open_is_named() -> None:
    with pytest.raises(PluginNotFound, match=r"UDIST_PLUGIN \(a 'b\).*No closing quotation"):
        find_command(None, {"UDIST_PLUGIN": "a 'b"})
    with pytest.raises(PluginNotFound, match=r"the command \(a 'b\)"):
        find_command("a 'b", {})


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they are pipes")
def test_its_standard_streams_are_sockets_and_end_with_it() -> None:
    program = "import os, stat; os.write(1, bytes(stat.S_ISSOCK(os.fstat(end).st_mode) for end in (0, 1)))"
    process = PluginProcess([sys.executable, "-c", program], None, own=True)
    try:
        assert process.status(60) == 0
        assert os.read(process.source, 100) == b"\1\1"
        assert os.read(process.source, 100) == b""
        with pytest.raises(BrokenPipeError):
            os.write(process.sink, b"x")
    finally:
        process.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such flag")
def test_a_default_timeout_of_sockets_is_none_of_the_child_s() -> None:
    """Most programs expect standard streams that block."""
    program = "import os, sys; print(os.get_blocking(0), os.get_blocking(1), file=sys.stderr)"
    socket.setdefaulttimeout(5)
    try:
        process = PluginProcess([sys.executable, "-c", program], None, own=False)
    finally:
        socket.setdefaulttimeout(None)
    assert process.status(30) == 0
    assert process.stderr_tail() == "True True"
    process.close()

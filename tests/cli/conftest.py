"""The command in this process, against a plugin with a store of its own."""

from __future__ import annotations

import gc
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.images.sample import Layout
from tests.remote.loopback import stock_registry
from udist_plugin.cli.running import run as run_command
from udist_plugin.images.policy import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Ran(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, beside the store that ``REGISTRY_*`` names."""
    monkeypatch.setenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", str(tmp_path / "store"))
    (tmp_path / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    monkeypatch.setenv(files.VARIABLE, str(tmp_path / "policy.json"))
    folder = tmp_path / "work"
    (folder / "folder").mkdir(parents=True)
    (folder / "README.md").write_text("# Read me\n")
    (folder / "folder/inner").write_text("inner\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def without_policy(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file of a signature policy is to be found anywhere."""
    monkeypatch.delenv(files.VARIABLE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(work / "config"))
    monkeypatch.setattr(files, "SYSTEM", (str(work / "none.json"),))


@pytest.fixture
def udist(
    work: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ran]:
    """Runs a command in this process, which would stay nice."""
    monkeypatch.setattr(os, "nice", lambda _: 0)

    def run(*words: str) -> Ran:
        code = run_command(words)
        gc.unfreeze()  # or what this command leaves to the garbage collector stays until the tests end
        return Ran(code, *capfd.readouterr())

    return run


@pytest.fixture
def layout(work: Path) -> Layout:
    """A layout at ``layout`` in the working folder, without images."""
    return Layout(work / "layout")


@pytest.fixture
def stock(work: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    """A current distribution, or the program that is asked for, with a store of its own: its host and port.
    There is no login anywhere."""
    for variable in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"):
        monkeypatch.setenv(variable, str(work / "home"))
    with ExitStack() as stack:
        with monkeypatch.context() as others:
            others.delenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY")  # or it would use this store
            port = stack.enter_context(
                stock_registry(work.parent / "remote", getattr(request, "param", "registry"))
            )
        yield f"127.0.0.1:{port}"

"""Under ``udist exec`` the user's other registries are as they were: their logins are found."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.gateway.layout import blobs_of, make_layout
from tests.gateway.users import PASSWORD, USER, with_a_store, with_logins
from tests.tools import require_tool
from udist_plugin.bootstrap.apps import create_app
from udist_plugin.gateway.credential import Credential, Guarded
from udist_plugin.gateway.listener import on_loopback
from udist_plugin.gateway.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.gateway.udist import Home

TARGET = "udist.localhost/copied:v1"


@pytest.fixture
def other(home: Home, tmp_path: Path) -> Iterator[str]:
    """The address of another registry, which wants the user's login, with an image in it."""
    make_layout(tmp_path / "layout")
    config = {"version": 0.1, "storage": {"inmemory": {}}}
    with create_app(config, {}) as app, on_loopback() as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        guarded = Guarded(app, Credential(USER, PASSWORD), lambda *_: None)
        server = Server(listener, guarded, lambda *_: None, sys.stderr)
        threading.Thread(target=server.serve, daemon=True).start()
        home.environ["OTHER"] = host
        yield host


def crane(other: str) -> list[list[str]]:
    return [["crane", "push", "layout", f"{other}/app:v1"], ["crane", "copy", f"{other}/app:v1", TARGET]]


def oras(other: str) -> list[list[str]]:
    return [
        ["oras", "cp", "--from-oci-layout", "--to-plain-http", "layout:v1", f"{other}/app:v1"],
        ["oras", "cp", "--from-plain-http", "--to-plain-http", f"{other}/app:v1", TARGET],
    ]


def regctl(other: str) -> list[list[str]]:
    return [
        ["regctl", "image", "copy", "ocidir://layout:v1", f"{other}/app:v1"],
        ["regctl", "image", "copy", f"{other}/app:v1", TARGET],
    ]


def skopeo(other: str) -> list[list[str]]:
    copy = ["skopeo", "--insecure-policy", "copy", "-q", "--preserve-digests"]
    return [
        [*copy, "--dest-tls-verify=false", "oci:layout:v1", f"docker://{other}/app:v1"],
        [
            *copy,
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
            f"docker://{other}/app:v1",
            f"docker://{TARGET}",
        ],
    ]


CASES = [
    (crane, with_logins),
    (oras, with_logins),
    (regctl, with_logins),
    (skopeo, with_logins),
    (crane, with_a_store),
    (oras, with_a_store),
]
"""regctl asks a store for what it lists, and needs an entry for http; skopeo does not ask one."""


@pytest.mark.parametrize(
    ("tool", "user"), CASES, ids=[f"{tool.__name__}-{user.__name__}" for tool, user in CASES]
)
def test_an_image_is_copied_from_a_registry_of_the_users(
    tool: Callable[[str], list[list[str]]],
    user: Callable[[Home], None],
    other: str,
    home: Home,
    tmp_path: Path,
) -> None:
    user(home)
    push, copy = tool(other)
    require_tool(push[0])
    require_tool("crane")
    home.succeed(*push, cwd=tmp_path)
    home.succeed(*copy, cwd=tmp_path)
    home.succeed("crane", "pull", "--format=oci", TARGET, "pulled", cwd=tmp_path)
    assert blobs_of(tmp_path / "pulled") == blobs_of(tmp_path / "layout")

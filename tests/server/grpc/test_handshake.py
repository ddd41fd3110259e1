"""What a host is told when it starts the server, and when there is none."""

from __future__ import annotations

import os
import pty
import stat
import subprocess
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.server.grpc.hosting import PLUGIN, Host, environment
from udist_plugin.server.grpc.handshake import NOT_BY_HAND

if TYPE_CHECKING:
    from collections.abc import Mapping


def refused(environ: Mapping[str, str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, and what was said on standard output and error."""
    done = subprocess.run(
        [*PLUGIN, *arguments],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_the_line_says_where_the_server_is(registry: Host) -> None:
    assert registry.line == f"1|1|unix|{registry.path}|grpc|\n"
    path = Path(registry.path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize("variable", ["PLUGIN_UNIX_SOCKET_DIR", "XDG_RUNTIME_DIR", "TMPDIR"])
def test_the_host_says_where_the_socket_is_made(tmp_path: Path, variable: str) -> None:
    folder = Path("/tmp") / tmp_path.name
    folder.mkdir(mode=0o700)
    try:
        environ = {name: value for name, value in environment().items() if name != "XDG_RUNTIME_DIR"}
        with Host(environ={**environ, variable: str(folder)}) as host:
            assert Path(host.path).parent.parent == folder
            assert host.exchange("GET", "/v2/").status == 200
            assert host.close() == 0
        assert [*folder.iterdir()] == []
    finally:
        folder.rmdir()


def test_a_runtime_folder_that_is_gone_is_not_used() -> None:
    with Host(environ=environment(XDG_RUNTIME_DIR="/nonexistent")) as host:
        assert Path(host.path).parent.parent == Path(gettempdir())


def test_a_host_that_wants_multiplexing_is_told_that_there_is_none() -> None:
    with Host(environ=environment(PLUGIN_MULTIPLEX_GRPC="true")) as host:
        assert host.line == f"1|1|unix|{host.path}|grpc||false\n"


@pytest.mark.parametrize("cookie", [None, "", "other"])
def test_without_the_cookie_it_says_what_go_plugin_says(cookie: str | None) -> None:
    environ = environment()
    del environ["UDIST_PLUGIN_COOKIE"]
    if cookie is not None:
        environ["UDIST_PLUGIN_COOKIE"] = cookie
    assert refused(environ) == (1, "", NOT_BY_HAND)


@pytest.mark.parametrize(
    ("variables", "arguments", "status", "reason"),
    [
        ({"PLUGIN_CLIENT_CERT": "-----BEGIN"}, [], 1, "AutoMTLS is not supported"),
        ({"PLUGIN_UNIX_SOCKET_GROUP": "0"}, [], 1, "a group for the socket is not supported"),
        ({"PLUGIN_UNIX_SOCKET_DIR": "/nonexistent"}, [], 1, "no folder for a socket"),
        ({"PLUGIN_UNIX_SOCKET_DIR": f"/tmp/{'x' * 90}"}, [], 1, "no folder for a socket"),
        ({"REGISTRY_STORAGE": "s4"}, [], 78, "unknown storage driver 's4'"),
        ({}, ["--config", "/nonexistent.yml"], 78, "/nonexistent.yml"),
        ({"REGISTRY_STORAGE": "x" * 100_000}, [], 78, "unknown storage driver"),
    ],
)
def test_what_cannot_be_had_is_said_in_one_line(
    variables: dict[str, str], arguments: list[str], status: int, reason: str
) -> None:
    """go-plugin shows its user the line, and stops reading at one of 64 KiB."""
    code, said, log = refused(environment(**variables), *arguments)
    assert code == status
    assert said.startswith("udist-plugin: ")
    assert reason in said
    assert said.index("\n") == len(said) - 1 < 5000
    assert '"@level":"error"' in log or "level=error" in log


def test_without_its_packages_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "grpc.py").write_text("raise ModuleNotFoundError('no grpc here')")
    code, said, _ = refused(environment(PYTHONPATH=f"{tmp_path}:."))
    assert (code, "pip install '.[grpc]'" in said) == (1, True)


def test_standard_input_is_not_read() -> None:
    """It is the host's own: what is typed stays for whoever reads it."""
    ours, theirs = pty.openpty()
    with Host(environ=environment()) as plain:
        assert plain.exchange("GET", "/v2/").status == 200
    process = subprocess.Popen(PLUGIN, env=environment(), stdin=theirs, stdout=subprocess.PIPE)
    try:
        assert process.stdout
        line = process.stdout.readline().decode()
        os.write(ours, b"typed\n")
        with grpc.insecure_channel(f"unix:{line.split('|')[3]}") as channel:
            channel.unary_unary("/plugin.GRPCController/Shutdown")(b"", timeout=60)
        assert process.wait(60) == 0
        assert os.read(theirs, 100) == b"typed\n"
    finally:
        process.kill()
        with process:
            os.close(ours)
            os.close(theirs)


def test_health_is_served_for_all_that_ask(registry: Host) -> None:
    for name in (b"", b"plugin", b"udist.plugin.v1.PluginService"):
        message = bytes((0x0A, len(name))) + name if name else b""
        assert registry.unary("/grpc.health.v1.Health/Check", message) == b"\x08\x01"
    with pytest.raises(grpc.RpcError) as caught:
        registry.unary("/grpc.health.v1.Health/Check", b"\x0a\x05other")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_describes_the_service(registry: Host) -> None:
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="udist.plugin.v1.PluginService"),
    ]
    stub = reflection_pb2_grpc.ServerReflectionStub(registry.channel)
    listed, described = stub.ServerReflectionInfo(iter(asked), timeout=60)
    assert "udist.plugin.v1.PluginService" in [
        service.name for service in listed.list_services_response.service
    ]
    files = described.file_descriptor_response.file_descriptor_proto
    assert any(b"RoundTripRequest" in file for file in files)
    assert any(b"WindowUpdate" in file for file in files), "what it imports comes with it"

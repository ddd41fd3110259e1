"""Registries on the network: docker-registry and distribution, with and without access control."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.drivers.processes import free_port
from tests.images.sample import Layout, blobs_of
from tests.images.token_server import ISSUER, SERVICE, TokenIssuer
from tests.images.unjudged import copy_image
from tests.remote.identity import Identity
from tests.remote.loopback import stock_registry, wait_for
from tests.remote.serving import Answer, Asked, serving
from tests.tools import require_tool, run_tool
from udist_plugin.errors import DigestInvalid, ManifestUnknown, TransportError, Unauthorized
from udist_plugin.images import open_registry
from udist_plugin.images.system import SystemContext

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAMS = ["docker-registry", "registry"]
HTPASSWD = "me:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def registry(program: str, tmp_path: Path) -> Iterator[str]:
    with stock_registry(tmp_path / "store", program) as port:
        yield f"127.0.0.1:{port}"


@contextmanager
def guarded(
    program: str, folder: Path, auth: dict[str, object], identity: Identity | None = None
) -> Iterator[str]:
    """A registry with access control, and TLS if it has an ``identity``: its address."""
    port = free_port()
    config = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "store")}},
        "http": {"addr": f"127.0.0.1:{port}", "secret": "a test", **_tls(identity)},
        "auth": auth,
    }
    (folder / "config.yml").write_text(json.dumps(config))
    process = subprocess.Popen(
        [require_tool(program), "serve", folder / "config.yml"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _tls(identity: Identity | None) -> dict[str, object]:
    if identity is None:
        return {}
    files = {"certificate": identity.folder / "server.cert", "key": identity.folder / "server.key"}
    return {"tls": {name: str(path) for name, path in files.items()}}


def logged_in(home: Path, registry: str, password: str = "secret") -> SystemContext:
    """The system of somebody with a login in docker's file."""
    entry = {"auth": base64.b64encode(f"me:{password}".encode()).decode()}
    (home / "config.json").write_text(json.dumps({"auths": {registry: entry}}))
    return SystemContext({"DOCKER_CONFIG": str(home)})


@pytest.mark.parametrize("size", [100, 5_000_000])
def test_a_registry_that_verifies_nothing_gets_no_wrong_blob(layout: Layout, size: int) -> None:
    """The end of a large one is not sent, and nothing of a small one."""
    image = layout.image("v1", layers=[b"a" * size])
    layer = json.loads(layout.path(image["digest"]).read_text())["layers"][0]
    layout.path(layer["digest"]).write_bytes(b"b" * layer["size"])

    def answer(asked: Asked) -> Answer:
        if asked.method == "POST":
            return Answer(202, [("location", "/v2/demo/blobs/uploads/1")])
        return Answer({"PUT": 201, "DELETE": 204}.get(asked.method, 404))

    with serving(answer) as served:
        with pytest.raises(DigestInvalid, match="the blob's content does not match its digest"):
            copy_image(f"oci:{layout.root}", f"docker://127.0.0.1:{served.port}/demo:v1", concurrency=1)
        asked = served.asked
    assert not [each for each in asked if "/manifests/" in each.target]
    assert not [each for each in asked if layer["digest"] in each.target and len(each.body) == layer["size"]]


def test_into_a_registry_and_out_again(layout: Layout, tmp_path: Path, registry: str) -> None:
    children = [
        layout.image(platform=f"linux/{each}", layers=[os.urandom(3_000_000), b"small"], listed=False)
        for each in ("amd64", "arm64")
    ]
    index = layout.image_index("v1", *children)
    there = f"docker://{registry}/team/app:v1"
    assert len(copy_image(f"oci:{layout.root}:v1", there).moved) == 5
    again = copy_image(f"oci:{layout.root}:v1", there)
    assert (again.descriptor.digest, again.moved) == (index["digest"], [])
    assert copy_image(there, f"oci:{tmp_path / 'out'}:v1").descriptor.digest == index["digest"]
    assert blobs_of(tmp_path / "out") == blobs_of(layout.root)
    copied = copy_image(there, f"docker://{registry}/other/app:v2")
    assert copied.moved == []  # mounted
    with pytest.raises(ManifestUnknown):
        copy_image(f"docker://{registry}/team/app:v3", f"oci:{tmp_path / 'out'}")
    archive = f"docker-archive:{tmp_path / 'a.tar'}:app"
    copy_image(f"docker://{registry}/team/app@{children[0]['digest']}", archive)
    copy_image(archive, f"docker://{registry}/team/app:archived", preserve_digests=True)


def test_sha512(layout: Layout, tmp_path: Path, registry: str) -> None:
    layout.image("v1", layers=[os.urandom(300_000), b"small"], algorithm="sha512")
    copy_image(f"oci:{layout.root}", f"docker://{registry}/demo:v1")
    copy_image(f"docker://{registry}/demo:v1", f"docker://{registry}/other:v1")
    copy_image(f"docker://{registry}/other:v1", f"oci:{tmp_path / 'out'}:v1")
    assert blobs_of(tmp_path / "out") == blobs_of(layout.root)


def test_basic_authentication(layout: Layout, tmp_path: Path, program: str) -> None:
    image = layout.image("v1", layers=[os.urandom(1_000_000), b"small"])
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    with guarded(
        program, tmp_path, {"htpasswd": {"realm": "r", "path": str(tmp_path / "htpasswd")}}
    ) as registry:
        there = f"docker://{registry}/team/app:v1"
        copied = copy_image(f"oci:{layout.root}", there, system=logged_in(tmp_path, registry))
        assert copied.descriptor.digest == image["digest"]
        copy_image(there, f"oci:{tmp_path / 'out'}", system=logged_in(tmp_path, registry))
        for system in (SystemContext({}), logged_in(tmp_path, registry, "wrong")):
            with pytest.raises(Unauthorized):
                copy_image(there, f"dir:{tmp_path / 'dir'}", system=system)
    assert blobs_of(tmp_path / "out") == blobs_of(layout.root)
    assert not (tmp_path / "dir").exists()


def test_tls(layout: Layout, tmp_path: Path, program: str) -> None:
    """With a certificate of an authority that is trusted for this registry alone, and a login."""
    layout.image("v1", layers=[os.urandom(1_000_000), b"small"])
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    (tmp_path / "authority").mkdir()
    identity = Identity(tmp_path / "authority")
    auth: dict[str, object] = {"htpasswd": {"realm": "r", "path": str(tmp_path / "htpasswd")}}
    with guarded(program, tmp_path, auth, identity) as registry:
        there, system = f"docker://{registry}/team/app:v1", logged_in(tmp_path, registry)
        with pytest.raises(TransportError, match="its certificate is not trusted"):
            copy_image(f"oci:{layout.root}", there, system=system)
        folder = tmp_path / "containers/certs.d" / registry
        folder.mkdir(parents=True)
        (folder / "ca.crt").write_bytes((identity.folder / "ca.crt").read_bytes())
        system = system._replace(environ={**system.environ, "XDG_CONFIG_HOME": str(tmp_path)})
        copy_image(f"oci:{layout.root}", there, system=system)
        copy_image(there, f"oci:{tmp_path / 'out'}", system=system)
        insecure = logged_in(tmp_path, registry)._replace(insecure=True)
        copy_image(there, f"oci:{tmp_path / 'again'}", system=insecure)
    assert blobs_of(tmp_path / "out") == blobs_of(tmp_path / "again") == blobs_of(layout.root)


def test_tokens(layout: Layout, tmp_path: Path, program: str) -> None:
    layout.image("v1", layers=[os.urandom(1_000_000), b"small", b"three", b"four"])
    issuer = TokenIssuer(tmp_path)
    with serving(issuer.answer) as tokens:
        token = {
            "realm": f"http://127.0.0.1:{tokens.port}/token",
            "service": SERVICE,
            "issuer": ISSUER,
            "rootcertbundle": str(issuer.certificate),
        }
        with guarded(program, tmp_path, {"token": token}) as registry:
            there, system = f"docker://{registry}/team/app:v1", logged_in(tmp_path, registry)
            copy_image(f"oci:{layout.root}", there, system=system)
            assert issuer.asked <= 3
            copy_image(there, f"oci:{tmp_path / 'out'}", system=system)
            assert copy_image(there, f"docker://{registry}/other:v1", system=system).moved == []
            with pytest.raises(Unauthorized, match="gave no token, with no login"):
                copy_image(there, f"dir:{tmp_path / 'dir'}", system=SystemContext({}))
    assert blobs_of(tmp_path / "out") == blobs_of(layout.root)


def test_a_registry_by_its_host(layout: Layout, tmp_path: Path, program: str) -> None:
    """In the registry's own words, as whoever is logged in."""
    image = layout.image("v1")
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    with guarded(program, tmp_path, {"htpasswd": {"realm": "r", "path": str(tmp_path / "htpasswd")}}) as host:
        system = logged_in(tmp_path, host)
        copy_image(f"oci:{layout.root}:v1", f"docker://{host}/team/app:v1", system=system)
        with open_registry(host, system=system) as registry:
            assert registry.list_repositories().items == ["team/app"]
            assert registry.resolve_manifest("team/app", "v1").digest == image["digest"]
        with open_registry(host, system=SystemContext({})) as registry, pytest.raises(Unauthorized):
            registry.list_repositories()


@pytest.mark.parametrize("tool", ["skopeo", "crane", "oras", "regctl"])
def test_other_programs_and_the_same_registry(
    layout: Layout, tmp_path: Path, registry: str, tool: str
) -> None:
    """What they push we copy, and what we copy they pull."""
    index = layout.image_index(
        "v1",
        *[
            layout.image(platform=f"linux/{each}", compressed=True, listed=False)
            for each in ("amd64", "arm64")
        ],
    )
    push, pull = {
        "skopeo": (
            "skopeo --insecure-policy copy -q --all --dest-tls-verify=false oci:layout:v1 docker://{}",
            "skopeo --insecure-policy copy -q --all --src-tls-verify=false docker://{} oci:taken:v1",
        ),
        "crane": ("crane push --insecure --index layout {}", "crane pull --insecure --format=oci {} taken"),
        "oras": (
            "oras cp --no-tty --to-plain-http --from-oci-layout layout:v1 {}",
            "oras cp --no-tty --from-plain-http {} --to-oci-layout taken:v1",
        ),
        "regctl": (
            "regctl --host reg={host},tls=disabled image copy ocidir://layout:v1 {}",
            "regctl --host reg={host},tls=disabled image copy {} ocidir://taken:v1",
        ),
    }[tool]
    theirs, ours = f"{registry}/their/app:v1", f"{registry}/our/app:v1"
    run_tool(*push.format(theirs, host=registry).split(), cwd=tmp_path, timeout=60)
    copied = copy_image(f"docker://{theirs}", f"docker://{ours}")
    run_tool(*pull.format(ours, host=registry).split(), cwd=tmp_path, timeout=60)
    copy_image(f"oci:{tmp_path / 'taken'}", f"oci:{tmp_path / 'out'}:v1")
    if tool != "crane":  # which pushes the layout's own index
        assert copied.descriptor.digest == index["digest"]
    assert blobs_of(tmp_path / "out").items() >= blobs_of(layout.root).items()

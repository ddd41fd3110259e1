"""``udist exec --auth``: the configuration's access control in place of the gateway's credential. Real
clients log in, with a password and by a token server."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import bcrypt
import pytest

from tests.gateway.layout import digest_in, make_layout
from tests.http_api.access import issuer
from tests.remote.serving import Answer, Asked, serving
from tests.tools import require_tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.gateway.udist import Home

LOGIN = "-u alice -p {password} $UDIST_REGISTRY"
IMAGE = "$UDIST_REGISTRY/demo/app:v1"
TOOLS = {
    "crane": f"crane auth login {LOGIN}; crane push layout {IMAGE} && crane pull --format=oci {IMAGE} pulled",
    "oras": (
        f"oras login --plain-http {LOGIN}; oras cp --from-oci-layout --to-plain-http layout:v1 {IMAGE} && "
        f"oras cp --to-oci-layout --from-plain-http {IMAGE} pulled:v1"
    ),
    "regctl": (
        f"regctl registry login {LOGIN}; regctl image copy ocidir://layout:v1 {IMAGE} && "
        f"regctl image copy {IMAGE} ocidir://pulled:v1"
    ),
    "skopeo": (
        f"skopeo login --tls-verify=false {LOGIN}; skopeo --insecure-policy copy --preserve-digests "
        f"--dest-tls-verify=false oci:layout:v1 docker://{IMAGE} && "
        "skopeo --insecure-policy copy --preserve-digests --src-tls-verify=false "
        f"docker://{IMAGE} oci:pulled:v1"
    ),
}
"""A login, which may fail, a push and a pull."""

HELM = (
    f"helm registry login --plain-http {LOGIN}; "
    "helm push --plain-http chart-0.1.0.tgz oci://$UDIST_REGISTRY/charts && rm chart-0.1.0.tgz && "
    "helm pull --plain-http oci://$UDIST_REGISTRY/charts/chart --version 0.1.0"
)


def configure(folder: Path, auth: dict[str, Any]) -> tuple[str, ...]:
    """The options of ``udist exec``."""
    store = {"filesystem": {"rootdirectory": str(folder / "store")}}
    config = folder / "config.yml"
    config.write_text(json.dumps({"version": "0.1", "storage": store, "auth": auth}))
    return ("--auth", "--config", str(config))


@pytest.fixture
def passwords(tmp_path: Path) -> tuple[str, ...]:
    users = tmp_path / "htpasswd"
    users.write_bytes(b"alice:" + bcrypt.hashpw(b"secret", bcrypt.gensalt(4)))
    return configure(tmp_path, {"htpasswd": {"realm": "a realm", "path": str(users)}})


@contextmanager
def token_server() -> Iterator[tuple[int, list[str]]]:
    """Grants alice everything she asks for; its port, and the scopes so far."""
    scopes: list[str] = []

    def answer(asked: Asked) -> Answer:
        password = base64.b64encode(b"alice:secret").decode()
        if asked.headers.get("authorization") != f"Basic {password}":
            return Answer(401)
        asked_for = parse_qs(urlsplit(asked.target).query).get("scope", [])
        scopes.extend(asked_for)
        access = []
        for scope in " ".join(asked_for).split():
            kind, name, actions = scope.split(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        token = issuer.by_chain(issuer.claims(access))
        return Answer(body=json.dumps({"token": token, "expires_in": 300}).encode())

    with serving(answer) as served:
        yield served.port, scopes


@pytest.mark.parametrize("tool", TOOLS)
def test_a_password(home: Home, tmp_path: Path, passwords: tuple[str, ...], tool: str) -> None:
    check_tool(home, tmp_path, passwords, tool)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_token(home: Home, tmp_path: Path, tool: str) -> None:
    """crane takes no realm at another port of an address, oras none of another name."""
    host = "localhost" if tool == "crane" else "127.0.0.1"
    with token_server() as (port, scopes):
        auth = issuer.section(tmp_path, realm=f"http://{host}:{port}/token")
        check_tool(home, tmp_path, configure(tmp_path, auth), tool)
    assert any("push" in scope for scope in scopes)


def check_tool(home: Home, folder: Path, options: tuple[str, ...], tool: str) -> None:
    """The tool gets nothing by a wrong password, and its image back by the right one."""
    require_tool(tool)
    digest = make_layout(folder / "layout")
    ran = home.exec("sh", "-c", TOOLS[tool].format(password="wrong"), options=options, cwd=folder)
    assert ran.returncode != 0
    assert not (folder / "store/docker/registry/v2/repositories").exists()
    home.succeed("sh", "-ec", TOOLS[tool].format(password="secret"), options=options, cwd=folder)
    assert digest_in(folder / "pulled") == digest


def test_helm(home: Home, tmp_path: Path, passwords: tuple[str, ...]) -> None:
    require_tool("helm")
    chart = tmp_path / "chart"
    chart.mkdir()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 0.1.0\n")
    home.succeed("helm", "package", "chart", cwd=tmp_path)
    pushed = (tmp_path / "chart-0.1.0.tgz").read_bytes()
    ran = home.exec("sh", "-c", HELM.format(password="wrong"), options=passwords, cwd=tmp_path)
    assert ran.returncode != 0
    home.succeed("sh", "-ec", HELM.format(password="secret"), options=passwords, cwd=tmp_path)
    assert (tmp_path / "chart-0.1.0.tgz").read_bytes() == pushed


def test_the_command_has_no_credential(home: Home, tmp_path: Path, passwords: tuple[str, ...]) -> None:
    """Nor does what it has from its user stand for one."""
    require_tool("curl")
    script = (
        "echo $UDIST_URL; cat $DOCKER_CONFIG/config.json $REGISTRY_AUTH_FILE $REGCTL_CONFIG; "
        "curl -s -o /dev/null -w '%{http_code} %header{www-authenticate}' $UDIST_URL/v2/"
    )
    said = home.succeed("sh", "-c", script, options=passwords, cwd=tmp_path)
    assert said.startswith("http://127.0.0.1:")
    assert "@" not in said
    assert 'auth":' not in said
    assert '"pass"' not in said
    assert said.endswith('401 Basic realm="a realm"')


def test_there_has_to_be_access_control(home: Home, tmp_path: Path) -> None:
    ran = home.exec("true", options=configure(tmp_path, {}), cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (4, "")
    assert "auth" in ran.stderr
    assert "expected access control, which --auth relies on" in ran.stderr


def test_without_auth_the_gateway_s_credential_holds(
    home: Home, tmp_path: Path, passwords: tuple[str, ...]
) -> None:
    require_tool("curl")
    script = "curl -s -o /dev/null -w '%{http_code}' $UDIST_URL/v2/"
    ran = home.exec("sh", "-c", script, options=("-v", *passwords[1:]), cwd=tmp_path)
    assert ran.stdout == "200"
    assert "auth" in ran.stderr
    assert "no effect here" in ran.stderr

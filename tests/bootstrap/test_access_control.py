"""Where access control binds: in ``create_app`` and in a locked plugin, and not where whoever starts the
plugin has the store anyway."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.http_api.access import issuer
from tests.http_api.wsgi import Client
from udist_plugin import Plugin, create_app
from udist_plugin.bootstrap.services import build_service
from udist_plugin.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

SILLY = {"silly": {"realm": "a", "service": "b"}}


def document(auth: dict[str, Any]) -> dict[str, Any]:
    return {"version": "0.1", "log": {"level": "info"}, "storage": {"inmemory": {}}, "auth": auth}


def test_create_app() -> None:
    with create_app(document(SILLY)) as app:
        client = Client(app)
        assert client.get("/v2/").status == 401
        assert client.get("/v2/", authorization="x").status == 200


def test_a_plugin_of_whoever_starts_it() -> None:
    text = json.dumps(document(SILLY))
    with Plugin(text) as plugin, plugin.request("GET", "/v2/") as answer:
        assert answer.status == 200
    said: list[str] = []
    with build_service(None, text, None, {}) as app:
        app.start(lambda _, message: said.append(message))
    (notice,) = [message for message in said if "auth" in message]
    assert "no effect here; there is no listener to guard" in notice


def test_a_locked_plugin(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text(json.dumps(document(issuer.section(tmp_path))))
    command = [sys.executable, "-m", "udist_plugin.cli.plugin", "--config", str(config), "--locked"]
    with Plugin(command=command) as plugin:
        with plugin.request("GET", "/v2/_catalog") as refused:
            assert refused.status == 401
            assert refused.header("www-authenticate") == (
                f'Bearer realm="{issuer.REALM}",service="{issuer.SERVICE}",scope="registry:catalog:*"'
            )
        token = issuer.by_chain(issuer.claims([{"type": "registry", "name": "catalog", "actions": ["*"]}]))
        fields = [("authorization", f"Bearer {token}")]
        with plugin.request("GET", "/v2/_catalog", fields) as answer:
            assert (answer.status, json.loads(answer.read())) == (200, {"repositories": []})


def test_who_may_list_repositories_may_not_collect_garbage(tmp_path: Path) -> None:
    settings = document(issuer.section(tmp_path)) | {"udist": {"extensions": {"gc": True, "leases": True}}}
    wanted = [("GET", "/v2/_udist/leases"), ("POST", "/v2/_udist/gc"), ("GET", "/v2/_catalog")]
    with create_app(settings) as app:
        client = Client(app)

        def statuses(name: str) -> list[int]:
            access = [{"type": "registry", "name": name, "actions": ["*"]}]
            field = f"Bearer {issuer.by_chain(issuer.claims(access))}"
            return [client.request(*each, {"authorization": field}).status for each in wanted]

        assert statuses("catalog") == [401, 401, 200]
        assert statuses("udist") == [200, 200, 401]


def test_health_and_metrics_are_open_as_distribution_s_are(tmp_path: Path) -> None:
    health = {"file": [{"file": str(tmp_path / "down")}]}
    metrics = {"debug": {"prometheus": {"enabled": True}}}
    with create_app(document(SILLY) | {"health": health, "http": metrics}) as app:
        client = Client(app)
        assert [client.get(path).status for path in ("/debug/health", "/metrics", "/v2/")] == [200, 200, 401]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("rootcertbundle", "", "expected certificates in PEM"),
        (
            "rootcertbundle",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "expected certificates",
        ),
        (
            "rootcertbundle",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "expected certificates",
        ),
        ("rootcertbundle", None, "cannot read"),
        ("jwks", "", "expected a set of public keys"),
        ("jwks", "[]", "expected a set of public keys"),
        ("jwks", '{"keys": []}', "expected a set of public keys"),
        ("jwks", '{"keys": [5]}', "expected a set of public keys"),
        ("jwks", '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}', "expected a set of public keys"),
        (
            "jwks",
            '{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}',
            "expected a set of public keys",
        ),
        ("jwks", None, "cannot read"),
    ],
)
def test_a_file_of_keys_that_has_none(tmp_path: Path, name: str, content: str | None, expected: str) -> None:
    file = tmp_path / "keys"
    if content is not None:
        file.write_text(content)
    config = tmp_path / "config.yml"
    config.write_text(
        "version: 0.1\nstorage: inmemory\nauth:\n  token:\n    realm: a\n    service: b\n    issuer: c\n"
        f"    {name}: {file}\n"
    )
    with pytest.raises(ConfigurationError, match=expected) as raised:
        create_app(config)
    assert (raised.value.key, raised.value.source) == (f"auth.token.{name}", f"{config}:8")
    assert str(file) in raised.value.problem


def test_no_key_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="expected rootcertbundle or jwks") as raised:
        create_app(document({"token": {"realm": "a", "service": "b", "issuer": "c"}}))
    assert raised.value.key == "auth.token"
    auth = issuer.section(tmp_path, signingalgorithms=["HS256"])
    with pytest.raises(ConfigurationError, match="expected one of EdDSA") as raised:
        create_app(document(auth))
    assert raised.value.key == "auth.token.signingalgorithms"


@pytest.mark.parametrize(
    ("auth", "module", "package"), [("htpasswd", "bcrypt", "bcrypt"), ("token", "jwt", "pyjwt")]
)
def test_a_package_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auth: str, module: str, package: str
) -> None:
    from udist_plugin.bootstrap import guarding

    monkeypatch.setattr(guarding, "find_spec", lambda name: None if name == module else object())
    sections = {"htpasswd": {"htpasswd": {"realm": "a", "path": str(tmp_path / "a")}}}
    with pytest.raises(ConfigurationError, match=rf"needs the package {package}; pip install '\.\[auth\]'"):
        create_app(document(sections.get(auth) or issuer.section(tmp_path)))


def test_nothing_of_it_is_loaded_without_access_control() -> None:
    import subprocess

    program = (
        "import sys; from udist_plugin import create_app\n"
        "create_app({'version': '0.1', 'storage': {'inmemory': {}}})\n"
        "print([name for name in sys.modules if name in ('jwt', 'bcrypt')\n"
        "       or 'guarding' in name or 'middleware.access.' in name])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout == "[]\n"

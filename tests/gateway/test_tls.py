"""A throw-away authority: trusted for loopback, and for nothing else."""

from __future__ import annotations

import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from udist_plugin.bootstrap.apps import create_app
from udist_plugin.gateway.certificates import make_certificates
from udist_plugin.gateway.listener import on_loopback
from udist_plugin.gateway.server import NO_TLS, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.gateway.udist import Home
    from udist_plugin.gateway.certificates import Certificates

GET = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def made() -> Certificates:
    return make_certificates()


@pytest.fixture
def port(made: Certificates, tmp_path: Path) -> Iterator[int]:
    (tmp_path / "server.pem").write_bytes(made.server + made.server_key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    with create_app({"version": 0.1, "storage": {"inmemory": {}}}, {}) as app, on_loopback() as listener:
        server = Server(listener, app, lambda *_: None, None, context)
        threading.Thread(target=server.serve, daemon=True).start()
        yield listener.getsockname()[1]


def ask(port: int, made: Certificates, name: str) -> bytes:
    """The response to a client that trusts the authority alone, and calls the server ``name``."""
    context = ssl.create_default_context(cadata=made.authority.decode())
    with (
        socket.create_connection(("127.0.0.1", port), 20) as connection,
        context.wrap_socket(connection, server_hostname=name) as secured,
    ):
        secured.sendall(GET)
        return b"".join(iter(lambda: secured.recv(1 << 16), b""))


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_loopback_is_vouched_for(name: str, port: int, made: Certificates) -> None:
    assert ask(port, made, name).endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize("name", ["127.0.0.2", "registry.example.com"])
def test_other_names_are_not(name: str, port: int, made: Certificates) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        ask(port, made, name)


def test_the_authority_may_sign_for_loopback_only(made: Certificates) -> None:
    authority = x509.load_pem_x509_certificate(made.authority)
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    permitted = constraints.value.permitted_subtrees or []
    assert [str(each.value) for each in permitted] == ["localhost", "127.0.0.1/32"]
    assert b"PRIVATE" not in made.authority + made.server


def test_each_gateway_has_another(made: Certificates) -> None:
    other = x509.load_pem_x509_certificate(make_certificates().authority)
    own = x509.load_pem_x509_certificate(made.server)
    key = other.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    with pytest.raises(InvalidSignature):
        key.verify(own.signature, own.tbs_certificate_bytes, ec.ECDSA(hashes.SHA256()))


def test_a_client_without_tls_is_told(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        client.sendall(GET)
        assert client.recv(1 << 16) == NO_TLS


def test_silent_clients_hold_nobody_up(port: int, made: Certificates) -> None:
    silent = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(20)]
    assert ask(port, made, "localhost").endswith(b"{}")
    for client in silent:
        client.close()


def test_the_command_trusts_it_and_still_the_systems(home: Home) -> None:
    script = "curl -s $UDIST_URL/v2/; echo; grep -c 'BEGIN CERT' $SSL_CERT_FILE; ls $DOCKER_CONFIG/.."
    answer, count, *names = home.succeed("sh", "-c", script, options=("--tls",)).splitlines()
    assert answer == "{}"
    assert int(count) > 100
    assert "server.pem" not in names

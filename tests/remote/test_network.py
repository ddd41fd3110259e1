"""Registries over sockets: connections, what breaks, redirects, TLS and proxies."""

from __future__ import annotations

import io
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from tests.remote.identity import Identity
from tests.remote.serving import Answer, Asked, Served, serving
from udist_plugin.errors import Cancelled, DeadlineExceeded, RedirectFailed, TransportError
from udist_plugin.oci.digest import Digest
from udist_plugin.remote.network import connections
from udist_plugin.remote.network.network import Network
from udist_plugin.remote.network.origin import Origin
from udist_plugin.remote.network.proxies import proxy_of
from udist_plugin.remote.network.redirects import FollowingTransport
from udist_plugin.remote.registry import RemoteRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from udist_plugin.remote.network.transport import SocketTransport

DATA = bytes(range(251)) * 10_000
AT = "p.test"


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network({})
    yield network
    network.close()


def transport_to(network: Network, served: Served) -> SocketTransport:
    return network.transport(Origin("http", "127.0.0.1", served.port))


def echo(asked: Asked) -> Answer:
    return Answer(body=asked.body or b"nothing")


def test_a_connection_is_used_again(network: Network) -> None:
    with serving(echo) as served:
        transport = transport_to(network, served)
        for _ in range(3):
            with transport.request("GET", "/") as response:
                assert response.read() == b"nothing"
        for method in ("HEAD", "GET", "PUT"):
            transport.request(method, "/", body=b"" if method == "PUT" else None).close()  # not read
        transport.request("PUT", "/", body=DATA).close()  # much that is not read
        with transport.request("GET", "/") as response:
            assert response.read() == b"nothing"
        transport.close()
    assert [asked.connection for asked in served.asked[:7]] == [served.asked[0].connection] * 7
    assert served.asked[7].connection != served.asked[0].connection
    assert served.asked[0].headers["host"] == f"127.0.0.1:{served.port}"


def test_bodies_of_every_kind(network: Network, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before" + DATA)

    class Once:
        def __init__(self) -> None:
            self.read = io.BytesIO(DATA).read

    with serving(echo) as served, open(tmp_path / "file", "rb", buffering=0) as file:
        transport = transport_to(network, served)
        file.seek(6)
        for body, headers in (
            (DATA, []),
            (io.BytesIO(DATA), [("content-length", str(len(DATA)))]),
            (file, [("content-length", str(len(DATA)))]),
            (Once(), []),
            (b"", []),
        ):
            with transport.request("PUT", "/", headers=headers, body=body) as response:
                assert response.read() == (b"nothing" if body == b"" else DATA)
        transport.close()


def test_a_response_that_is_cut(network: Network) -> None:
    with serving(lambda _: Answer(body=DATA, cut=1000)) as served:
        with (
            transport_to(network, served).request("GET", "/") as response,
            pytest.raises(TransportError, match="bytes early"),
        ):
            response.read()
        with pytest.raises(TransportError):
            RemoteRegistry(transport_to(network, served)).get_manifest("demo", "v1")


def test_a_blob_that_is_cut_goes_on_by_range(network: Network) -> None:
    def answer(asked: Asked) -> Answer:
        start = int(asked.headers.get("range", "bytes=0-")[6:-1])
        return Answer(206 if start else 200, body=DATA[start:], cut=1_000_000 if start < 2_000_000 else None)

    with serving(answer) as served:
        registry = RemoteRegistry(transport_to(network, served))
        with registry.open_blob("demo", Digest.of(DATA)) as content:
            assert content.read() == DATA
    assert [asked.headers.get("range") for asked in served.asked] == [
        None,
        "bytes=1000000-",
        "bytes=2000000-",
    ]


def test_what_is_answered_before_all_was_sent_counts(network: Network) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 413 -\r\ncontent-length: 4\r\n\r\nmuch")
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 16):
                    pass

        thread = threading.Thread(target=refuse)
        thread.start()
        transport = network.transport(Origin("http", "127.0.0.1", server.getsockname()[1]))
        with transport.request("PUT", "/", body=bytes(20_000_000)) as response:
            assert (response.status, response.read()) == (413, b"much")
        transport.close()
        thread.join(10)


def test_nobody_there(network: Network) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TransportError, match=f"http://127.0.0.1:{port}: Connection refused"):
        network.transport(Origin("http", "127.0.0.1", port)).request("GET", "/")


def test_a_server_that_says_nothing(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SILENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        transport = network.transport(Origin("http", "127.0.0.1", server.getsockname()[1]))
        with pytest.raises(DeadlineExceeded, match="silent for too long"):
            transport.request("GET", "/")


def test_a_request_that_is_cancelled(network: Network) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        transport = network.transport(Origin("http", "127.0.0.1", server.getsockname()[1]))

        def cancel() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                transport.cancel()

        thread = threading.Thread(target=cancel)
        thread.start()
        with pytest.raises(Cancelled):
            transport.request("GET", "/")
        thread.join(10)


def test_a_redirect_to_another_server_gets_no_credentials(network: Network) -> None:
    with serving(lambda _: Answer(body=DATA)) as bucket:

        def answer(asked: Asked) -> Answer:
            if asked.target == "/v2/demo/blobs/elsewhere":
                return Answer(307, [("location", f"http://127.0.0.1:{bucket.port}/key?signature=x")])
            return Answer(302, [("location", "/v2/demo/blobs/elsewhere")])

        with serving(answer) as served:
            following = FollowingTransport(transport_to(network, served), network)
            fields = [("authorization", "Basic eDp5"), ("range", "bytes=0-")]
            with following.request("GET", "/v2/demo/blobs/here", headers=fields) as response:
                assert response.read() == DATA
        assert [asked.headers.get("authorization") for asked in served.asked] == ["Basic eDp5"] * 2
    assert (bucket.asked[0].target, bucket.asked[0].headers["range"]) == ("/key?signature=x", "bytes=0-")
    assert "authorization" not in bucket.asked[0].headers


def test_redirects_that_lead_nowhere(network: Network) -> None:
    with serving(lambda asked: Answer(307, [("location", asked.target + "x")])) as served:
        following = FollowingTransport(transport_to(network, served), network)
        with pytest.raises(RedirectFailed, match="more than 5 redirects"):
            following.request("GET", "/")
        with following.request("PUT", "/", body=b"x") as response:
            assert response.status == 307  # of what is written, nothing goes elsewhere


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity(tmp_path_factory.mktemp("identity"))


def test_certificates_of_one_registry(identity: Identity, tmp_path: Path) -> None:
    with serving(echo, identity.server(wants_client=True)) as served:
        folder = tmp_path / f"containers/certs.d/127.0.0.1:{served.port}"
        folder.mkdir(parents=True)
        for name in ("ca.crt", "client.cert", "client.key"):
            (folder / name).write_bytes((identity.folder / name).read_bytes())
        network = Network({"XDG_CONFIG_HOME": str(tmp_path)})
        with network.registry(f"127.0.0.1:{served.port}").request("GET", "/") as response:
            assert response.read() == b"nothing"
        network.close()
        (folder / "client.key").unlink()
        with pytest.raises(TransportError, match=r"client\.cert has no client\.key beside it"):
            Network({"XDG_CONFIG_HOME": str(tmp_path)}).registry(f"127.0.0.1:{served.port}")


def test_a_certificate_that_nobody_knows(identity: Identity) -> None:
    with serving(echo, identity.server()) as served:
        with pytest.raises(TransportError, match="its certificate is not trusted"):
            Network({}).registry(f"127.0.0.1:{served.port}")
        network = Network({})
        with network.registry(f"localhost:{served.port}", insecure=True).request("GET", "/") as response:
            assert response.read() == b"nothing"
        network.close()


def test_this_machine_needs_no_tls(network: Network) -> None:
    with serving(echo) as served:
        for _ in range(2):
            transport = network.registry(f"127.0.0.1:{served.port}")
            assert transport.origin.scheme == "http"
        network.close()


@pytest.mark.parametrize(
    ("origin", "environ", "proxy"),
    [
        ("https://r.test", {"HTTPS_PROXY": f"http://{AT}:3128"}, "p.test:3128"),
        ("https://r.test", {"https_proxy": "p.test"}, "p.test:80"),
        ("https://r.test", {"HTTPS_PROXY": "one.test", "https_proxy": "two.test"}, "one.test:80"),
        ("https://r.test", {"HTTP_PROXY": "p.test", "ALL_PROXY": "p.test"}, None),
        ("http://r.test", {"HTTP_PROXY": "p.test"}, "p.test:80"),
        ("https://127.0.0.2:5000", {"HTTPS_PROXY": "p.test", "NO_PROXY": ""}, None),
        ("https://localhost", {"HTTPS_PROXY": "p.test"}, None),
        *[
            ("https://r.test", {"HTTPS_PROXY": "p.test", "NO_PROXY": no}, None)
            for no in ("r.test", ".test", "*.test", "test", "R.TEST", "a, r.test ", "*", "r.test:443")
        ],
        *[
            ("https://r.test", {"HTTPS_PROXY": "p.test", "NO_PROXY": no}, "p.test:80")
            for no in ("x.test", "r.test:80", "st", "", ",")
        ],
        ("https://10.1.2.3", {"HTTPS_PROXY": "p.test", "NO_PROXY": "10.0.0.0/8"}, None),
    ],
)
def test_proxies(origin: str, environ: dict[str, str], proxy: str | None) -> None:
    found = proxy_of(Origin.of(origin), environ)
    assert (found and f"{found.host}:{found.port}") == proxy


def test_a_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda asked: Answer(body=asked.target.encode())) as served:
        network = Network({"HTTP_PROXY": f"http://me:p%40ss@127.0.0.1:{served.port}"})
        with network.transport(Origin.of("http://r.test:5000")).request("GET", "/v2/") as response:
            assert response.read() == b"http://r.test:5000/v2/"
        assert served.asked[0].headers["proxy-authorization"] == "Basic bWU6cEBzcw=="
        with pytest.raises(TransportError, match=r"by way of the proxy 127\.0\.0\.1"):
            Network({"HTTPS_PROXY": f"127.0.0.1:{served.port}"}).transport(
                Origin.of("https://r.test")
            ).request("GET", "/")
        network.close()

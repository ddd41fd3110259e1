"""Sizes in Redis: every way to reach one, and doing without it."""

from __future__ import annotations

import io
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.drivers.processes import free_port
from tests.storage.redis_server import READY, RedisServer, be_patient, running
from tests.tools import require_tool
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import BlobUnknown, ConfigurationError
from udist_plugin.oci.digest import Digest
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.sizes import outages
from udist_plugin.storage.sizes.redis import LIFETIME, PREFIX, RedisSizes
from udist_plugin.storage.sizes.settings import RedisSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Connect = Callable[[RedisSettings], RedisSizes]
    Refusing = Callable[[], str]

BLOB = b"some content"
DIGEST = Digest.of(BLOB)


class Records(list[tuple[str, str]]):
    """A log."""

    def __call__(self, level: str, message: str) -> None:
        self.append((level, message))

    @property
    def levels(self) -> list[str]:
        return [level for level, _ in self]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that the test may kill."""
    with running(tmp_path) as server:
        yield server


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
def connect(records: Records) -> Iterator[Connect]:
    opened = []

    def start(settings: RedisSettings) -> RedisSizes:
        sizes = RedisSizes(settings)
        sizes.start(records)
        opened.append(sizes)
        return sizes

    yield start
    for sizes in opened:
        sizes.close()


def check_few_connections(connect: Connect, settings: RedisSettings, records: Records) -> None:
    """More requests at once than connections wait for one, which is no outage."""
    sizes = patient(connect, settings._replace(pool_size=1))
    sizes.learn(DIGEST, len(BLOB))
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(sizes.size, [DIGEST] * 200)) == {len(BLOB)}
    assert records == []


def patient(connect: Connect, settings: RedisSettings) -> RedisSizes:
    """Waits for Redis however busy the machine is: what is remembered is asked here, not how soon."""
    with pytest.MonkeyPatch.context() as patch:
        be_patient(patch)
        return connect(settings._replace(dial_timeout=30.0, answer_timeout=30.0, pool_timeout=30.0))


def check_shared(connect: Connect, settings: RedisSettings) -> None:
    """What one plugin learns, another knows, until one forgets it."""
    one, other = patient(connect, settings), patient(connect, settings)
    one.forget(DIGEST)
    assert one.size(DIGEST) is None
    one.learn(DIGEST, len(BLOB))
    assert other.size(DIGEST) == len(BLOB)
    other.forget(DIGEST)
    assert one.size(DIGEST) is None


def test_by_address(connect: Connect, server: RedisServer, records: Records) -> None:
    check_shared(connect, RedisSettings([server.address]))
    check_few_connections(connect, RedisSettings([server.address]), records)


def test_by_socket(connect: Connect, server: RedisServer) -> None:
    check_shared(connect, RedisSettings([str(server.socket)]))


def test_in_a_database_by_name(connect: Connect, server: RedisServer) -> None:
    connect(RedisSettings([server.address], database=3, client_name="backup")).learn(DIGEST, 5)
    assert connect(RedisSettings([server.address])).size(DIGEST) is None
    assert connect(RedisSettings([server.address], database=3)).size(DIGEST) == 5
    assert b"name=backup" in server.command("CLIENT", "LIST")


def test_as_a_user(connect: Connect, server: RedisServer, records: Records) -> None:
    rights = ("on", ">a-password", f"~{PREFIX}*", "+get", "+set", "+del")
    assert server.command("ACL", "SETUSER", "udist", *rights).startswith(b"+OK")
    check_shared(connect, RedisSettings([server.address], username="udist", password="a-password"))
    assert records == []
    connect(RedisSettings([server.address], username="udist", password="another")).size(DIGEST)
    assert records.levels == ["warn"]
    assert "invalid username-password pair" in records[0][1]
    assert "another" not in records[0][1]


def test_by_password_alone(connect: Connect, tmp_path: Path) -> None:
    with running(tmp_path, "--requirepass", "a-password") as server:
        check_shared(connect, RedisSettings([server.address], password="a-password"))


def test_through_sentinels(connect: Connect, refusing: Refusing, tmp_path: Path, records: Records) -> None:
    folder = tmp_path / "sentinel"
    folder.mkdir()
    with running(tmp_path) as master:
        config = folder / "sentinel.conf"
        config.write_text(
            f"sentinel monitor main 127.0.0.1 {master.port} 1\n"
            'requirepass "a-password"\nsentinel resolve-hostnames yes\n'
        )
        with running(folder, str(config), "--sentinel") as sentinel:
            settings = RedisSettings(
                [refusing(), sentinel.address], master="main", sentinel_password="a-password"
            )
            check_shared(connect, settings)
            check_few_connections(connect, settings, records)


def test_in_a_cluster(connect: Connect, refusing: Refusing, tmp_path: Path, records: Records) -> None:
    with running(tmp_path, "--cluster-enabled", "yes", "--cluster-port", str(free_port())) as node:
        node.command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        until(lambda: b"cluster_state:ok" in node.command("CLUSTER", "INFO"))
        silent = refusing()
        check_shared(connect, RedisSettings([node.address, silent]))
        check_few_connections(connect, RedisSettings([node.address, silent]), records)


def test_over_tls(connect: Connect, tmp_path: Path, records: Records) -> None:
    certificate, key = self_signed(tmp_path)
    options = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate]
    with running(tmp_path, *options, tls=True) as server:
        both = RedisSettings(
            [server.address], tls=True, certificate=certificate, key=key, root_cas=[certificate]
        )
        check_shared(connect, both)
        commented = tmp_path / "commented.pem"  # as bundles of authorities are, in their own letters
        commented.write_text(f"# Főtanúsítvány\n{Path(certificate).read_text()}", encoding="utf-8")
        check_shared(connect, both._replace(root_cas=[str(commented)]))
        assert records == []
        connect(both._replace(root_cas=())).size(DIGEST)
        assert "certificate verify failed" in records[-1][1]


@pytest.mark.parametrize("name", ["certificate", "key", "root_cas"])
def test_files_that_cannot_be_read_are_named_at_start(name: str) -> None:
    value = ["/does/not/exist"] if name == "root_cas" else "/does/not/exist"
    settings = RedisSettings(["127.0.0.1:6379"], tls=True)._replace(**{name: value})  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"redis\.tls\.\w+: /does/not/exist: No such file"):
        RedisSizes(settings)


def test_what_distribution_keeps_there_is_another_matter(connect: Connect, server: RedisServer) -> None:
    server.command("HSET", f"blobs::{DIGEST}", "digest", DIGEST, "size", 7)
    sizes = connect(RedisSettings([server.address]))
    sizes.forget(DIGEST)
    assert sizes.size(DIGEST) is None
    sizes.learn(DIGEST, 5)
    assert b"7" in server.command("HGET", f"blobs::{DIGEST}", "size")
    seconds = int(server.command("TTL", PREFIX + DIGEST).strip(b":\r\n"))
    assert 0 < seconds <= LIFETIME


@pytest.mark.parametrize("text", ["", "-1", "x", "1.5", "9" * 20])
def test_what_is_no_size_is_none(connect: Connect, server: RedisServer, text: str, records: Records) -> None:
    server.command("SET", PREFIX + DIGEST, f'"{text}"')
    assert connect(RedisSettings([server.address])).size(DIGEST) is None
    assert records == []


def test_a_key_of_another_type_is_an_outage(connect: Connect, fresh: RedisServer, records: Records) -> None:
    fresh.command("SADD", PREFIX + DIGEST, "x")
    assert connect(RedisSettings([fresh.address])).size(DIGEST) is None
    assert "WRONGTYPE" in records[0][1]


@pytest.mark.parametrize("reply", [b":x\r\n", b"$x\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"*-5\r\n"])
def test_whoever_answers_instead_breaks_no_request(connect: Connect, reply: bytes) -> None:
    def answer(listener: socket.socket) -> None:
        with listener.accept()[0] as connection:
            connection.recv(1 << 16)
            connection.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        pool.submit(answer, listener)
        assert connect(RedisSettings([f"127.0.0.1:{listener.getsockname()[1]}"])).size(DIGEST) is None


def test_a_cluster_that_is_away_is_one_warning(
    connect: Connect, refusing: Refusing, records: Records
) -> None:
    sizes = connect(RedisSettings([refusing(), refusing()]))
    assert [sizes.size(DIGEST) for _ in range(3)] == [None] * 3
    assert records.levels == ["warn"]


def test_sentinels_that_are_away_are_a_warning_of_one_line(
    connect: Connect, refusing: Refusing, records: Records
) -> None:
    addresses = [refusing() for _ in range(5)]
    assert connect(RedisSettings(addresses, master="main")).size(DIGEST) is None
    assert records.levels == ["warn"]
    assert "No master found for 'main'" in records[0][1]
    assert len(records[0][1]) < 400


def test_sentinels_that_say_nothing_hold_up_a_request_as_long_as_one(connect: Connect) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(8)]
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in silent]
        started = time.monotonic()
        assert connect(RedisSettings(addresses, master="main")).size(DIGEST) is None
        assert time.monotonic() - started < 1.5


def test_nothing_is_asked_before_the_start(server: RedisServer) -> None:
    sizes = RedisSizes(RedisSettings([server.address]))
    sizes.learn(DIGEST, 1)
    assert sizes.size(DIGEST) is None
    sizes.close()


def test_killed_and_back(connect: Connect, fresh: RedisServer, records: Records) -> None:
    sizes = connect(RedisSettings([fresh.address]))
    registry = StorageRegistry(InMemoryDriver(), sizes=sizes)
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    fresh.kill()
    for _ in range(50):
        assert registry.resolve_blob("a", DIGEST).size == len(BLOB)
    registry.delete_blob("a", DIGEST)
    registry.push_blob("b", DIGEST, io.BytesIO(BLOB))
    assert records.levels == ["warn"]
    assert records[0][1].startswith("redis is away; sizes of blobs are not cached until it is back: ")
    fresh.start()
    until(lambda: registry.resolve_blob("b", DIGEST) and sizes.size(DIGEST) == len(BLOB))
    assert records.levels == ["warn", "info"]
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("a", DIGEST)


def test_paused_it_holds_up_one_request_each_while(
    connect: Connect, fresh: RedisServer, records: Records
) -> None:
    timeout = 0.2
    sizes = connect(RedisSettings([fresh.address], answer_timeout=timeout))
    registry = StorageRegistry(InMemoryDriver(), sizes=sizes)
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    fresh.pause()
    try:
        started = time.monotonic()
        for _ in range(200):
            assert registry.resolve_blob("a", DIGEST).size == len(BLOB)
        # The first, and what a second's patience lets through should the machine be slow.
        assert time.monotonic() - started < 2 * timeout + outages.FIRST_WAIT
        assert records.levels == ["warn"]
    finally:
        fresh.resume()
    until(lambda: sizes.size(DIGEST) == len(BLOB))
    assert records.levels == ["warn", "info"]


def test_away_at_the_start_is_one_warning(connect: Connect, refusing: Refusing, records: Records) -> None:
    sizes = connect(RedisSettings([refusing()]))
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(sizes.size, [DIGEST] * 200)) == {None}
    assert records.levels == ["warn"]
    assert "Connection refused" in records[0][1]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + READY
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)  # nothing tells when a server is back


def self_signed(folder: Path) -> tuple[str, str]:
    """A certificate of 127.0.0.1 and its key."""
    certificate, key = str(folder / "certificate.pem"), str(folder / "key.pem")
    command = [
        require_tool("openssl"),
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ]
    command += ["-nodes", "-days", "2", "-subj", "/CN=udist", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return certificate, key

"""HTTP exchanges as calls, by a client that knows nothing but the proto."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

import grpc
import pytest

from tests.server.grpc.hosting import APPS, CREDIT, TIMEOUT, Host, head
from udist_plugin.wire.generated import frame_pb2

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
END = frame_pb2.End()


def test_a_small_response_is_one_message(registry: Host) -> None:
    call = registry.call()
    call.send(head=head("GET", "/v2/"), end=END)
    message = call.receive()
    assert (message.head.status, message.data, message.HasField("end")) == (200, b"{}", True)
    assert call.failure()[0] == "OK"


@pytest.mark.parametrize("size", [0, 1, CREDIT, CREDIT + 1, 5 * MIB])
@pytest.mark.parametrize("piece", [1000, MIB])
def test_a_blob_is_pushed_and_pulled(registry: Host, size: int, piece: int) -> None:
    if size > MIB:
        piece = max(piece, CREDIT)
    content = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    length = ("content-length", str(size))
    pushed = registry.exchange(
        "POST", f"/v2/demo/blobs/uploads/?digest={digest}", length, content=content, piece=piece
    )
    assert (pushed.status, pushed.fields["docker-content-digest"]) == (201, digest)
    pulled = registry.exchange("GET", f"/v2/demo/blobs/{digest}")
    assert (pulled.status, pulled.content) == (200, content)
    looked = registry.exchange("HEAD", f"/v2/demo/blobs/{digest}")
    assert (looked.status, looked.fields["content-length"], looked.content) == (200, str(size), b"")


def test_a_file_is_sent_as_it_is(apps: Host, tmp_path: Path) -> None:
    content = bytes(range(256)) * 5 * 4096
    (tmp_path / "blob").write_bytes(content)
    assert apps.exchange("GET", f"/file{tmp_path}/blob").content == content


def test_the_simplest_caller_half_closes_and_reads(apps: Host) -> None:
    call = apps.call()
    call.send(head=head("GET", f"/zeros/{20 * MIB}"), end=END)
    call.half_close()
    assert sum(len(message.data) for message in call.rpc) == 20 * MIB


def test_credit_with_the_head_spares_a_wait(apps: Host) -> None:
    """The response comes without another message of the caller, who has not half-closed."""
    call = apps.call()
    call.send(head=head("GET", f"/zeros/{5 * MIB}"), credit=5 * MIB - CREDIT, end=END)
    assert sum(len(message.data) for message in call.rpc) == 5 * MIB


def test_content_flows_both_ways_at_once(apps: Host) -> None:
    content = bytes(3 * MIB)
    answer = apps.exchange("POST", "/echo", content=content, piece=CREDIT)
    assert answer.content == content


def test_a_response_that_comes_early_ends_the_call(apps: Host) -> None:
    call = apps.call()
    call.send(head=head("PUT", "/refuse"), data=bytes(CREDIT))
    message = call.receive()
    assert (message.head.status, message.data, message.HasField("end")) == (413, b"no", True)
    assert call.failure()[0] == "OK"


def test_what_an_application_does_not_read_stays_with_the_caller(apps: Host) -> None:
    """Nothing is granted, so nothing more may come."""
    call = apps.call()
    call.send(head=head("PUT", "/count_resumed"), data=bytes(CREDIT))
    first: Future[int] = Future()
    threading.Thread(target=lambda: first.set_result(call.receive().credit)).start()
    assert apps.exchange("GET", "/stalling").status == 204
    assert not first.done()
    assert apps.exchange("GET", "/resume").status == 204
    assert first.result(TIMEOUT) >= CREDIT // 2
    call.send(end=END)
    assert apps.finish(call).content == str(CREDIT).encode()


def test_a_response_that_nobody_reads_stalls_only_itself(apps: Host) -> None:
    calls = [apps.call() for _ in range(40)]
    for call in calls:
        call.send(head=head("GET", f"/zeros/{MIB}"), end=END)
    for call in calls:
        assert call.receive().head.status == 200
    assert apps.exchange("GET", "/zeros/10").content == bytes(10)
    for call in calls:
        call.rpc.cancel()


def test_cancelling_stops_the_work(apps: Host) -> None:
    """The application's next piece of content does not go out; its slot is free."""
    for _ in range(100):  # more than there are slots
        call = apps.call()
        call.send(head=head("GET", f"/zeros/{1 << 40}"), credit=1 << 30, end=END)
        assert call.receive().head.status == 200
        call.rpc.cancel()
        assert call.failure()[0] == "CANCELLED"
    assert apps.exchange("GET", "/zeros/10").content == bytes(10)


@pytest.mark.parametrize(
    "target", ["/count", "/stall", f"/zeros/{10 * MIB}"], ids=["request", "work", "credit"]
)
def test_a_deadline_ends_any_wait(target: str) -> None:
    with Host(APPS) as apps:
        call = apps.call(timeout=0.5)
        call.send(head=head("PUT", target), data=b"some")
        assert call.failure()[0] == "DEADLINE_EXCEEDED"
        assert apps.exchange("GET", "/resume").status == 204
        assert apps.exchange("GET", "/environ").status == 200


@pytest.mark.parametrize(
    ("target", "code", "message"),
    [
        ("/fail", "INTERNAL", "the application failed"),
        ("/fail_late", "INTERNAL", "the application failed"),
        ("/string", "INTERNAL", "the application failed"),
        ("/leave", "INTERNAL", "the application failed"),
        ("/without_descriptors/late", "UNAVAILABLE", "no more descriptors"),
    ],
)
def test_a_failed_application_ends_its_call_alone(apps: Host, target: str, code: str, message: str) -> None:
    call = apps.call()
    call.send(head=head("GET", target), end=END)
    status, details, unprocessed = call.failure()
    assert (status, unprocessed) == (code, False)
    assert message in details


def test_a_file_cut_short_is_no_response(apps: Host, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(bytes(1000))
    call = apps.call()
    call.send(head=head("GET", f"/file{tmp_path}/blob?1001"), end=END)
    assert call.failure()[0] == "DATA_LOSS"


def test_a_call_beyond_the_message_limit_is_refused(apps: Host) -> None:
    call = apps.call()
    call.send(head=head("PUT", "/count"), data=bytes(2 * MIB))
    assert call.failure()[0] == "RESOURCE_EXHAUSTED"


def test_long_fields_are_no_trouble(apps: Host) -> None:
    """They would be as metadata."""
    long = "x" * 40_000
    assert f"HTTP_LONG={long}".encode() in apps.exchange("GET", "/environ", ("long", long)).content


def test_another_method_is_unimplemented(apps: Host) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        apps.unary("/plugin.GRPCBroker/StartStream")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED

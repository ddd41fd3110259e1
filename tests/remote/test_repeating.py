"""What is sent again when a transport breaks, and what is not."""

from __future__ import annotations

import io

import pytest

from tests.http_api.memory import MemoryRegistry
from tests.remote.breaking import BreakingTransport, reset, unprocessed
from tests.remote.test_verbs import DATA, Unseekable
from udist_plugin.errors import DeadlineExceeded, PluginDied, StreamReset, TransportError
from udist_plugin.http_api.app import Application
from udist_plugin.oci.digest import Digest
from udist_plugin.remote.registry import RemoteRegistry
from udist_plugin.remote.wsgi import WSGITransport

DIGEST = Digest.of(DATA)


@pytest.fixture
def store() -> MemoryRegistry:
    return MemoryRegistry()


@pytest.fixture
def transport(store: MemoryRegistry) -> BreakingTransport:
    return BreakingTransport(WSGITransport(Application(store)))


@pytest.fixture
def remote(transport: BreakingTransport) -> RemoteRegistry:
    return RemoteRegistry(transport)


def test_a_get_is_repeated_three_times_at_most(remote: RemoteRegistry, transport: BreakingTransport) -> None:
    transport.before["GET"] = [reset, reset]
    assert remote.list_repositories().items == []
    assert transport.sent == ["GET"] * 3
    transport.before["GET"] = [reset, reset, reset, reset]
    with pytest.raises(StreamReset):
        remote.list_repositories()
    assert len(transport.before["GET"]) == 1


@pytest.mark.parametrize("error", [PluginDied("gone"), DeadlineExceeded("late")])
def test_a_final_error_is_not_answered_by_another_try(
    remote: RemoteRegistry, transport: BreakingTransport, error: TransportError
) -> None:
    transport.before["GET"] = [lambda: error]
    with pytest.raises(type(error)):
        remote.list_repositories()
    assert transport.sent == ["GET"]


def test_a_post_is_repeated_only_if_it_was_never_seen(
    remote: RemoteRegistry, transport: BreakingTransport, store: MemoryRegistry
) -> None:
    transport.before["POST"] = [unprocessed]
    remote.start_upload("a")
    assert (transport.sent, len(store.uploads)) == (["POST", "POST"], 1)
    transport.after["POST"] = [reset]
    with pytest.raises(StreamReset):
        remote.start_upload("a")
    assert transport.sent == ["POST"] * 3


def test_a_broken_push_begins_anew(
    remote: RemoteRegistry, transport: BreakingTransport, store: MemoryRegistry
) -> None:
    transport.within["PUT"] = [1000]
    content = io.BytesIO(b"before" + DATA)
    content.seek(len(b"before"))
    remote.push_blob("a", DIGEST, content)
    assert transport.sent == ["POST", "PUT", "DELETE", "POST", "PUT"]
    assert not store.uploads
    assert store.blobs["a", DIGEST] == DATA


def test_content_that_cannot_be_read_again_is_not_sent_again(
    remote: RemoteRegistry, transport: BreakingTransport
) -> None:
    transport.within["PUT"] = [1000]
    with pytest.raises(StreamReset):
        remote.push_blob("a", DIGEST, Unseekable(DATA))
    assert transport.sent == ["POST", "PUT", "DELETE"]


def test_a_broken_patch_goes_on_from_the_status(
    remote: RemoteRegistry, transport: BreakingTransport, store: MemoryRegistry
) -> None:
    upload = remote.start_upload("a")
    upload.write(io.BytesIO(DATA[:500]))
    transport.within["PATCH"] = [1000]
    assert upload.write(io.BytesIO(DATA[500:])) == len(DATA)
    assert transport.sent == ["POST", "PATCH", "PATCH", "GET", "PATCH"]
    upload.commit(DIGEST)
    assert store.blobs["a", DIGEST] == DATA


def test_a_patch_whose_answer_was_lost_is_not_sent_twice(
    remote: RemoteRegistry, transport: BreakingTransport
) -> None:
    upload = remote.start_upload("a")
    transport.after["PATCH"] = [reset]
    assert upload.write(io.BytesIO(DATA)) == len(DATA)
    assert transport.sent == ["POST", "PATCH", "GET"]
    assert upload.commit(DIGEST).digest == DIGEST


def test_a_commit_whose_answer_was_lost_has_happened(
    remote: RemoteRegistry, transport: BreakingTransport
) -> None:
    upload = remote.start_upload("a")
    upload.write(io.BytesIO(DATA))
    transport.after["PUT"] = [reset]
    assert upload.commit(DIGEST).size == len(DATA)
    assert transport.sent == ["POST", "PATCH", "PUT", "PUT", "HEAD"]


def test_a_delete_whose_answer_was_lost_has_happened(
    remote: RemoteRegistry, transport: BreakingTransport, store: MemoryRegistry
) -> None:
    remote.push_blob("a", DIGEST, io.BytesIO(DATA))
    transport.after["DELETE"] = [reset]
    remote.delete_blob("a", DIGEST)
    assert not store.blobs

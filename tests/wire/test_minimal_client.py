"""A client as a stranger would write it, from PROTOCOL.md's section 13 and the proto alone.

It shares nothing with ours but the generated code: what it needs to know is what the text must say.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.scripted import scripted
from tests.vectors import generate
from tests.vectors.notation import Json, expand, message
from tests.vectors.protocol_text import hexdump
from tests.vectors.whole import UPLOAD
from udist_plugin.wire.generated import frame_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIGURATION = "version: 0.1\nlog: {level: error}\nstorage: {inmemory: {}}\n"


class MinimalClient:
    """One request at a time over the standard streams of ``command``."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        assert self.process.stdin
        assert self.process.stdout
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        os.set_blocking(self.stdin.fileno(), False)
        os.set_blocking(self.stdout.fileno(), False)
        self.unsent = b""
        self.unread = b""
        self.id = -1
        self.ready = self.going_away = False
        self.trailers: dict[str, bytes] = {}
        settings = pb.Settings(versions=[1], implementation="minimal/1", configuration=CONFIGURATION)
        self.write(pb.Frame(settings=settings))

    def write(self, frame: pb.Frame) -> None:
        message = frame.SerializeToString()
        self.unsent += b"\0" + len(message).to_bytes(4, "big") + message

    def read(self) -> pb.Frame | None:
        """A frame, once it is whole; reads and writes what there is to."""
        if frame := self.whole_frame():
            return frame
        with selectors.DefaultSelector() as selector:
            selector.register(self.stdout, selectors.EVENT_READ)
            if self.unsent:
                selector.register(self.stdin, selectors.EVENT_WRITE)
            ready = [key.fileobj for key, _ in selector.select(30)]
        assert ready, "nothing happened for 30 s"
        if self.stdin in ready:
            self.unsent = self.unsent[os.write(self.stdin.fileno(), self.unsent) :]
        if self.stdout in ready:
            data = os.read(self.stdout.fileno(), 1 << 20)
            assert data, "the plugin has closed its output"
            self.unread += data
        return self.whole_frame()

    def whole_frame(self) -> pb.Frame | None:
        assert self.unread[:1] in (b"", b"\0")
        end = 5 + int.from_bytes(self.unread[1:5], "big")
        if len(self.unread) < 5 or len(self.unread) < end:
            return None
        frame = pb.Frame.FromString(self.unread[5:end])
        self.unread = self.unread[end:]
        return frame

    def exchange(
        self, method: str, target: str, content: bytes = b"", fields: tuple[tuple[str, bytes], ...] = ()
    ) -> tuple[int, dict[str, bytes], bytes]:
        assert not self.going_away
        self.id += 2
        head = pb.Request(method=method, scheme="http", authority="localhost", target=target)
        head.fields.extend(pb.Field(name=name, value=value) for name, value in fields)
        self.write(pb.Frame(stream_id=self.id, end_stream=not content, request=head))
        sent, credit, unannounced, received = 0, 262144, 0, b""
        response: pb.Response | None = None
        ended = done = False
        while not done:
            if not ended and sent < len(content) and credit and not self.unsent:
                n = min(credit, len(content) - sent, 1048576)
                data = content[sent : sent + n]
                self.write(pb.Frame(stream_id=self.id, end_stream=sent + n == len(content), data=data))
                sent, credit = sent + n, credit - n
            frame = self.read()
            if frame is None:
                continue
            match frame.WhichOneof("body"):
                case "settings" if not self.ready and list(frame.settings.versions) == [1]:
                    self.ready = True
                case kind if not self.ready:
                    raise AssertionError(f"{kind}: {frame}")
                case "go_away":
                    self.going_away = True
                    assert self.id <= frame.go_away.last_stream_id
                case "ping" if not frame.ping.ack:
                    self.write(pb.Frame(ping=pb.Ping(token=frame.ping.token, ack=True)))
                case "ping" | "log":
                    pass
                case _ if frame.stream_id % 2 and frame.stream_id < self.id:
                    continue
                case kind if frame.stream_id != self.id:
                    raise AssertionError(f"{kind}: {frame}")
                case "window_update":
                    credit += frame.window_update.credit
                case "response" if response is None:
                    response = frame.response
                case "data" if response and not ended:
                    received += frame.data
                    unannounced += len(frame.data)
                    if unannounced >= 131072 and not frame.end_stream:
                        update = pb.WindowUpdate(credit=unannounced)
                        self.write(pb.Frame(stream_id=self.id, window_update=update))
                        unannounced = 0
                case "end" if response and not ended:
                    self.trailers = {field.name: field.value for field in frame.end.trailers}
                case "reset" if ended:
                    done = True
                case kind:
                    raise AssertionError(f"{kind}: {frame}")
            if frame.WhichOneof("body") == "end" or frame.end_stream:
                ended = True
                done = sent == len(content)
        assert response is not None
        answer = {field.name: field.value for field in response.fields}
        empty = method == "HEAD" or response.status in (204, 304)
        assert len(received) == (0 if empty else int(answer.get("content-length", len(received))))
        return response.status, answer, received

    def close(self) -> int:
        assert not self.unsent
        self.stdin.close()
        status = self.process.wait(30)
        self.stdout.close()
        return status


@pytest.fixture
def client() -> Iterator[MinimalClient]:
    client = MinimalClient(sys.executable, "-m", "udist_plugin")
    yield client
    assert client.close() == 0


def test_a_push_and_a_pull(client: MinimalClient) -> None:
    import hashlib

    blob = os.urandom(5_000_000)
    digest = "sha256:" + hashlib.sha256(blob).hexdigest()
    status, fields, _ = client.exchange("POST", "/v2/demo/blobs/uploads/")
    assert status == 202
    target = fields["location"].decode()
    target += ("&" if "?" in target else "?") + "digest=" + digest
    length = str(len(blob)).encode()
    status, _, _ = client.exchange("PUT", target, blob, (("content-length", length),))
    assert status == 201
    status, fields, content = client.exchange("GET", f"/v2/demo/blobs/{digest}")
    assert (status, fields["content-length"], content) == (200, length, blob)
    status, fields, content = client.exchange("HEAD", f"/v2/demo/blobs/{digest}")
    assert (status, fields["content-length"], content) == (200, length, b"")


def test_an_answer_before_the_content_was_wanted(client: MinimalClient) -> None:
    """A push to nowhere: the response ends first, then comes reset(OK), and the next request is answered."""
    status, _, content = client.exchange("PUT", "/v2/demo/manifests/!", bytes(20_000_000))
    assert status >= 400
    assert b"errors" in content
    assert client.exchange("GET", "/v2/")[0] == 200


def vector(name: str) -> list[Json]:
    """The steps of a conversation."""
    (found,) = (one for one in generate.load("conversations.json") if one["name"] == name)
    steps: list[Json] = found["steps"]
    return steps


def test_trailers_end_a_response() -> None:
    ready, begun, end = (expand(step["bytes"]) for step in vector("trailers") if step["from"] == "plugin")
    client = MinimalClient(*scripted(ready, begun + end))
    assert client.exchange("GET", "/v2/") == (200, {}, b"")
    assert client.trailers == {"x-checksum": b"2"}
    assert client.close() == 0


def test_the_listing_is_what_happens() -> None:
    """But for the location, for fields beside those shown, and for how much credit is granted when."""
    client = MinimalClient(sys.executable, "-m", "udist_plugin")
    location = ""
    for step in vector("push-and-pull")[1:]:
        shown = message(step["frame"])
        if step["from"] == "caller":
            if shown.HasField("request"):
                shown.request.target = shown.request.target.replace(UPLOAD, location or UPLOAD)
            client.write(shown)
            continue
        while (frame := client.read()) is None or (
            frame.HasField("window_update") and not shown.HasField("window_update")
        ):
            pass
        assert frame.WhichOneof("body") == shown.WhichOneof("body")
        assert (frame.stream_id, frame.data, frame.response.status) == (
            shown.stream_id,
            shown.data,
            shown.response.status,
        )
        fields = {field.name: field.value for field in frame.response.fields}
        assert {field.name for field in shown.response.fields} <= fields.keys()
        location = fields.get("location", location.encode()).decode()
    while client.unsent:
        client.read()
    assert client.close() == 0


def test_the_hex_dump_is_what_happens() -> None:
    said = b"".join(data for side, data in hexdump() if side == "caller")
    environment = os.environ | {"REGISTRY_STORAGE": "inmemory"}
    command = [sys.executable, "-m", "udist_plugin"]
    result = subprocess.run(
        command, input=said, capture_output=True, timeout=30, env=environment, check=False
    )
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.endswith(hexdump()[-1][1])

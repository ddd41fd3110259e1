"""An endpoint, and a registry that sends it events."""

from __future__ import annotations

import io
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.remote.serving import Answer, Asked, Served, serving
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from udist_plugin.service import RegistryApp


class Receiver:
    """Answers events with ``answers``, one each, and then with the last of them. While ``open`` is not set,
    requests wait for it."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers or [Answer(200)])
        self._lock = threading.Lock()
        self.open = threading.Event()
        self.open.set()
        self.server: Served

    def answer(self, _: Asked) -> Answer:
        assert self.open.wait(60)
        with self._lock:
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/events"

    @property
    def events(self) -> list[dict[str, Any]]:
        """All attempts."""
        return [event for asked in list(self.server.asked) for event in json.loads(asked.body)["events"]]

    @property
    def digests(self) -> list[str]:
        return [event["target"]["digest"] for event in self.events]


@contextmanager
def receiving(*answers: Answer) -> Iterator[Receiver]:
    receiver = Receiver(*answers)
    with serving(receiver.answer) as receiver.server:
        yield receiver
        receiver.open.set()


def configured(
    *endpoints: Mapping[str, object], own: Mapping[str, object] | None = None, **more: object
) -> dict[str, Any]:
    """A configuration with these endpoints; pauses are short."""
    quick = {"backoff": "10ms", "threshold": 1, "timeout": "30s"}
    return {
        "version": 0.1,
        "storage": {"inmemory": {}},
        "notifications": {"endpoints": [{**quick, **each} for each in endpoints]},
        "udist": {"notifications": dict(own or {})},
        **more,
    }


def push(app: RegistryApp, contents: Sequence[bytes]) -> list[str]:
    """Pushes blobs; their digests."""
    digests = [Digest.of(content) for content in contents]
    for digest, content in zip(digests, contents, strict=True):
        app.registry.push_blob("a", digest, io.BytesIO(content))
    return [*digests]

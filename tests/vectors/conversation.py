"""The notation of conversations: frames of both sides as they arrive, and what each leads to."""

from __future__ import annotations

from typing import Any

from tests.vectors.notation import Json, encoded, frame, notation
from tests.vectors.single import get

BOTH = ("caller", "plugin")


class Conversation:
    """Collects steps. ``sides`` are those that the conversation can be run as; with ``capability`` only by
    those who have it."""

    def __init__(
        self, name: str, about: str, sides: tuple[str, ...] = BOTH, capability: str | None = None
    ) -> None:
        self.name = name
        self.about = about
        self.sides = sides
        self.capability = capability
        self.steps: list[Json] = []

    def caller(self, value: Json, event: Any, **more: Any) -> Conversation:
        """A frame from the caller, and what the plugin makes of it."""
        return self.add("caller", value, event, **more)

    def plugin(self, value: Json, event: Any, **more: Any) -> Conversation:
        """A frame from the plugin, and what the caller makes of it."""
        return self.add("plugin", value, event, **more)

    def begun(self) -> Conversation:
        """Settings of both sides."""
        more = {"capabilities": [self.capability]} if self.capability else {}
        self.caller(frame(settings={"versions": [1]} | more), "settings")
        return self.plugin(frame(settings={"versions": [1], "max_streams": 64} | more), "settings")

    def begun_with_many(self) -> Conversation:
        """Settings of both sides, of which either knows of requests that declare their initial credit."""
        known = ["initial-credit"]
        self.caller(frame(settings={"versions": [1], "capabilities": known}), "settings")
        settings = {"versions": [1], "max_streams": 1024, "capabilities": known}
        return self.plugin(frame(settings=settings), "settings")

    def as_json(self) -> Json:
        needed = {"capability": self.capability} if self.capability else {}
        head = {"name": self.name, "about": self.about, "sides": list(self.sides)}
        return head | needed | {"steps": self.steps}

    def add(self, side: str, value: Json, event: Any, **more: Any) -> Conversation:
        """A frame from ``side``, and what the other makes of it."""
        step = {"from": side, "bytes": notation(encoded(value)), "frame": value, "event": event}
        self.steps.append(step | more)
        return self


def fatal(category: str) -> Json:
    return {"connection_error": category}


def fault(code: str) -> Json:
    return {"stream_error": code}


def put(length: int | None = None) -> dict[str, Any]:
    head = get("/v2/demo/blobs/uploads/1") | {"method": "PUT"}
    return head if length is None else head | {"fields": [["content-length", str(length)]]}

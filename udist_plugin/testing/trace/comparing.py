"""How the exchanges of a replay differ from the recorded ones, and which differences zeros explain."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from udist_plugin.testing.trace.reading import Trace
    from udist_plugin.testing.trace.replaying import Played

Verdict = Literal["same", "expected", "different"]

_REPOSITORY = re.compile(r"/v2/(.+)/(?:blobs|manifests|tags|referrers)(?:/|$)")
_MOUNTED = re.compile(r"[?&]from=([^&]*)")


class Recorded:
    """One exchange of a trace. ``reset`` is the code, whoever sent it; ``whole`` unless the caller gave the
    exchange up or opened a file, or the trace ends before it."""

    def __init__(self, method: str, target: str) -> None:
        self.method = method
        self.target = target
        self.status: int | None = None
        self.reset: str | None = None
        self.whole = False

    @property
    def repositories(self) -> set[str]:
        """Those that the request is about."""
        return {*_REPOSITORY.findall(self.target.partition("?")[0]), *_MOUNTED.findall(self.target)}

    @property
    def names_content(self) -> bool:
        """Whether the request's content has to have a digest, or to be a manifest."""
        return self.method in ("POST", "PUT", "PATCH") and (
            "digest=" in self.target or "/manifests/" in self.target
        )


class Result(NamedTuple):
    """What became of one exchange, recorded and replayed."""

    stream_id: int
    verdict: Verdict
    request: str
    recorded: str
    replayed: str

    def __str__(self) -> str:
        outcome = self.recorded if self.verdict == "same" else f"{self.recorded} -> {self.replayed}"
        return f"{self.verdict:9}  {self.stream_id:>6}  {self.request}  {outcome}"


def compared(trace: Trace, played: Mapping[int, Played]) -> list[Result]:
    """A result for each exchange of the trace, in their order."""
    missing: set[str] = set()
    results = []
    for stream_id, recorded in recorded_in(trace).items():
        stream = played[stream_id]
        verdict: Verdict = "different"
        if _same(recorded, stream):
            verdict = "same"
        elif _explained(recorded, stream, missing):
            verdict = "expected"
            missing |= recorded.repositories
        request = f"{recorded.method} {recorded.target}"
        then = _outcome(recorded.status, recorded.reset)
        now = _outcome(stream.status, stream.reset, stream.problem)
        results.append(Result(stream_id, verdict, request, then, now))
    return results


def summary(results: Sequence[Result]) -> str:
    """How many are how."""
    counts = Counter(result.verdict for result in results)
    return (
        f"{len(results)} exchanges: {counts['same']} the same, {counts['expected']} different as expected, "
        f"{counts['different']} different"
    )


def recorded_in(trace: Trace) -> dict[int, Recorded]:
    """The exchanges of a trace, by stream."""
    found: dict[int, Recorded] = {}
    over: set[int] = set()
    for line in trace.lines:
        if line.kind == "request" and line.side == "caller":
            found[line.stream_id] = Recorded(line.body["method"], line.body["target"])
        exchange = found.get(line.stream_id)
        if exchange is None or line.stream_id in over:
            continue
        if line.kind == "reset":
            code = line.body.get("code", "OK")
            exchange.whole = line.side == "plugin"
            exchange.reset = code if exchange.whole or code != "OK" else None
            over.add(line.stream_id)
        elif line.side == "plugin":
            if line.kind == "response":
                exchange.status = line.body.get("status", 0)
            if line.end_stream or line.kind == "end":
                exchange.whole = True
                over.add(line.stream_id)
    return found


def _same(recorded: Recorded, played: Played) -> bool:
    if recorded.whole:
        return (recorded.status, recorded.reset) == (played.status, played.reset) and not played.problem
    return recorded.status in (None, played.status)


def _explained(recorded: Recorded, played: Played, missing: set[str]) -> bool:
    """Whether zeros in place of content explain it: they were refused for it, or what was to be there is not.

    A mount of a blob that is not there begins an upload.
    """
    if not 200 <= (recorded.status or 0) < 400 or played.reset or played.problem:
        return False
    if recorded.names_content and played.status == 400:
        return True
    return bool(recorded.repositories & missing) and played.status in (202, 404)


def _outcome(status: int | None, reset: str | None, problem: str = "") -> str:
    parts = ("" if status is None else str(status), f"reset {reset}" if reset else "", problem)
    return ", ".join(filter(None, parts)) or "no answer"

"""``python -m udist_plugin.testing.trace``: real traces printed, and replayed against real plugins."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from udist_plugin import Plugin, RemoteRegistry, Source, pull_artifact, push_artifact
from udist_plugin.testing.trace import __main__ as program
from udist_plugin.testing.trace.reading import NotATrace, read
from udist_plugin.testing.trace.restoring import Places

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "version: 0.1\nstorage: {inmemory: {}}\n"
PLUGIN = [sys.executable, "-m", "udist_plugin"]
MISBEHAVING = [sys.executable, "-m", "udist_plugin.testing.misbehaving"]
STATEFUL = """
import os, uuid
from udist_plugin.server.stdio import serve
from udist_plugin.server.streams import take_standard_streams

states = set()

class App:
    drain_timeout, max_streams, spin, warnings = 10.0, 64, 0.0, ()

    def __call__(self, environ, start_response):
        environ["wsgi.input"].read()
        state = dict(pair.split("=") for pair in environ["QUERY_STRING"].split("&") if pair).get("_state")
        if environ["REQUEST_METHOD"] == "POST" or state in states:
            states.discard(state)
            states.add(new := f"{uuid.uuid4()}{uuid.uuid4()}")
            fields = [("Location", f"https://registry.example/up/{uuid.uuid4()}?_state={new}")]
            start_response("202 Accepted", fields + [("Content-Length", "0")])
        else:
            start_response("404 Not Found", [("Content-Length", "0")])
        return []

    def start(self, record): ...
    def warm_up(self): ...
    def wait_within(self, context): return False
    def close(self): ...

serve(*take_standard_streams(), lambda settings, log: App())
"""
"""A plugin whose uploads go on only with the state that its last answer gave, as distribution's do."""


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "trace.jsonl"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "udist.yml"
    path.write_text(CONFIG)
    return path


def run(*arguments: object) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "udist_plugin.testing.trace", *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    return ran.returncode, ran.stdout, ran.stderr


def replay(trace: Path, *command: object, timeout: float = 30) -> tuple[int, str, str]:
    return run("--replay", "--timeout", timeout, trace, "--", *command)


def verdicts(out: str) -> list[tuple[str, str]]:
    """What became of each exchange, and its method."""
    return [(line.split()[0], line.split()[2]) for line in out.splitlines()[:-1]]


def test_a_push_and_pull_printed_and_replayed(trace: Path, config: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").write_bytes(b"x" * 1_500_000)
    with Plugin(CONFIG, {}, trace=trace) as plugin:
        registry = RemoteRegistry(plugin)
        push_artifact(registry, "demo/notes", [Source.of(str(tmp_path / "notes"))], tags=["v1"])
        pull_artifact(registry, "demo/notes", "v1", str(tmp_path / "pulled"))
    code, out, err = run(trace)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == len(trace.read_text().splitlines()) + 2
    assert out.startswith("udist-python/0.1.0 started python")
    assert re.search(r"^ +\d+\.\d{6}  caller +\d+  PUT /v2/demo/notes/manifests/\S+  http://", out, re.M)
    code, out, err = replay(trace, *PLUGIN, "--config", config)
    assert (code, err) == (0, "")
    assert {verdict for verdict, _ in verdicts(out)} == {"same", "expected"}
    assert ("expected", "PUT") in verdicts(out)
    assert ("same", "POST") in verdicts(out)
    assert out.endswith(" 0 different\n")


def test_what_a_store_has_is_pulled_again(trace: Path, config: Path, tmp_path: Path) -> None:
    """And what it has not is a difference, because the trace does not push it."""
    config.write_text(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path / 'store'}}}}}\n")
    content = b"x" * 2_000_000
    blob = f"/v2/a/blobs/sha256:{hashlib.sha256(content).hexdigest()}"
    with Plugin(config, {}) as plugin:
        target = blob.replace("blobs/", "blobs/uploads/?digest=")
        with plugin.request("POST", target, body=content) as answer:
            assert answer.status == 201
    with Plugin(config, {}, trace=trace) as plugin, plugin.request("GET", blob) as answer:
        assert answer.read() == content
    code, out, _ = replay(trace, *PLUGIN, "--config", config)
    assert code == 0
    assert out.splitlines() == [
        f"same            1  GET {blob}  200",
        "1 exchanges: 1 the same, 0 different as expected, 0 different",
    ]
    config.write_text(CONFIG)
    code, out, _ = replay(trace, *PLUGIN, "--config", config)
    assert code == 1
    assert out.startswith(f"different       1  GET {blob}  200 -> 404\n")


def test_locations_are_those_of_the_plugin_that_is_there(trace: Path, tmp_path: Path) -> None:
    program = tmp_path / "stateful.py"
    program.write_text(STATEFUL)
    command = [sys.executable, str(program)]
    with Plugin(command=command, trace=trace) as plugin:
        location = "/v2/a/blobs/uploads/"
        for method in ("POST", "PATCH", "PATCH"):
            with plugin.request(method, location, body=b"x") as answer:
                assert answer.status == 202
                location = dict(answer.headers)["location"].removeprefix("https://registry.example")
        with plugin.request("PUT", location + "&digest=sha256:0", body=b"x") as answer:
            assert answer.status == 202
    assert location.rpartition("=")[2] not in trace.read_text()
    code, out, _ = replay(trace, *command)
    assert (code, verdicts(out)) == (0, [("same", method) for method in ("POST", "PATCH", "PATCH", "PUT")])


def test_a_target_keeps_what_is_not_the_locations() -> None:
    places = Places()
    places.learn("/u/1?_state=<9>", "https://b.example/u/2?_state=a%2b&x=1#f")
    assert places.restored("/u/1?digest=d&_state=<9>") == "/u/2?_state=a%2b&x=1&digest=d"
    assert places.restored("/u/10?_state=<9>&n=1&<4>") == "/u/10?n=1"
    places.learn("/u/1", "/u/3")
    assert places.restored("/u/1?digest=d") == "/u/3?digest=d"
    assert places.restored("*") == "*"


def test_an_exchange_that_was_cancelled_is_cancelled_again(trace: Path, config: Path) -> None:
    with Plugin(CONFIG, {}, trace=trace) as plugin:
        begun = plugin.request("POST", "/v2/a/blobs/uploads/")
        location = dict(begun.headers)["location"]

        def failing() -> object:
            yield b"x" * 1000
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            plugin.request("PATCH", location, body=failing())  # type: ignore[arg-type]
    code, out, _ = replay(trace, *PLUGIN, "--config", config)
    assert (code, verdicts(out)) == (0, [("same", "POST"), ("same", "PATCH")])
    assert "reset CANCELLED" in out


@pytest.mark.parametrize(
    ("kind", "timeout", "replayed"),
    [
        ("die", 30, "200 -> 200, the plugin ended: about to be killed"),
        ("mute", 2, "200 -> nothing came for 2 s"),
        ("bad-status", 2, "200 -> 99, nothing came for 2 s"),
    ],
)
def test_what_a_plugin_does_otherwise_is_told(trace: Path, kind: str, timeout: float, replayed: str) -> None:
    with Plugin(CONFIG, {}, trace=trace) as plugin, plugin.request("GET", "/v2/") as answer:
        answer.read()
    code, out, _ = replay(trace, *MISBEHAVING, kind, timeout=timeout)
    assert code == 1
    assert out.startswith(f"different       1  GET /v2/  {replayed}")


@pytest.mark.parametrize(
    ("command", "timeout", "problem"),
    [
        ([*MISBEHAVING, "exit"], 30, "the plugin ended: a last word"),
        ([*MISBEHAVING, "refuse"], 30, "it refused: storage.filesystem.rootdirectory (x): expected a path"),
        ([*MISBEHAVING, "text"], 30, "the plugin broke the protocol: a frame begins with byte 0"),
        ([*MISBEHAVING, "hang"], 0.2, "it was not ready within 0.6 s"),
        (["/nowhere/udist-plugin"], 30, "cannot start '/nowhere/udist-plugin': No such file or directory"),
    ],
)
def test_a_plugin_that_does_not_start_is_2(
    trace: Path, command: list[str], timeout: float, problem: str
) -> None:
    with Plugin(CONFIG, {}, trace=trace):
        pass
    code, out, err = replay(trace, *command, timeout=timeout)
    assert (code, out) == (2, "")
    assert problem in err


def test_one_stream_can_be_printed(trace: Path) -> None:
    with Plugin(CONFIG, {}, trace=trace) as plugin:
        for target in ("/v2/", "/v2/_catalog"):
            plugin.request("GET", target).read()
    _, out, _ = run("--stream", 3, trace)
    assert "GET /v2/_catalog" in out
    assert {line.split()[2] for line in out.splitlines()[3:-1]} == {"3"}


FIRST = '{"trace": 1, "implementation": "a/1", "program": "b", "time": "c"}\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not a trace: its first line does not say so"),
        ("GIF89a", "not a trace: its first line does not say so"),
        ('{"trace": 2}', "a trace of version 2; this program reads 1"),
        (FIRST + "{}\n{}", ":2: not a line of a trace"),
        (FIRST + '{"t": 1, "from": "caller", "frame": {"request": {}}}\n{}', ":2: not a line of a trace"),
        (FIRST + '{"t": 1, "from": "caller", "frame": {"data": -1}}\n{}', ":2: not a line of a trace"),
        (FIRST + '{"t": 1, "from": "plugin", "frame": {"end": {"trailers": [1]}}}\n{}', ":2: not a line"),
    ],
)
def test_what_is_no_trace_is_2(trace: Path, text: str, problem: str) -> None:
    trace.write_text(text)
    code, out, err = run(trace)
    assert (code, out) == (2, "")
    assert err.startswith(f"python -m udist_plugin.testing.trace: {trace}:")
    assert problem in err


@pytest.mark.parametrize(
    "frame",
    [
        {"settings": {"versions": 1}},
        {"settings": {"versions": ["1"]}},
        {"settings": {"capabilities": [1]}},
        {"request": {"method": "GET", "target": "/", "scheme": 1}},
        {"request": {"method": "GET", "target": "/", "timeout_ms": "1"}},
        {"request": {"method": "GET"}},
        {"window_update": {"credit": "1"}},
        {"reset": {"code": "NONE"}},
        {"reset": {"code": []}},
    ],
)
def test_what_could_not_be_sent_again_is_no_line(trace: Path, frame: object) -> None:
    trace.write_text(FIRST + json.dumps({"t": 1, "from": "caller", "frame": frame}) + "\n")
    with pytest.raises(NotATrace, match=":2: not a line of a trace"):
        read(str(trace))


def test_what_a_killed_caller_has_left_is_printed(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = {"t": 0.5, "from": "plugin", "frame": {"reset": {"message": "\x1b[2Jgone"}, "stream_id": 1}}
    trace.write_text(FIRST + json.dumps(line) + '\n{"t": 0.7, "fr')
    assert program.main([str(trace)]) == 0
    shown, ending = capsys.readouterr().out.splitlines()[-2:]
    assert shown == r"   0.500000  plugin       1  reset OK  message=\x1b[2Jgone"
    assert ending.startswith("The trace ends here")


@pytest.mark.parametrize("character", ["\u2028", "\x85"])
def test_only_a_line_feed_ends_a_line(
    trace: Path, capsys: pytest.CaptureFixture[str], character: str
) -> None:
    """Not every client escapes what else ends one in Unicode."""
    line = {"t": 0.5, "from": "plugin", "frame": {"reset": {"message": f"a{character}b"}, "stream_id": 1}}
    trace.write_text(FIRST + json.dumps(line, ensure_ascii=False) + "\n", encoding="utf-8")
    assert program.main([str(trace)]) == 0
    assert f"message=a{character!r}b".replace("'", "") in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--replay"], ["--", "true"], ["--replay", "--"]])
def test_a_replay_needs_a_plugin(trace: Path, arguments: list[str]) -> None:
    code, _, err = run(str(trace), *arguments)
    assert code == 2
    assert "--replay needs the command of a plugin after --" in err


@pytest.mark.parametrize("timeout", ["0", "-1", "nan", "inf", "soon"])
def test_each_wait_of_a_replay_is_bounded(trace: Path, timeout: str) -> None:
    code, _, err = run("--replay", f"--timeout={timeout}", trace, "--", "true")
    assert code == 2
    assert f"expected more than 0 and at most 600 seconds, not '{timeout}'" in err


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    program = "python -m udist_plugin.testing.trace"
    missing = tmp_path / "missing"
    assert run(missing) == (2, "", f"{program}: {missing}: No such file or directory\n")


def test_a_replay_is_of_the_whole_trace(trace: Path) -> None:
    code, _, err = run("--replay", "--stream", 1, trace, "--", "true")
    assert code == 2
    assert "--stream selects what is printed; a replay takes the whole trace" in err


def test_what_a_plugin_must_not_send_is_no_exchange(trace: Path, config: Path) -> None:
    """A trace of a plugin that broke the protocol has its frames, too."""
    get = {"method": "GET", "scheme": "http", "target": "/v2/"}
    frames = [
        {"from": "caller", "frame": {"settings": {"versions": [1]}}},
        {"from": "plugin", "frame": {"settings": {"versions": [1]}}},
        {"from": "caller", "frame": {"stream_id": 1, "end_stream": True, "request": get}},
        {"from": "plugin", "frame": {"stream_id": 1, "end_stream": True, "response": {"status": 200}}},
        {"from": "plugin", "frame": {"stream_id": 3, "end_stream": True, "request": get}},
    ]
    trace.write_text(FIRST + "".join(json.dumps({"t": 0.1} | frame) + "\n" for frame in frames))
    code, out, err = replay(trace, *PLUGIN, "--config", config)
    assert (code, verdicts(out), err) == (0, [("same", "GET")], "")


def test_content_waits_for_the_credit_that_there_is(trace: Path, config: Path) -> None:
    """The recorded plugin granted more, and sooner."""
    frames = [
        {"from": "caller", "frame": {"settings": {"versions": [1]}}},
        {"from": "plugin", "frame": {"settings": {"versions": [1]}}},
        {
            "from": "caller",
            "frame": {
                "stream_id": 1,
                "request": {"method": "PUT", "scheme": "http", "target": "/v2/a/manifests/b"},
            },
        },
        *({"from": "caller", "frame": {"stream_id": 1, "data": 1 << 20}} for _ in range(3)),
        {"from": "caller", "frame": {"stream_id": 1, "end_stream": True, "data": 0}},
        {"from": "plugin", "frame": {"stream_id": 1, "end_stream": True, "response": {"status": 400}}},
    ]
    trace.write_text(FIRST + "".join(json.dumps({"t": 0.1} | frame) + "\n" for frame in frames))
    code, out, _ = replay(trace, *PLUGIN, "--config", config)
    assert (code, verdicts(out)) == (0, [("same", "PUT")])

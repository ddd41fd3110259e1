from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.http_api.images import push_blob
from tests.http_api.wsgi import Client
from udist_plugin.errors import Cancelled
from udist_plugin.http_api.app import Application
from udist_plugin.http_api.middleware.access_log import AccessLog
from udist_plugin.server.log import LINE as LINE_OF_LOG

if TYPE_CHECKING:
    from udist_plugin.registry import Registry

LINE = re.compile(
    r'(\S+) - (\S+) \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000)\] "(.*)" (\d{3}) (\d+) "(.*)" "(.*)"'
)
"""Apache's combined log format."""


def parse(line: str) -> tuple[str, ...]:
    """Who, when, what, status, size, referrer and agent."""
    match = LINE.fullmatch(line)
    assert match, line
    return match.groups()


def test_a_long_line_keeps_what_came_of_the_request(logged: Client, lines: list[str]) -> None:
    logged.get(f"/v2/{'x' * 50_000}", referer='"' * 50_000, user_agent="\xff" * 50_000)
    assert parse(lines[0])[4] == "404"
    assert len(lines[0]) < LINE_OF_LOG


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def logged(registry: Registry, lines: list[str]) -> Client:
    return Client(AccessLog(Application(registry), lines.append))


def test_each_request_is_a_line(logged: Client, lines: list[str]) -> None:
    before = int(time.time())
    digest = push_blob(logged, "some/name", b"12345")
    lines.clear()
    assert logged.get(f"/v2/some/name/blobs/{digest}", user_agent="skopeo/1", referer="here").content
    logged.head(f"/v2/some/name/blobs/{digest}")
    missing = logged.get("/v2/_catalog?n=x")
    (who, user, when, *get), head, refused = map(parse, lines)
    assert (who, user) == ("-", "-")
    assert before <= time.mktime(time.strptime(when, "%d/%b/%Y:%H:%M:%S +0000")) - time.timezone
    assert get == [f"GET /v2/some/name/blobs/{digest} HTTP/1.1", "200", "5", "here", "skopeo/1"]
    assert head[3:] == (f"HEAD /v2/some/name/blobs/{digest} HTTP/1.1", "200", "0", "", "")
    assert refused[3:6] == ("GET /v2/_catalog?n=x HTTP/1.1", "400", str(len(missing.content)))


def test_a_listening_server_tells_who_asked(logged: Client, lines: list[str]) -> None:
    told = {"REMOTE_ADDR": "192.0.2.1", "REMOTE_USER": "ann", "REQUEST_URI": ""}
    logged.request("GET", "/v2/a%20b/tags/list?n=1", environ=told)
    assert parse(lines[0])[:2] == ("192.0.2.1", "ann")
    assert parse(lines[0])[3] == "GET /v2/a%20b/tags/list?n=1 HTTP/1.1"


def test_what_was_never_answered_is_no_line(lines: list[str]) -> None:
    def gone(*_: object) -> list[bytes]:
        raise Cancelled("the caller went away")

    with pytest.raises(Cancelled):
        Client(AccessLog(gone, lines.append)).get("/v2/")
    assert lines == []


@given(agent=st.text(st.characters(max_codepoint=255)))
def test_no_client_can_write_lines_of_its_own(agent: str) -> None:
    lines: list[str] = []

    def answer(_: object, start_response: object) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "0")])  # type: ignore[operator]
        return []

    Client(AccessLog(answer, lines.append)).get("/v2/", user_agent=agent)
    (line,) = lines
    assert line.isascii()
    assert line.isprintable()
    written = parse(line)[6]
    assert not re.search(r'(?<!\\)(\\\\)*"', written)

"""Events on their way: repeated until they are delivered, in order, and never in the way of a request."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.http_api.wsgi import Client
from tests.link.waiting import until
from tests.notifications.events import configured, push, receiving
from tests.remote.serving import Answer
from udist_plugin import create_app
from udist_plugin.notifications.queue import Rules

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOBS = [b"one", b"two", b"three"]


def without_repeats(digests: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(digests))


@pytest.mark.parametrize(
    "status", [301, 302, 303, 304, 400, 404, 429, 500, 503], ids=lambda status: str(status)
)
def test_only_2xx_counts_as_delivered(status: int) -> None:
    """The same event comes again, before all others; what a redirect leads to gets no GET."""
    elsewhere = [("location", "/elsewhere")] if status < 304 else []
    refused = Answer(status, elsewhere)
    with receiving(refused, refused, Answer(202)) as receiver:
        with create_app(configured({"url": receiver.url})) as app:
            digests = push(app, BLOBS)
        asked = receiver.server.asked
    assert receiver.digests == [digests[0], digests[0], *digests]
    assert len({event["id"] for event in receiver.events}) == 3
    assert {(each.method, each.target) for each in asked} == {("POST", "/events")}


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_that_keeps_the_method_is_followed(status: int) -> None:
    headers = {"Authorization": ["Bearer secret"], "X-Test": ["a", "b"], "User-Agent": ["mine"]}
    with receiving() as other, receiving(Answer(status, [("location", other.url)])) as receiver:
        with create_app(configured({"url": receiver.url, "headers": headers})) as app:
            push(app, BLOBS[:1])
        (first,), (second,) = receiver.server.asked, other.server.asked
    assert (first.method, second.method) == ("POST", "POST")
    assert first.body == second.body
    assert (first.headers["authorization"], first.headers["user-agent"]) == ("Bearer secret", "mine")
    assert "authorization" not in second.headers  # it is for the configured server alone
    assert second.headers["x-test"] == "a, b"


@pytest.mark.parametrize("location", ["http://[", "http://a:x/", "ftp://a/", "/\xe9", ""])
def test_a_redirect_that_leads_nowhere_is_a_failure(location: str) -> None:
    with receiving(Answer(307, [("location", location)]), Answer(200)) as receiver:
        with create_app(configured({"url": receiver.url})) as app:
            (digest,) = push(app, BLOBS[:1])
        assert receiver.digests == [digest, digest]


def test_a_login_in_the_url_is_sent() -> None:
    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "alice:p%40ss@127.0.0.1")
        with create_app(configured({"url": url})) as app:
            push(app, BLOBS[:1])
        (asked,) = receiver.server.asked
    assert asked.headers["authorization"] == "Basic YWxpY2U6cEBzcw=="


def test_pauses_grow_from_the_first_failure() -> None:
    rules = Rules(threshold=4, backoff=2.0)
    assert [rules.pause(failures) for failures in (1, 2, 3, 4, 5, 100)] == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]


def test_an_endpoint_that_is_silent_holds_up_neither_requests_nor_others() -> None:
    with receiving() as silent, receiving() as other:
        silent.open.clear()
        with create_app(configured({"url": silent.url, "timeout": "30s"}, {"url": other.url})) as app:
            digests = push(app, [b"%d" % number for number in range(200)])
            until(lambda: len(other.digests) == 200)
            assert len(silent.server.asked) == 1
            silent.open.set()
        assert silent.digests == other.digests == digests


def test_an_answer_that_is_late_is_a_failure() -> None:
    with receiving() as receiver:
        receiver.open.clear()
        with create_app(configured({"url": receiver.url, "timeout": "50ms"})) as app:
            digests = push(app, BLOBS)
            until(lambda: len(receiver.server.asked) > 2)
            receiver.open.set()
        assert without_repeats(receiver.digests) == digests


def test_when_too_many_wait_the_oldest_are_dropped_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    metrics = {"http": {"debug": {"prometheus": {"enabled": True}}}}
    with receiving() as receiver:
        receiver.open.clear()
        endpoint = {"name": "test", "url": receiver.url}
        with create_app(configured(endpoint, own={"queue": 1 << 16}, **metrics)) as app:
            digests = push(app, [b"first"])
            until(lambda: receiver.server.asked)
            digests += push(app, [b"%d" % number for number in range(500)])
            text = Client(app).get("/metrics").content.decode()
            receiver.open.set()
    delivered = receiver.digests[1:]
    dropped = len(digests) - len(delivered)
    assert 0 < len(delivered) < 500
    assert delivered == digests[-len(delivered) :]
    assert f'registry_notifications_events_total{{endpoint="test",type="Dropped"}} {dropped}.0' in text
    assert f'registry_notifications_events_total{{endpoint="test",type="Events"}} {len(digests)}.0' in text
    assert f'registry_notifications_pending_total{{endpoint="test"}} {len(delivered)}.0' in text
    messages = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert messages == [
        "notifications to test: too many events are waiting; the oldest are dropped",
        f"notifications to test: {dropped} events were dropped meanwhile",
    ]


def test_statuses_are_counted() -> None:
    metrics = {"http": {"debug": {"prometheus": {"enabled": True}}}}
    with (
        receiving(Answer(500), Answer(204)) as receiver,
        create_app(configured({"name": "test", "url": receiver.url}, **metrics)) as app,
    ):
        push(app, BLOBS)
        client = Client(app)
        until(lambda: 'type="Successes"} 3.0' in client.get("/metrics").content.decode())
        text = client.get("/metrics").content.decode()
    for code in ("500 Internal Server Error", "204 No Content"):
        assert f'registry_notifications_status_total{{code="{code}",endpoint="test"}}' in text
    assert 'registry_notifications_events_total{endpoint="test",type="Failures"} 1.0' in text
    assert 'registry_notifications_pending_total{endpoint="test"} 0.0' in text


def test_what_cannot_be_sent_by_the_end_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    dead = {"name": "dead", "url": "http://127.0.0.1:1/"}
    with create_app(configured(dead, http={"draintimeout": "200ms"})) as app:
        push(app, BLOBS)
    first, *_, last = [record.message for record in caplog.records]
    assert first.startswith(
        "notifications to dead: attempt 1 failed: http://127.0.0.1:1: Connection refused; the"
    )
    assert last == "notifications to dead: 3 events were not sent: lost"


def test_closing_does_not_wait_for_a_silent_endpoint(caplog: pytest.LogCaptureFixture) -> None:
    with receiving() as receiver:
        receiver.open.clear()
        endpoint = {"name": "silent", "url": receiver.url, "timeout": "60s"}
        with create_app(configured(endpoint, http={"draintimeout": "200ms"})) as app:
            push(app, BLOBS)
            until(lambda: receiver.server.asked)
    assert caplog.records[-1].message == "notifications to silent: 3 events were not sent: lost"


def test_ignored_endpoints_and_events() -> None:
    with receiving() as receiver:
        ignoring = {"url": receiver.url, "ignore": {"actions": ["push"]}}
        with create_app(configured(ignoring, {"url": receiver.url, "disabled": True})) as app:
            (digest,) = push(app, BLOBS[:1])
            app.registry.delete_blob("a", digest)
    assert [event["action"] for event in receiver.events] == ["delete"]


def test_a_callback_gets_each_event_and_again_what_it_failed_at(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[dict[str, Any]] = []

    def callback(event: dict[str, Any]) -> None:
        seen.append(event)
        if len(seen) == 1:
            raise ValueError("not yet")

    with create_app({"storage": {"inmemory": {}}}, on_event=callback) as app:
        digests = push(app, BLOBS)
    assert [event["target"]["digest"] for event in seen] == [digests[0], *digests]
    assert seen[0] == seen[1]
    assert "notifications to on_event: attempt 1 failed: ValueError: not yet" in caplog.text


def test_events_outside_of_requests_name_no_host() -> None:
    host = {"host": "https://a.example/x"}
    with receiving() as receiver, create_app(configured({"url": receiver.url}, http=host)) as app:
        (digest,) = push(app, BLOBS[:1])
    (event,) = receiver.events
    assert event["target"]["url"] == f"https://a.example/x/v2/a/blobs/{digest}"
    assert set(event["request"]) == {"id", "method", "useragent"}


def test_relative_urls_and_the_user() -> None:
    relative = {"relativeurls": True}
    with receiving() as receiver, create_app(configured({"url": receiver.url}, http=relative)) as app:
        (digest,) = push(app, BLOBS[:1])
        client = Client(app, {"HTTP_HOST": "a.example", "REMOTE_USER": "alice", "SCRIPT_NAME": "/x"})
        assert client.get(f"/v2/a/blobs/{digest}").status == 200
    _, pull = receiver.events
    assert pull["target"]["url"] == f"/x/v2/a/blobs/{digest}"
    assert pull["actor"] == {"name": "alice"}
    assert json.dumps(pull).count("a.example") == 1


@pytest.mark.parametrize(
    ("native", "name"),
    [("J\u00c3\u00bcrgen", "J\u00fcrgen"), ("J\u00fcrgen", "J\u00fcrgen"), ("\u96ea", "\u96ea")],
    ids=["UTF-8", "ISO-8859-1", "text"],
)
def test_an_actor_beyond_ascii(native: str, name: str) -> None:
    """Servers give the first (PEP 3333), some middleware the others."""
    told: list[dict[str, Any]] = []
    with create_app(configured(), on_event=told.append) as app:
        (digest,) = push(app, BLOBS[:1])
        assert Client(app, {"REMOTE_USER": native}).get(f"/v2/a/blobs/{digest}").status == 200
        agent = Client(app, {"HTTP_USER_AGENT": native})
        assert agent.get(f"/v2/a/blobs/{digest}").status == 200
    assert told[-2]["actor"] == {"name": name}
    assert told[-1]["request"]["useragent"] == name


@pytest.mark.parametrize("name", ["HTTP_X_FORWARDED_FOR", "HTTP_HOST", "HTTP_USER_AGENT", "REMOTE_USER"])
def test_what_a_request_can_make_longer_counts(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """However long an address's zone is, what waits stays within the queue's bytes."""
    value = "fe80::1%" + "z" * (8 << 10)
    own = {"queue": 64 << 10}
    with receiving() as receiver:
        receiver.open.clear()
        with create_app(configured({"url": receiver.url}, own=own)) as app:
            (digest,) = push(app, BLOBS[:1])
            for _ in range(10):
                assert Client(app, {name: value}).get(f"/v2/a/blobs/{digest}").status == 200
            receiver.open.set()
    assert "the oldest are dropped" in caplog.text


def test_what_was_dropped_is_told_at_the_end_as_well(caplog: pytest.LogCaptureFixture) -> None:
    endpoint, own = {"url": "http://127.0.0.1:1/", "name": "a"}, {"queue": 64 << 10}
    settings = configured(endpoint, own=own, http={"draintimeout": "10ms"})
    with create_app(settings) as app:
        push(app, [b"%d" % number for number in range(100)])
    told = re.findall(r"notifications to a: (\d+) events were (dropped|not sent)", caplog.text)
    assert [what for _, what in told] == ["dropped", "not sent"]
    assert sum(int(number) for number, _ in told) == 100

"""``log.hooks``: what a mail server receives, and what happens when there is none."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.forked import forked
from tests.http_api.wsgi import Client
from tests.mail.server import PASSWORD, USER, mailbox
from tests.remote.identity import Identity
from udist_plugin import Plugin, create_app
from udist_plugin.mail import QUEUED, Hook, Mailer, Server
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    import ssl


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def context(identity: Identity) -> ssl.SSLContext:
    """A server's TLS, by an authority that nobody knows."""
    return identity.server()


def configured(port: int, *levels: str, host: str = "127.0.0.1", **smtp: object) -> dict[str, Any]:
    """A configuration with one hook; an unknown key makes it warn."""
    options = {
        "smtp": {"addr": f"{host}:{port}", **smtp},
        "from": "registry@example.com",
        "to": ["a@example.com", "b@example.com"],
    }
    hook = {"type": "mail", "levels": list(levels), "options": options}
    log = {"fields": {"service": "tests"}, "hooks": [hook]}
    return {"version": 0.1, "storage": {"inmemory": {}}, "log": log, "http": {"hsot": "x"}}


def test_a_record_is_sent_to_all_recipients() -> None:
    with mailbox() as box:
        create_app(configured(box.port, "warning")).close()
    (mail,) = box.messages
    told = "http.hsot (configuration): unknown key, ignored; did you mean http.host?"
    assert mail["Subject"] == f"[warning] 127.0.0.1: {told}"
    assert (mail["From"], mail["To"]) == ("registry@example.com", "a@example.com, b@example.com")
    assert mail["Date"]
    assert mail["Message-ID"].endswith("@example.com>")
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines() == [told, "", "service: tests"]
    assert box.recipients == [["a@example.com", "b@example.com"]]
    assert (box.encrypted, box.logins) == ([False], [False])


def test_an_unexpected_exception_is_a_panic(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("b\u00f6om")

    monkeypatch.setattr(StorageRegistry, "open_manifest", crash)
    with mailbox() as box, create_app(configured(box.port, "panic")) as app:
        answer = Client(app).get("/v2/a/manifests/v1")
        assert box.arrived.acquire(timeout=60)
    assert answer.status == 500
    assert "RuntimeError: b\u00f6om" in answer.log
    (mail,) = box.messages
    assert "GET '/v2/a/manifests/v1': Traceback (most recent call last):" in mail.get_content()
    assert mail["Subject"] == "[panic] 127.0.0.1: RuntimeError: b\u00f6om"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # what is tried here
def test_a_forked_worker_sends_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(StorageRegistry, "open_manifest", crash)
    with mailbox() as box, create_app(configured(box.port, "panic")) as app:

        def work() -> None:
            assert Client(app).get("/v2/a/manifests/v1").status == 500
            app.close()

        forked(work)
    assert len(box.messages) == 1


def test_levels_below_that_of_the_log_send_nothing() -> None:
    with mailbox() as box:
        quiet = configured(box.port, "warn", "info", "debug")
        create_app({**quiet, "log": {**quiet["log"], "level": "error"}}).close()
    assert box.messages == []


@pytest.mark.parametrize("trust", ["known", "insecure"])
def test_tls_and_the_log_in(
    trust: str, context: ssl.SSLContext, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trust == "known":
        monkeypatch.setenv("SSL_CERT_FILE", str(identity.folder / "ca.crt"))
    login: dict[str, Any] = {"username": USER.decode(), "password": PASSWORD.decode()}
    login |= {"insecure": trust == "insecure"}
    with mailbox(context, login=True) as box:
        create_app(configured(box.port, "warning", **login)).close()
    assert (box.encrypted, box.logins) == ([True], [True])


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "log.hooks" in record.getMessage()]


def test_a_certificate_that_nobody_signed(context: ssl.SSLContext, caplog: pytest.LogCaptureFixture) -> None:
    with mailbox(context) as box:
        create_app(configured(box.port, "warning")).close()
    assert box.messages == []
    (message,) = warned(caplog)
    assert message.startswith(f"log.hooks: cannot send mail by 127.0.0.1:{box.port}: ")
    assert "CERTIFICATE_VERIFY_FAILED" in message


def test_a_wrong_password_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with mailbox(plain=True) as box:
        create_app(configured(box.port, "warning", username="registry", password="not the one")).close()
    assert box.messages == []
    (message,) = warned(caplog)
    assert "535" in message
    assert "not the one" not in message


def test_no_password_leaves_the_machine_in_the_clear(caplog: pytest.LogCaptureFixture) -> None:
    """Another address of this machine stands for another machine."""
    login = {"username": USER.decode(), "password": PASSWORD.decode()}
    with mailbox(plain=True, host="127.0.0.2") as box:
        create_app(configured(box.port, "warning", host="127.0.0.2", **login)).close()
        assert (box.messages, len(warned(caplog))) == ([], 1)
        create_app(configured(box.port, "warning", host="127.0.0.2", insecure=True, **login)).close()
        assert len(box.messages) == 1


def test_a_recipient_who_is_refused_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with mailbox(refused="b@example.com") as box:
        create_app(configured(box.port, "warning")).close()
    assert box.recipients == [["a@example.com"]]
    (message,) = warned(caplog)
    assert "b@example.com" in message


def test_nobody_waits_for_a_server_that_says_nothing() -> None:
    """Its queue is bounded, and closing is, too; what was not sent is counted."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hook = Hook({"error"}, Server("127.0.0.1", silent.getsockname()[1]), "a@example", ["b@example"])
        told: list[tuple[str, str]] = []
        mailer = Mailer([hook], {}, drain=0.1)
        record = mailer.watch(lambda level, message: told.append((level, message)))
        mailer.start(record)
        record("error", "first")
        connection, _ = silent.accept()  # from now on the thread waits for a greeting
        for number in range(QUEUED + 5):
            record("error", str(number))
        mailer.close()
        assert told[-1] == ("warn", f"log.hooks: {QUEUED + 5} messages were not sent")
        connection.close()


def test_a_text_with_line_ends_adds_no_field() -> None:
    with mailbox() as box:
        hook = Hook({"error"}, Server("127.0.0.1", box.port), "a@example", ["b@example"])
        mailer = Mailer([hook], {}, drain=60)
        mailer.start(mailer.watch(lambda _level, _message: None))
        mailer.send("error", "one\r\nBcc: c@example\r\n\r\n.\r\ntwo")
        mailer.close()
    (mail,) = box.messages
    assert mail["Subject"] == "[error] 127.0.0.1: one"
    assert mail["Bcc"] is None
    assert box.recipients == [["b@example"]]


def test_a_plugin_sends_it_too() -> None:
    with mailbox() as box, Plugin(json.dumps(configured(box.port, "warning"))):
        assert box.arrived.acquire(timeout=60)
    assert [mail["Subject"][:20] for mail in box.messages] == ["[warning] 127.0.0.1:"]

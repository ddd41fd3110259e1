"""The sections ``redis`` and ``health``: what cannot work is refused, alone or together."""

from __future__ import annotations

import pytest

from tests.config.files import configured, problems


def test_an_address_of_redis_has_a_number_for_a_port() -> None:
    for address in ("a:port", "a:1:2", "a:", "[::1", "http://a:1/", "a:999999", ""):
        assert problems(f"redis: {{addrs: ['{address}']}}")
    for address in (
        "a",
        "a:1",
        ":6379",
        "127.0.0.1:6379",
        "[::1]:6379",
        "[fe80::1%eth0]:1",
        "/run/redis.sock",
    ):
        assert problems(f"redis: {{addrs: ['{address}']}}") == []


def test_zero_is_the_default_of_health_as_in_distribution() -> None:
    zeros = "interval: 0, threshold: 0"
    configuration = configured(
        f"health: {{storagedriver: {{{zeros}}}, file: [{{file: /a, {zeros}}}], "
        "tcp: [{addr: 'a:1', timeout: 0s}], "
        f"http: [{{uri: 'http://a', statuscode: 0, timeout: 0, {zeros}}}]}}"
    )
    assert (
        configuration.health
        == configured(
            "health: {storagedriver: {}, file: [{file: /a}], tcp: [{addr: 'a:1'}], http: [{uri: 'http://a'}]}"
        ).health
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tcp: [{addr: localhost}]", "health.tcp.0.addr (config.yml:2): expected a host and a port such as"),
        (
            "file: [{file: /a}, {file: /b}, {file: /a}]",
            "health.file.file (config.yml:2): expected a single check of /a",
        ),
        (
            "http: [{uri: 'http://a:b@c/'}, {uri: 'http://c:d@c/'}]",
            "health.http.uri (config.yml:2): expected a single check of http://******@c/",
        ),
    ],
)
def test_checks_that_could_never_pass_or_be_told_apart_are_refused(text: str, problem: str) -> None:
    (found,) = problems(f"health: {{{text}}}")
    assert found.startswith(problem)


def test_checks_are_so_many_that_each_can_have_a_thread() -> None:
    files = ", ".join(f"{{file: /{number}}}" for number in range(65))
    assert problems(f"health: {{file: [{files}]}}") == [
        "health (config.yml:2): expected at most 64 checks, not 65"
    ]


def test_the_key_of_a_certificate_needs_the_certificate() -> None:
    assert problems("redis: {addrs: [a], tls: {key: /k.pem}}") == [
        "redis.tls.key (config.yml:2): expected redis.tls.certificate beside it"
    ]

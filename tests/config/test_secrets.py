"""What is written of a configuration, right or wrong, shows no secret of it."""

from __future__ import annotations

import pytest

from tests.config.files import configured, problems


@pytest.mark.parametrize(
    "text",
    [
        "redis: redis://:s3cret@redis:6379",
        "redis: {addrs: ['redis://:s3/cret@redis:6379']}",
        "redis: {addrs: ['me:s3cret@redis:6379']}",
        "redis: {tls: {rootcas: {a: b}}, addrs: ['redis'], password: [s3cret]}",
        "storage: {azure: {container: c, credentials: s3cret}}",
        "storage: {gcs: {bucket: b, credentials: s3cret}}",
        "http: {host: 'https://me:s3cret@registry'}",
        "health: {http: [{uri: 'http://h/', headers: {Authorization: Bearer s3cret}}]}",
        "health: {http: [{uri: 'http://h/', headers: s3cret}]}",
        "health: s3cret",
        "health: {http: [{uri: 'http://h/?token=s3cret'}, {uri: 'http://h/?token=s3cret'}]}",
        "health: {http: [{uri: 'ftp://h/?s3cret'}]}",
        "http: {host: 'https://registry/?token=s3cret'}",
        "redis:\n  password: !s3cret!more",
    ],
)
def test_no_error_shows_a_secret(text: str) -> None:
    found = problems(text)
    assert found
    assert "s3cret" not in " ".join(found)


def test_what_python_shows_of_a_configuration_is_no_secret() -> None:
    configuration = configured(
        "storage: {s3: {bucket: b, secretkey: s3cret}}\nredis: {addrs: [a], password: s3cret}\n"
        "health: {http: [{uri: 'http://a', headers: {Authorization: [s3cret]}}]}"
    )
    assert "s3cret" not in repr(configuration)
    assert repr(configuration.storage.delete) == "Delete(enabled)"

"""URLs for redirects: fetched from Swift itself by who has no token."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.drivers.swift.server import OTHER
from udist_plugin.drivers.swift.settings import settings
from udist_plugin.drivers.swift.store import SwiftStore

if TYPE_CHECKING:
    from tests.drivers.swift.account import Account

CHUNK = 1000
FIELD = "x-container-meta-temp-url-key"


def store(parameters: dict[str, object], **more: object) -> SwiftStore:
    return SwiftStore(settings({**parameters, "chunksize": CHUNK, **more})[0])


def key(container: Account) -> str | None:
    found: str | None = container.library.head_container(container.name).get(FIELD)
    return found


@pytest.mark.parametrize("size", [10, 2500])
def test_an_object_is_had_without_a_token(
    size: int, parameters: dict[str, object], container: Account
) -> None:
    signing = store(parameters, secretkey="secret")
    writer = signing.writer("files/a")
    writer.write(b"x" * size)
    writer.commit()
    url = signing.url_for("files/a")
    assert url is not None
    assert "temp_url_expires" in parse_qs(urlsplit(url).query)
    assert requests.get(url, timeout=30).content == b"x" * size
    assert requests.get(url.partition("?")[0], timeout=30).status_code == 401
    assert key(container) == "secret"


def test_without_a_key_the_container_s_own_signs(parameters: dict[str, object], container: Account) -> None:
    """distribution makes one up; another registry may be using it."""
    store(parameters).put("a", b"x")
    assert store(parameters).url_for("a") is None
    assert key(container) is None
    container.library.post_container(container.name, {FIELD: "theirs"})
    url = store(parameters).url_for("a")
    assert url is not None
    assert requests.get(url, timeout=30).content == b"x"


def test_the_signature_begins_with_the_access_key(parameters: dict[str, object]) -> None:
    url = store(parameters, secretkey="secret", accesskey="access", tenantid="project").url_for("a")
    assert url is not None
    (signature,) = parse_qs(urlsplit(url).query)["temp_url_sig"]
    assert signature.startswith("project:access:")


def test_content_comes_through_the_plugin_where_the_key_cannot_be_set(
    parameters: dict[str, object], container: Account
) -> None:
    assert store({**parameters, "username": OTHER}, secretkey="secret").url_for("a") is None
    assert key(container) is None

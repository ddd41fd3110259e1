"""``udist.accesscontrol``: who may do what in which repositories."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import bcrypt
import pytest

from tests.http_api.images import CONFIG, image
from tests.http_api.wsgi import Answer, Client
from udist_plugin import create_app
from udist_plugin.errors import ConfigurationError
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = image(layers=[])
DIGEST = Digest.of(IMAGE)
RULES: dict[str, Any] = {
    "groups": {"builders": {"users": ["bob"]}},
    "repositories": {
        "**": {"defaultpolicy": ["read"]},
        "team/**": {
            "policies": [
                {"users": ["alice"], "actions": ["read", "create", "update", "delete"]},
                {"groups": ["builders"], "actions": ["read", "create"]},
            ]
        },
        "secret/*": {},
        "team/public/*": {"anonymouspolicy": ["read"], "defaultpolicy": ["read"]},
    },
    "adminpolicy": {"users": ["root"], "actions": ["read", "create", "update", "delete"]},
}
USERS = ("alice", "bob", "carol", "root")


def configuration(folder: Path, rules: dict[str, Any]) -> dict[str, Any]:
    path = folder / "htpasswd"
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    path.write_text("".join(f"{user}:{hashed}\n" for user in USERS))
    return {
        "version": "0.1",
        "storage": {"inmemory": {}},
        "auth": {"htpasswd": {"realm": "r", "path": str(path)}},
        "udist": {"accesscontrol": rules},
    }


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with create_app(configuration(tmp_path, RULES)) as app:
        client = Client(app)
        for name in ("team/app", "team/public/app", "team/public/deep/app", "other"):
            assert push(client, "root", name, "v1") == 201
        yield client


def ask(client: Client, user: str, method: str, target: str, content: bytes = b"", **fields: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    if user:
        named["Authorization"] = "Basic " + base64.b64encode(f"{user}:secret".encode()).decode()
    return client.request(method, target, named, content)


def push(client: Client, user: str, name: str, tag: str) -> int:
    blob = ask(client, user, "POST", f"/v2/{name}/blobs/uploads/?digest={Digest.of(CONFIG)}", CONFIG)
    if blob.status != 201:
        return blob.status
    return ask(client, user, "PUT", f"/v2/{name}/manifests/{tag}", IMAGE, content_type=OCI_MANIFEST).status


@pytest.mark.parametrize(
    ("user", "name", "status"),
    [
        ("", "other", 401),
        ("", "team/app", 401),
        ("", "team/public/app", 200),
        ("", "team/public/deep/app", 401),
        ("carol", "other", 200),
        ("carol", "team/app", 403),
        ("carol", "team/public/app", 200),
        ("bob", "team/app", 200),
        ("alice", "team/public/app", 200),
        ("alice", "team/public/deep/app", 200),
        ("root", "team/app", 200),
    ],
)
def test_who_reads(client: Client, user: str, name: str, status: int) -> None:
    for target in (f"manifests/{DIGEST}", f"blobs/{Digest.of(CONFIG)}", "tags/list", f"referrers/{DIGEST}"):
        for method in ("GET", "HEAD"):
            answer = ask(client, user, method, f"/v2/{name}/{target}", accept=OCI_MANIFEST)
            assert answer.status == status, target
    if status == 403:
        error = ask(client, user, "GET", f"/v2/{name}/tags/list").json()["errors"][0]
        assert (error["code"], error["detail"][0]["Action"]) == ("DENIED", "read")


def test_to_create_is_not_to_update_or_delete(client: Client) -> None:
    assert push(client, "bob", "team/app", "v2") == 201
    assert push(client, "bob", "team/app", "v2") == 403
    assert push(client, "bob", "team/app", f"{DIGEST}?tag=v3") == 201
    assert push(client, "bob", "team/app", f"{DIGEST}?tag=v4&tag=v3") == 403
    assert push(client, "alice", "team/app", "v2") == 201
    target = f"/v2/team/app/manifests/{DIGEST}"
    assert ask(client, "bob", "DELETE", target).status == 403
    assert ask(client, "alice", "DELETE", target).status == 202
    assert push(client, "carol", "other", "v2") == 403
    assert push(client, "", "team/public/app", "v2") == 401


def test_an_upload_is_cancelled_by_who_may_create(client: Client) -> None:
    location = ask(client, "bob", "POST", "/v2/team/app/blobs/uploads/").field("location")
    assert ask(client, "carol", "DELETE", location).status == 403
    assert ask(client, "bob", "DELETE", location).status == 204


def test_a_mount_reads_its_source(client: Client) -> None:
    digest = Digest.of(b"secret")
    uploads = f"/v2/secret/app/blobs/uploads/?digest={digest}"
    assert ask(client, "root", "POST", uploads, b"secret").status == 201
    mount = f"/v2/team/app/blobs/uploads/?mount={digest}&from=secret/app"
    refused = ask(client, "alice", "POST", mount)
    assert refused.status == 403
    (detail,) = refused.json()["errors"][0]["detail"]
    assert (detail["Name"], detail["Action"]) == ("secret/app", "read")
    assert ask(client, "root", "POST", mount).status == 201


def test_a_blob_is_not_mounted_from_anywhere(client: Client) -> None:
    digest = Digest.of(b"hidden")
    uploads = f"/v2/team/app/blobs/uploads/?digest={digest}"
    assert ask(client, "alice", "POST", uploads, b"hidden").status == 201
    assert ask(client, "root", "POST", f"/v2/other/blobs/uploads/?mount={digest}").status == 202
    assert ask(client, "root", "POST", f"/v2/other/blobs/uploads/?mount={digest}&from=").status == 202


def test_the_catalog_is_of_the_admins(client: Client) -> None:
    assert [ask(client, user, "GET", "/v2/_catalog").status for user in ("", "alice", "root")] == [
        401,
        403,
        200,
    ]


def test_the_base_tells_how_to_log_in_and_lets_everyone_in(client: Client) -> None:
    """containers/image reads a challenge beside 200, and sends an empty pair where it has no login."""
    for fields in ({}, {"authorization": "Basic " + base64.b64encode(b":").decode()}):
        answer = client.get("/v2/", **fields)
        assert (answer.status, answer.field("www-authenticate")) == (200, 'Basic realm="r"')
        assert client.get("/v2/team/public/app/tags/list", **fields).status == 200
    assert client.get("/v2/", authorization="Basic " + base64.b64encode(b"alice:x").decode()).status == 401


def test_without_anonymous_policies_the_base_is_guarded(tmp_path: Path) -> None:
    rules = {"repositories": {"**": {"defaultpolicy": ["read"]}}}
    with create_app(configuration(tmp_path, rules)) as app:
        assert Client(app).get("/v2/").status == 401


def test_users_have_to_be_known_somehow(tmp_path: Path) -> None:
    document = configuration(tmp_path, RULES)
    del document["auth"]
    with pytest.raises(ConfigurationError, match="expected auth") as raised:
        create_app(document)
    assert raised.value.key == "udist.accesscontrol"


def test_patterns_are_globs(tmp_path: Path) -> None:
    rules = {"repositories": {"{red,blue}/*": {"defaultpolicy": ["read"]}, "[x-z]": {}}}
    with create_app(configuration(tmp_path, rules)) as app:
        client = Client(app)
        for name, status in ("red/a", 404), ("green/a", 403), ("red/a/b", 403):
            assert ask(client, "alice", "GET", f"/v2/{name}/tags/list").status == status


def test_a_pattern_that_is_no_glob_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"a \{ without \}") as raised:
        create_app(configuration(tmp_path, {"repositories": {"{red": {}}}))
    assert raised.value.key == "udist.accesscontrol.repositories.{red"


def test_the_extension_is_for_admins(tmp_path: Path) -> None:
    settings = configuration(tmp_path, RULES)
    settings["udist"]["extensions"] = {"gc": True, "leases": True}
    with create_app(settings) as app:
        client = Client(app)
        for method, target in (("GET", "/v2/_udist/leases"), ("POST", "/v2/_udist/gc")):
            statuses = [ask(client, user, method, target).status for user in ("", "alice", "root")]
            assert statuses == [401, 403, 200], target

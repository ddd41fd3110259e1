"""Commands that look at images, and ``rm``, on registries, layouts and archives, too."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint, EntryPoints
from typing import TYPE_CHECKING, Any

import pytest

from tests.images.sample import blobs_of, entries_of
from tests.remote.serving import Answer, Asked, serving
from tests.tools import run_tool
from udist_plugin.cli.running import run as run_command
from udist_plugin.images import transports
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_CONFIG, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran
    from tests.images.sample import Layout

    Udist = Callable[..., Ran]

POINT = EntryPoint("other", "udist_plugin.images.layout.transport:LayoutTransport", transports.GROUP)
CONFIG = {
    "os": "linux",
    "architecture": "arm64",
    "variant": "v8",
    "created": "2024-05-01T00:00:00Z",
    "config": {
        "User": "web",
        "Entrypoint": ["/bin/sh", "-c", "echo \x1b[2J"],
        "Env": ["PATH=/bin", "A=b"],
        "ExposedPorts": {"80/tcp": {}},
        "Labels": {"org.example": "one"},
    },
    "rootfs": {"type": "layers", "diff_ids": []},
}


def described(layout: Layout, config: object = CONFIG) -> dict[str, Any]:
    """An image called ``v1`` with ``config``; its descriptor."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": layout.blob(json.dumps(config).encode(), OCI_CONFIG),
        "layers": [],
    }
    found = layout.blob(json.dumps(manifest).encode(), OCI_MANIFEST)
    layout.add(found, "v1")
    return found


@pytest.fixture
def places(udist: Udist, layout: Layout, stock: str) -> list[str]:
    """One image at every kind of place."""
    described(layout)
    found = [
        "demo/app:v1",
        "udist:demo/app:v1",
        f"docker://{stock}/demo/app:v1",
        "oci:layout:v1",
        "oci-archive:oci.tar:v1",
        "docker-archive:docker.tar:demo/app:v1",
        "dir:folder2",
    ]
    for place in found[1:3] + found[4:]:
        assert udist("copy", "oci:layout", place).code == 0
    return found


def test_inspect_says_the_same_everywhere(udist: Udist, layout: Layout, places: list[str]) -> None:
    digest = layout.entries[0]["digest"]
    raw = layout.path(digest).read_text()
    for place in places:
        ran = udist("inspect", place)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.splitlines()[:3] == [
            f"Reference:    {place}",
            f"Digest:       {digest}",
            f"Media type:   {OCI_MANIFEST}",
        ]
        assert "Platform:     linux/arm64/v8\n" in ran.out
        assert udist("inspect", place, "--raw") == (0, raw, "")
        assert udist("inspect", place, "--image-config") == (0, json.dumps(CONFIG), "")
        shown = json.loads(udist("inspect", place, "--json").out)
        assert (shown["reference"], shown["digest"], shown["config"]) == (place, digest, CONFIG)


def test_the_digest_is_the_same_everywhere(udist: Udist, layout: Layout, places: list[str]) -> None:
    told = {key: layout.entries[0][key] for key in ("mediaType", "digest", "size")}
    for place in places:
        assert udist("digest", place) == (0, f"{told['digest']}\n", "")
        assert json.loads(udist("digest", place, "--json").out) == {"reference": place, **told}
    assert udist("digest", "oci:layout:v2").code == udist("digest", "demo/app:v2").code == 3


def test_a_registry_is_asked_for_the_digest_alone() -> None:
    """Which Docker Hub does not count as a pull."""
    asked: list[str] = []
    digest = Digest.of(b"manifest")

    def answer(request: Asked) -> Answer:
        asked.append(request.method)
        fields = [("docker-content-digest", digest), ("content-type", OCI_MANIFEST), ("content-length", "8")]
        return Answer(200, fields)

    with serving(answer) as served:
        assert run_command(["digest", f"docker://127.0.0.1:{served.port}/demo:v1"]) == 0
    assert [method for method in asked if method != "GET"] == ["HEAD"]


def test_the_digest_of_a_platform(udist: Udist, layout: Layout) -> None:
    children = [layout.image(platform=f"linux/{each}", listed=False) for each in ("amd64", "arm64")]
    index = layout.image_index("v1", *children)
    assert udist("digest", "oci:layout").out == f"{index['digest']}\n"
    assert udist("digest", "oci:layout", "--platform", "linux/arm64").out == f"{children[1]['digest']}\n"


@pytest.mark.parametrize("stock", ["registry", "docker-registry"], indirect=True)
def test_referrers_are_the_same_everywhere(udist: Udist, layout: Layout, stock: str) -> None:
    """By the API, by the tag where a registry has none, and in a layout."""
    image = layout.image("v1")
    signature, _ = layout.referrer(image, b"one"), layout.referrer(image, b"two")
    assert udist("sync", "oci:layout", "udist:demo/app", "--referrers").code == 0
    assert udist("sync", "oci:layout", f"docker://{stock}/demo/app", "--referrers").code == 0
    found = []
    for place in (
        "demo/app:v1",
        f"docker://{stock}/demo/app:v1",
        "oci:layout:v1",
        f"demo/app@{image['digest']}",
    ):
        ran = udist("referrers", place, "--json")
        assert (ran.code, ran.err) == (0, "")
        found.append({each["digest"] for each in json.loads(ran.out)["manifests"]})
        assert udist("referrers", place, "--artifact-type", "text/html") == (0, "", "")
        assert signature["digest"] in udist("referrers", place, "--artifact-type", "text/plain").out
    assert len(found[0]) == 2
    assert found == [found[0]] * 4


def test_a_reference_means_the_same_to_every_command(udist: Udist, layout: Layout) -> None:
    """A repository called as a transport is has to be named with one."""
    image = layout.image("v1")
    udist("copy", "oci:layout", "udist:oci:layout")
    for place in ("oci:layout", "oci:./layout", "udist:oci:layout"):
        told = json.loads(udist("inspect", place, "--json").out)
        assert (told["digest"], told["mediaType"]) == (image["digest"], image["mediaType"])
    assert udist("rm", "udist:oci:layout").code == 0
    assert udist("inspect", "oci:layout").code == 0
    assert udist("inspect", "nothing://r.test/a").code == 2


def test_inspect_shows_how_an_image_runs(udist: Udist, layout: Layout) -> None:
    described(layout)
    shown = udist("inspect", "oci:layout").out
    for line in (
        "Created:      2024-05-01T00:00:00Z",
        "User:         web",
        "Entrypoint:   /bin/sh -c 'echo \N{REPLACEMENT CHARACTER}[2J'",
        "Ports:        80/tcp",
        "Environment:  PATH=/bin",
        "Environment:  A=b",
        "Labels:\n  org.example  one",
    ):
        assert f"{line}\n" in shown


@pytest.mark.parametrize(
    "config",
    [{"config": "text"}, {"config": {"Labels": ["a"], "Env": {"a": 1}, "Cmd": 5}}, {"os": ["linux"]}],
)
def test_inspect_of_a_configuration_that_is_not_as_it_should_be(
    udist: Udist, layout: Layout, config: object
) -> None:
    described(layout, config)
    assert udist("inspect", "oci:layout").code == 0


def test_inspect_of_one_platform(udist: Udist, layout: Layout) -> None:
    children = [layout.image(platform=f"linux/{each}", listed=False) for each in ("amd64", "arm64")]
    layout.image_index("v1", *children)
    shown = udist("inspect", "oci:layout").out
    assert "linux/amd64" in shown
    assert "linux/arm64" in shown
    chosen = udist("inspect", "oci:layout", "--platform", "linux/aarch64", "--json")
    assert json.loads(chosen.out)["digest"] == children[1]["digest"]
    absent = udist("inspect", "oci:layout", "--platform", "linux/s390x")
    assert (absent.code, absent.out) == (3, "")
    assert udist("inspect", "oci:layout", "--image-config").err.endswith("has no configuration)\n")


def test_a_configuration_that_does_not_match_is_not_shown(udist: Udist, layout: Layout) -> None:
    image = described(layout)
    config = json.loads(layout.path(image["digest"]).read_text())["config"]
    layout.path(config["digest"]).write_bytes(b"x" * config["size"])
    assert udist("inspect", "oci:layout", "--image-config").code == 1


def test_tags_everywhere(udist: Udist, places: list[str], stock: str) -> None:
    expected = ["v1", "v1", "v1", "v1", "v1", "demo/app:v1"]
    for place, tag in zip(places, expected, strict=False):
        named = place.removesuffix(f":{tag}")
        assert udist("tags", named) == (0, f"{tag}\n", "")
        ran = udist("tags", place)
        assert ran.code == 2
        assert ran.err.endswith(f" alone: {named!r}\n")
    assert udist("tags", "dir:folder2").code == 1
    listed = run_tool("skopeo", "list-tags", "docker-archive:docker.tar", cwd=_here(), timeout=60)
    assert json.loads(listed)["Tags"] == ["demo/app:v1"]
    assert udist("tags", f"docker://{stock}/demo/nothing").code == 3


def test_rm_from_a_layout_and_from_a_registry(udist: Udist, layout: Layout, stock: str) -> None:
    one, two = layout.image("v1"), layout.image("v2", layers=[b"other"])
    blobs = blobs_of(layout.root)
    there = f"docker://{stock}/demo/app"
    for tag in ("v1", "v2"):
        udist("copy", f"oci:layout:{tag}", f"{there}:{tag}")
    assert udist("rm", "oci:layout:v1", f"{there}:v1").out == f"oci:layout:v1\n{there}:v1\n"
    assert entries_of(layout.root) == [("v2", two["digest"])]
    assert run_tool("crane", "ls", "--insecure", f"{stock}/demo/app", cwd=_here(), timeout=60) == "v2\n"
    assert udist("rm", "oci:layout:v1").code == 3
    assert udist("rm", "--force", "oci:layout:v1", f"{there}:v1", f"{there}@{one['digest']}").code == 0
    assert udist("rm", f"oci:layout:@{two['digest']}", f"{there}@{two['digest']}").code == 0
    assert entries_of(layout.root) == []
    assert udist("inspect", f"{there}:v2").code == 3
    assert blobs_of(layout.root) == blobs


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["rm", "oci:layout"], 2, "'oci:layout': give either a tag or a digest"),
        (["rm", "docker://localhost:5000/demo"], 2, "give either a tag or a digest"),
        (["rm", f"demo:v1@sha256:{'0' * 64}"], 2, "give either a tag or a digest"),
        (["rm", "oci:absent:v1"], 3, "there is no OCI layout"),
        (["rm", "oci:layout:@0"], 1, "deleted by its name, or by its digest"),
        (["rm", "oci-archive:absent.tar:v1"], 1, "is written as a whole"),
        (["inspect", "docker://https://ghcr.io/demo"], 2, "a reference has no scheme such as https://"),
        (["inspect", "docker://ghcr.io/Demo"], 2, "a name has no capital letters; write 'demo'"),
        (["inspect", "docker://demo:5000/app:v1/x"], 2, "expected [HOST[:PORT]/]NAME"),
        (["inspect", "docker:v1"], 3, "manifest unknown"),
        (["tags", "oci:"], 2, "the path is empty"),
    ],
)
def test_what_is_wrong_is_named(udist: Udist, layout: Layout, words: list[str], code: int, said: str) -> None:
    layout.image("v1")
    ran = udist(*words)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def _here() -> Path:
    from pathlib import Path

    return Path.cwd()


def test_transports_of_other_packages(udist: Udist, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where the text is no plain name."""
    monkeypatch.setattr(transports, "_entry_points", lambda: EntryPoints([POINT]))
    layout.image("v1")
    assert udist("inspect", "other:layout:v1").out.startswith("Reference:   other:layout:v1\n")
    assert udist("inspect", "other:./layout").code == 0
    assert udist("inspect", "other:v1").err.startswith("udist: manifest unknown")

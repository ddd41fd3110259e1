"""registries.conf: which files count, which entry, and where it leads."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.images.sample import Layout, blobs_of
from tests.images.unjudged import copy_image
from tests.remote.loopback import stock_registry
from tests.remote.serving import Answer, Asked, serving
from tests.tools import require_tool
from udist_plugin.errors import ConfigurationError, ImageError, ManifestUnknown, ReferenceInvalid
from udist_plugin.images.docker import registries_conf
from udist_plugin.images.docker.registries_conf import load_registries_conf
from udist_plugin.images.references import Named
from udist_plugin.images.system import SystemContext
from udist_plugin.images.transports import parse_image_name

if TYPE_CHECKING:
    from pathlib import Path


def entry(prefix: str, location: str = "", **more: object) -> str:
    lines = [f"prefix = {json.dumps(prefix)}", *([f"location = {json.dumps(location)}"] if location else [])]
    return "\n".join(
        ["[[registry]]", *lines, *(f"{key} = {json.dumps(value)}" for key, value in more.items()), ""]
    )


class Files:
    """Configuration files of the system and of a user."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environ = {"XDG_CONFIG_HOME": str(root / "user")}

    def write(self, path: str, text: str) -> str:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)
        return str(self.root / path)

    def places(self, name: str) -> list[str]:
        """Where an image is looked for; empty if no entry is found."""
        named = Named.parse_image(name)
        found = load_registries_conf(self.environ).find(named)
        return [endpoint.location for endpoint in found.endpoints(named)] if found else []


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.setattr(registries_conf, "FOLDERS", (str(tmp_path / "system"), str(tmp_path / "share")))
    return Files(tmp_path)


MAIN, DROP_INS = "containers/registries.conf", "containers/registries.conf.d"


def test_which_files_count(files: Files) -> None:
    assert files.places("r.test/a") == []
    files.write("share/registries.conf", entry("r.test", "share.test"))
    assert files.places("r.test/a") == ["share.test/a:latest"]
    files.write("system/registries.conf", entry("r.test", "system.test"))
    assert files.places("r.test/a") == ["system.test/a:latest"]
    files.write(f"user/{MAIN}", "")
    assert files.places("r.test/a") == []
    files.write("system/registries.conf.d/50.conf", entry("r.test", "fifty.test"))
    files.write(f"user/{DROP_INS}/05.conf", entry("r.test", "five.test"))
    files.write(f"user/{DROP_INS}/99.txt", "no TOML [")
    assert files.places("r.test/a") == ["fifty.test/a:latest"]
    files.write(f"user/{DROP_INS}/50.conf", "")
    assert files.places("r.test/a") == ["five.test/a:latest"]
    files.environ["CONTAINERS_REGISTRIES_CONF_OVERRIDE"] = files.write("last", entry("r.test", "last.test"))
    assert files.places("r.test/a") == ["last.test/a:latest"]
    files.environ["CONTAINERS_REGISTRIES_CONF"] = files.write("only", entry("r.test", "only.test"))
    assert files.places("r.test/a") == ["last.test/a:latest"]
    del files.environ["CONTAINERS_REGISTRIES_CONF_OVERRIDE"]
    assert files.places("r.test/a") == ["only.test/a:latest"]
    files.environ["CONTAINERS_REGISTRIES_CONF"] = str(files.root / "gone")
    with pytest.raises(ConfigurationError, match="gone: cannot be read"):
        files.places("r.test/a")


def test_an_entry_of_a_later_file_takes_the_place_of_the_earlier_one(files: Files) -> None:
    files.write(
        f"user/{MAIN}",
        entry("r.test", "r.test", insecure=True) + '[[registry.mirror]]\nlocation = "m.test"\n',
    )
    assert files.places("r.test/a") == ["m.test/a:latest", "r.test/a:latest"]
    files.write(f"user/{DROP_INS}/1.conf", entry("r.test", "r.test"))
    assert files.places("r.test/a") == ["r.test/a:latest"]


@pytest.mark.parametrize(
    ("prefix", "fitting", "others"),
    [
        (
            "*.example.com",
            ["a.example.com", "a.b.example.com", "a.example.com:5000"],
            ["example.com", "notexample.com"],
        ),
        (
            "r.test/team",
            ["r.test/team", "r.test/team/app/sub", "r.test/team:v1"],
            ["r.test/teammate", "r.test"],
        ),
        ("r.test/a:v1", ["r.test/a:v1"], ["r.test/a:v2", "r.test/a:v11", "r.test/a"]),
        ("r.test", ["r.test", "r.test:5000"], ["R.Test", "rr.test"]),
        ("docker.io/library", ["docker.io/library"], ["docker.io/team/x"]),
        ("a.*.com", [], ["a.b.com"]),
    ],
)
def test_what_a_prefix_covers(files: Files, prefix: str, fitting: list[str], others: list[str]) -> None:
    files.write(f"user/{MAIN}", entry(prefix, "m.test"))
    whole = [name if "/" in name else f"{name}/x" for name in fitting]
    assert [bool(files.places(name)) for name in whole] == [True] * len(fitting)
    assert [name for name in others if files.places(name if "/" in name else f"{name}/x")] == []


def test_docker_hub_by_a_short_name(files: Files) -> None:
    files.write(f"user/{MAIN}", entry("docker.io", "m.test"))
    assert files.places("busybox") == ["m.test/library/busybox:latest"]


def test_the_longest_prefix_wins(files: Files) -> None:
    prefixes = {"r.test": "one", "r.test/team": "two", "r.test/team/app": "three", "*.test": "four"}
    files.write(f"user/{MAIN}", "".join(entry(prefix, f"{name}.x") for prefix, name in prefixes.items()))
    assert files.places("r.test/team/app:v1") == ["three.x:v1"]
    assert files.places("r.test/team/other") == ["two.x/other:latest"]
    assert files.places("r.test/x") == ["four.x/x:latest"]  # as long, with a wildcard
    assert files.places("rr.test/x") == ["four.x/x:latest"]


@pytest.mark.parametrize(
    ("prefix", "location", "name", "expected"),
    [
        ("r.test/team", "m.test/cache/other/", "r.test/team/app:v1", "m.test/cache/other/app:v1"),
        ("r.test/team", "m.test/cache/other", "r.test/team:v1", "m.test/cache/other:v1"),
        ("*.example.com", "m.test/x", "a.example.com/app:v1", "m.test/x/app:v1"),
        ("*.example.com", "m.test", "a.b.example.com:5000/app:v1", "m.test:5000/app:v1"),
        ("*.example.com", "", "a.example.com/app:v1", "a.example.com/app:v1"),
        ("r.test", "m.test", "r.test:5000/a:v1", "m.test:5000/a:v1"),
    ],
)
def test_rewriting(files: Files, prefix: str, location: str, name: str, expected: str) -> None:
    files.write(f"user/{MAIN}", entry(prefix, location))
    assert files.places(name) == [expected]


def test_mirrors_for_tags_or_digests_alone(files: Files) -> None:
    mirrors = "".join(
        f'[[registry.mirror]]\nlocation = "{name}.x"\npull-from-mirror = "{pull}"\n'
        for name, pull in (("a", "all"), ("d", "digest-only"), ("t", "tag-only"))
    )
    files.write(f"user/{MAIN}", entry("r.test", "r.test") + mirrors)
    digest = f"@sha256:{'0' * 64}"
    assert files.places("r.test/a:v1") == ["a.x/a:v1", "t.x/a:v1", "r.test/a:v1"]
    assert files.places(f"r.test/a{digest}") == [f"a.x/a{digest}", f"d.x/a{digest}", f"r.test/a{digest}"]
    text = entry("r.test", "r.test", **{"mirror-by-digest-only": True})
    files.write(f"user/{MAIN}", f'{text}[[registry.mirror]]\nlocation = "m.x"\n')
    assert files.places("r.test/a:v1") == ["r.test/a:v1"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[registries.search]\nregistries = []", "version 1 of the format"),
        ("[registry]\nlocation = 'r.test'", "expected tables"),
        ("[[registry]]\nprefix = 'r.test'", "expected a location"),
        ("[[registry]]\nlocation = 'https://r.test'", "without a scheme"),
        ("[[registry]]\nlocation = 7", "without a scheme"),
        (
            "[[registry]]\nlocation = 'r.test'\ninsecure = 'yes'",
            r"registry\[0\]\.insecure .*expected true or false",
        ),
        ("[[registry]]\nprefix = '*.test:5000'", "without port and path"),
        ("[[registry]]\nprefix = '*.test/team'", "without port and path"),
        ("[[registry]]\nlocation = 'r.test'\n[[registry.mirror]]\ninsecure = true", "expected a location"),
        (
            "[[registry]]\nlocation = 'r.test'\n[[registry.mirror]]\nlocation = 'm'\npull-from-mirror = 'x'",
            "expected one of all",
        ),
        (
            entry("a.test", "m.test", insecure=True) + entry("b.test", "m.test"),
            "differs from another of this location",
        ),
        (
            entry("a.test", "m.test", blocked=True) + entry("b.test", "m.test"),
            "differs from another of this location",
        ),
        (entry("a.test", "m.test", **{"pull-from-mirror": "all"}), "is for mirrors"),
        (
            entry("a.test", "m.test", **{"mirror-by-digest-only": True})
            + "[[registry.mirror]]\nlocation = 'm'\npull-from-mirror = 'all'",
            "expected either this or mirror-by-digest-only",
        ),
        ("no TOML [", "cannot be read"),
    ],
)
def test_files_that_are_wrong(files: Files, text: str, problem: str) -> None:
    files.write(f"user/{MAIN}", text)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        files.places("r.test/a")
    assert caught.value.source == str(files.root / "user" / MAIN)


def test_what_is_unknown_is_no_matter(files: Files) -> None:
    files.write(
        f"user/{MAIN}",
        "unknown = 1\nunqualified-search-registries = ['q.test']\n[aliases]\na = 'b'\n"
        + entry("r.test", "m.test", odd=1),
    )
    assert files.places("r.test/a") == ["m.test/a:latest"]


def test_blocked_registries(files: Files) -> None:
    files.write(f"user/{MAIN}", entry("r.test", "r.test", blocked=True))
    reference, system = parse_image_name("docker://r.test/a"), SystemContext(files.environ)
    for opening in (reference.new_image_source, reference.new_image_destination):
        with pytest.raises(ImageError, match=r"r\.test is blocked in .*registries\.conf"):
            opening(system)


@pytest.mark.parametrize("location", ["cache/x", "m.test/Upper", "m.test:80:90"])
def test_a_location_that_leads_nowhere(files: Files, location: str) -> None:
    files.write(f"user/{MAIN}", entry("r.test", location))
    with pytest.raises(ReferenceInvalid, match=r"r\.test in .*registries\.conf leads to"):
        parse_image_name("docker://r.test/a").new_image_source(SystemContext(files.environ))


def test_mirrors_are_read_from_and_never_written_to(files: Files, tmp_path: Path) -> None:
    """The first mirror fails, the second has the manifest but no layers, the primary has all."""
    layout = Layout(tmp_path / "layout")
    layout.image("v1")
    told: list[str] = []
    with stock_registry(tmp_path / "store") as port:
        manifest = copy_image(f"oci:{layout.root}", f"docker://127.0.0.1:{port}/team/app:v1").descriptor
        content = layout.path(manifest.digest).read_bytes()

        def half(asked: Asked) -> Answer:
            fields = [("content-type", manifest.media_type), ("docker-content-digest", manifest.digest)]
            return Answer(200, fields, content) if "/manifests/" in asked.target else Answer(404)

        with serving(half) as one, serving(lambda _: Answer(404)) as other:
            mirrors = "".join(
                f'[[registry.mirror]]\nlocation = "127.0.0.1:{each.port}/mirror"\n' for each in (other, one)
            )
            files.write(f"user/{MAIN}", entry(f"127.0.0.1:{port}", f"127.0.0.1:{port}") + mirrors)
            system = SystemContext(files.environ, tell=told.append)
            source = f"docker://127.0.0.1:{port}/team/app:v1"
            copy_image(source, f"oci:{tmp_path / 'out'}:v1", system=system)
            assert one.asked[-1].target.startswith("/v2/mirror/team/app/")
            asked = len(one.asked) + len(other.asked)
            copy_image(f"oci:{layout.root}", source, system=system)
            assert len(one.asked) + len(other.asked) == asked
            with pytest.raises(ManifestUnknown) as caught:
                copy_image(
                    f"docker://127.0.0.1:{port}/gone@sha256:{'0' * 64}",
                    f"oci:{tmp_path / 'x'}",
                    system=system,
                )
    assert blobs_of(tmp_path / "out") == blobs_of(layout.root)
    assert told[0].startswith(
        f"passing over docker://127.0.0.1:{other.port}/mirror/team/app:v1: manifest unknown"
    )
    assert len(caught.value.__notes__) == 2


def test_insecure_is_said_of_each_place(files: Files, tmp_path: Path) -> None:
    """A name that is no loopback to us needs it; the resolver knows it as this machine."""
    text = '[[registry.mirror]]\nlocation = "m.test"\ninsecure = true\n'
    files.write(f"user/{MAIN}", entry("r.test", "r.test") + text)
    named = Named.parse_image("r.test/a")
    found = load_registries_conf(files.environ).find(named)
    assert found is not None
    assert [endpoint.insecure for endpoint in found.endpoints(named)] == [True, False]


WHOLE = """
[[registry]]
prefix = "r.test/team"
location = "m.test/cache/other"
[[registry.mirror]]
location = "one.test"
insecure = true
[[registry.mirror]]
location = "two.test/deep"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "three.test"
pull-from-mirror = "tag-only"
[[registry]]
location = "r.test"
insecure = true
[[registry]]
prefix = "*.example.com"
[[registry.mirror]]
location = "m.test/wild"
[[registry]]
prefix = "*.wild.test"
location = "tame.test/x"
[[registry]]
prefix = "*.test"
location = "any.test"
[[registry]]
prefix = "docker.io/library"
location = "hub.test/official/"
[[registry]]
prefix = "gone.test"
location = "m.test"
blocked = true
[[registry]]
prefix = "odd.test"
location = "cache/x"
"""

DIGEST = f"@sha256:{'0' * 64}"
NAMES = [
    *(
        "r.test/team/app",
        "r.test/team/app:v1",
        f"r.test/team/app{DIGEST}",
        "r.test/team:v2",
        "r.test/teammate/app",
    ),
    *(
        "r.test/x",
        "r.test:5000/x",
        "r.test:5000/team/x",
        "rr.test/team",
        "a.example.com/x",
        "a.b.example.com/x:v1",
    ),
    *(
        "a.example.com:5000/x",
        "example.com/x",
        "notexample.com/x",
        "a.wild.test/x",
        "a.wild.test:5000/x",
        "wild.test/x",
    ),
    *(
        "busybox",
        "docker.io/busybox:1",
        "library/busybox",
        "team/app",
        "docker.io/team/app",
        "index.docker.io/busybox",
    ),
    *("gone.test/x", "odd.test/x", "localhost/x", "localhost:5000/x", "127.0.0.1:5000/x", "R.Test/team/x"),
]


def ours(named: Named, environ: dict[str, str]) -> object:
    found = load_registries_conf(environ).find(named)
    if found is None:
        return None
    return {
        "blocked": found.blocked,
        "sources": [[each.location, each.insecure] for each in found.endpoints(named)],
    }


def test_the_same_as_containers_image(files: Files, tmp_path: Path) -> None:
    """But for a location that is no name: there the reference fails there, and here when it is opened."""
    path = files.write("whole.conf", WHOLE)
    said = subprocess.run(
        [require_tool("containersimage"), "sources", path],
        input="".join(json.dumps(name) + "\n" for name in NAMES),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    theirs = dict(zip(NAMES, map(json.loads, said.splitlines()), strict=True))
    environ = {"CONTAINERS_REGISTRIES_CONF": path}
    found = {name: ours(Named.parse_image(name), environ) for name in NAMES}
    failing = {name for name, verdict in theirs.items() if verdict and verdict.get("error")}
    assert {name: each for name, each in found.items() if name not in failing} == {
        name: each for name, each in theirs.items() if name not in failing
    }
    assert failing == {"r.test/team:v2", "a.example.com:5000/x", "a.wild.test:5000/x", "odd.test/x"}
    for name in failing:
        with pytest.raises(ReferenceInvalid):
            parse_image_name(f"docker://{name}").new_image_source(SystemContext(environ))

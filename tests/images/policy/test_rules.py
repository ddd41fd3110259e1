"""The nearest scope decides, as in containers/image; what it never uses is found."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.images.policy.documents import ACCEPT, DIGEST, REJECT, scoped
from tests.images.policy.judge import Question, ask
from udist_plugin.errors import PolicyInvalid, PolicyRejected, ReferenceInvalid
from udist_plugin.images.policy.evaluating import check_image
from udist_plugin.images.policy.findings import Finding, find_unmatchable, near_misses
from udist_plugin.images.policy.names import policy_image
from udist_plugin.images.policy.policy import Policy
from udist_plugin.images.policy.subject import PolicyImage
from udist_plugin.images.references import Named

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = [
    "docker://host.example.com:5000/team/app:v1",
    "docker://host.example.com:5000/team/app",
    f"docker://host.example.com:5000/team/app@{DIGEST}",
    "docker://host.example.com:5000/team",
    "docker://host.example.com:5000/teammate/x",
    "docker://host.example.com/team/app:v1",
    "docker://example.com/app",
    "docker://example.com:5000/app",
    "docker://notexample.com/app",
    "docker://a.b.example.com/app",
    "docker://a.example.com:5000/app",
    "docker://Example.COM/app",
    "docker://busybox",
    "docker://docker.io/team/app:v1",
    "docker://index.docker.io/library/busybox",
    "docker://localhost/app",
    "docker://localhost:5000/app",
    "docker://127.0.0.1:5000/app",
    "docker-daemon:busybox:latest",
    f"docker-daemon:{DIGEST}",
    "docker-daemon:host.example.com:5000/team/app:v1",
    "atomic:host.example.com:5000/team/app:v1",
    "docker-archive:/srv/app.tar:busybox",
    "docker-archive:/srv/app.tar",
]
SCOPES = [
    "",
    "host.example.com:5000/team/app:v1",
    "host.example.com:5000/team/app:latest",
    f"host.example.com:5000/team/app@{DIGEST}",
    f"host.example.com:5000/team/app:v1@{DIGEST}",
    "host.example.com:5000/team/app",
    "host.example.com:5000/team",
    "host.example.com:5000/team/",
    "host.example.com:5000/tea",
    "host.example.com:5000",
    "host.example.com:",
    "host.example.com",
    "host.example.com/team",
    "docker://host.example.com:5000/team",
    "https://example.com",
    "example.com",
    "Example.COM",
    "example.com/App",
    "*.example.com",
    "*.b.example.com",
    "*.com",
    "*.COM",
    "*.example.com:5000",
    "*.example.com/team",
    "*",
    "*.",
    "a.*.com",
    "*.0.0.1",
    "*.1",
    "127.0.0.1",
    "127.0.0.1:5000",
    "localhost",
    "localhost:5000",
    "busybox",
    "busybox:latest",
    "library/busybox",
    "docker.io",
    "docker.io/busybox",
    "docker.io/busybox:latest",
    "docker.io/library",
    "docker.io/library/busybox",
    "docker.io/library/busybox:latest",
    "docker.io/team",
    "index.docker.io",
    "index.docker.io/library/busybox",
]


def allowed(policy: Policy, image: PolicyImage) -> bool:
    try:
        check_image(policy, image, b"{}", list)
    except PolicyRejected:
        return False
    return True


def two(image: str, near: str, wide: str, *, accepted: str) -> str:
    """A policy that accepts one of two scopes and rejects the other, and all else."""
    scopes = {scope: [ACCEPT if scope == accepted else REJECT] for scope in (near, wide)}
    return json.dumps({"default": [REJECT], "transports": {image.partition(":")[0]: scopes}})


def verdict(question: Question) -> bool | None:
    """Whether the image is allowed; ``None`` if the policy does not load."""
    try:
        policy = Policy.parse(question.policy.encode())
    except PolicyInvalid:
        return None
    return allowed(policy, policy_image(question.image))


def compare(questions: list[Question]) -> list[bool | None]:
    """Asserts that both judge alike; the verdicts."""
    ours = list(map(verdict, questions))
    theirs = [answer.allowed if answer.loads else None for answer in ask(questions)]
    assert dict(zip(questions, ours, strict=True)) == dict(zip(questions, theirs, strict=True))
    return ours


def test_an_image_is_in_the_scopes_that_containers_image_finds() -> None:
    questions = [
        Question(scoped(image.partition(":")[0], scope), image)
        for image in IMAGES
        for scope in (SCOPES if "archive" not in image else [""])
    ]
    assert 90 < compare(questions).count(True) < len(questions) / 4


def test_the_nearest_scope_decides_alone() -> None:
    questions = []
    for image in IMAGES:
        scopes = policy_image(image).scopes
        for near, wide in pairwise(scopes):
            questions += [Question(two(image, near, wide, accepted=each), image) for each in (near, wide)]
    assert compare(questions) == [True, False] * (len(questions) // 2)


def test_paths_are_compared_by_folders_and_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "images/app").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "images")
    (tmp_path / "images/app.tar").touch()
    questions = [
        Question(scoped(transport, f"{tmp_path}/{scope}"), f"{transport}:{tmp_path}/{path}")
        for transport, paths in {
            "dir": ["images/app", "link/app", "images/none"],
            "oci": ["images/app", "link/app:v1", "images/none:v1", "images/../images/app:v1"],
            "oci-archive": ["images/app.tar", "link/app.tar:v1"],
        }.items()
        for path in paths
        for scope in ("images", "images/app", "images/ap", "link", "images/app.tar", "images/app:v1")
    ]
    assert compare(questions).count(True) == 16


def test_all_requirements_of_a_list_have_to_be_met() -> None:
    lists = ([ACCEPT], [REJECT], [ACCEPT, REJECT], [REJECT, ACCEPT], [ACCEPT, ACCEPT])
    assert compare([Question(json.dumps({"default": each}), "docker://busybox") for each in lists]) == [
        True,
        False,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("text", "scopes"),
    [
        (
            "docker://host.example.com:5000/team/app:v1",
            (
                "host.example.com:5000/team/app:v1",
                "host.example.com:5000/team/app",
                "host.example.com:5000/team",
                "host.example.com:5000",
                "*.example.com",
                "*.com",
                "",
            ),
        ),
        (
            "udistribution-s3-1f3a://a/b",
            ("docker.io/a/b:latest", "docker.io/a/b", "docker.io/a", "docker.io", "*.io", ""),
        ),
        ("udist:team/app", ("team/app:latest", "team/app", "team", "")),
        (f"udist:team/app@{DIGEST}", (f"team/app@{DIGEST}", "team/app", "team", "")),
        ("tarball:/a", ("",)),
    ],
)
def test_the_scopes_of_an_image(text: str, scopes: tuple[str, ...]) -> None:
    assert policy_image(text).scopes == scopes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("docker:busybox", "expected docker://HOST"),
        ("docker://Busybox", "capital letters"),
        (f"docker://a:v1@{DIGEST}", "tag"),
        ("docker-daemon:busybox", "give a tag or a digest"),
        ("docker-daemon:sha256:abc", "expected sha256:<64 hex>, an image's ID"),
        ("dockre://a", "did you mean 'docker'"),
        ("localhost:5000/a", "write docker://localhost:5000/a"),
        ("containers-storage:a", "does not read names of images in containers-storage"),
        ("udist:A", "expected NAME"),
        ("busybox", "write docker://busybox"),
    ],
)
def test_a_name_that_is_none(text: str, message: str) -> None:
    with pytest.raises(ReferenceInvalid, match=message):
        policy_image(text)


def found(transport: str, *scopes: str, never: bool = True) -> dict[str, str]:
    """What is found by its place: what matches nothing, else the hints."""
    policy = Policy.parse(scoped(transport, *scopes).encode())
    return {each.place: each.problem for each in find_unmatchable(policy) if each.never is never}


def test_a_scope_is_found_that_no_image_is_in() -> None:
    """What containers/image finds none of the images in is found, unless another image could be in it."""
    docker = [image for image in IMAGES if image.startswith("docker://")]
    scopes = [scope for scope in SCOPES if scope]
    pairs = [(scope, image) for scope in scopes for image in docker]
    answers = ask([Question(scoped("docker", scope), image) for scope, image in pairs])
    matched = {scope for (scope, _), answer in zip(pairs, answers, strict=True) if answer.allowed}
    never = {place.partition("['")[2].removesuffix("']") for place in found("docker", *scopes)}
    assert never & matched == set()
    others = {"127.0.0.1", "docker.io/busybox", "host.example.com:5000/tea"}
    assert {*scopes} - never - matched == others, "these are for images that are not in the list"


@pytest.mark.parametrize(
    ("scope", "problem"),
    [
        ("host.example.com/team/", "ends with a slash; write 'host.example.com/team'"),
        ("docker://host/team", "begins with 'docker://'; write 'host/team'"),
        ("docker:host.com/team", "begins with 'docker:'; write 'host.com/team'"),
        ("*.example.com:5000", "a wildcard is for every port and names none; write '*.example.com'"),
        ("*.example.com/team", "a wildcard is for hosts and has no path; write '*.example.com'"),
        ("*", "a wildcard has the form '*.example.com'"),
        ("a.*.com", "a wildcard has the form '*.example.com'"),
        ("busybox", "has no host; for docker.io, write 'docker.io/library/busybox'"),
        ("team/app", "has no host; for docker.io, write 'docker.io/team/app'"),
        ("index.docker.io/a", "the host is called docker.io; write 'docker.io/a'"),
        ("host.com:/team", "expected HOST[:PORT][/NAME] as in a reference"),
        ("host.com/Team", "expected HOST[:PORT]/NAME[:TAG|@DIGEST] in lower case, as in a reference"),
        (f"host.com/a:v1@{DIGEST}", "has a tag and a digest, which no reference has"),
        ("docker.io/busybox:v1", "is written 'docker.io/library/busybox:v1' in full; write that"),
    ],
)
def test_a_finding_says_what_to_write(scope: str, problem: str) -> None:
    assert found("docker", scope, "example.com") == {f"transports.docker[{scope!r}]": problem}


def test_unknown_and_empty_transports_are_found() -> None:
    problem = "unknown transport; did you mean 'docker'?"
    assert found("docker://", "a.com") == {"transports.docker://": problem}
    assert found("nosuch", "a") == {"transports.nosuch": "unknown transport"}
    assert found("dokcer", "a.com") == {"transports.dokcer": problem}
    assert found("docker") == {"transports.docker": "has no scopes, so the default applies"}
    problem = "expected NAME[:TAG|@DIGEST] without a host"
    assert found("udist", "host:5000/app", "team/app", "team/app:v1") == {
        "transports.udist['host:5000/app']": problem
    }


def test_a_scope_that_leads_through_a_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    problem = f"leads through a symbolic link; write {str(tmp_path / 'a')!r}"
    assert found("oci", f"{tmp_path}/link/a", f"{tmp_path}/a") == {
        f"transports.oci['{tmp_path}/link/a']": problem
    }


@pytest.mark.parametrize("scope", ["/a\0b", "/\ud800"])
def test_a_path_that_no_file_can_have_is_found(scope: str) -> None:
    assert found("dir", scope) == {f"transports.dir[{scope!r}]": "no file can have this name"}


def test_hints_are_no_errors() -> None:
    assert found("docker", "docker.io/busybox", "Example.COM", "localhost", "10.0.0.1/a") == {}
    assert (
        len(found("docker", "docker.io/busybox", "Example.COM", "localhost", "10.0.0.1/a", never=False)) == 4
    )


def test_a_scope_that_an_image_just_misses() -> None:
    image = PolicyImage.of_docker("docker", Named.parse_image("Host.com:5000/team/app"))
    scopes = ("Host.com/team", "host.com:5000/team", "Host.com:5000/team", "other.com/team", "Host.com.net")
    policy = Policy.parse(scoped("docker", *scopes).encode())
    assert list(near_misses(policy, image)) == [
        Finding(
            "transports.docker['Host.com/team']",
            "does not match without the port; write 'Host.com:5000/team'",
            never=False,
        ),
        Finding(
            "transports.docker['host.com:5000/team']",
            "does not match: capital and small letters differ",
            never=False,
        ),
    ]

"""References from habit are explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from udist_plugin.cli.habits import address_in, correction

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Ran

    Udist = Callable[..., Ran]

DIGEST = f"sha256:{'0' * 64}"
ADDRESS = "udist uses the configured store, so a reference has no transport or registry host"
CAPITALS = "a repository name has no capital letters"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("docker://demo/a:v1", f"{ADDRESS}; use 'demo/a:v1'"),
        ("docker://docker.io/library/alpine", f"{ADDRESS}; use 'library/alpine'"),
        ("https://[::1]:5000/demo/a", f"{ADDRESS}; use 'demo/a'"),
        ("oci://localhost/demo/a", f"{ADDRESS}; use 'demo/a'"),
        ("oci:layout:v1", f"{ADDRESS}; use 'layout:v1'"),
        ("docker-daemon:alpine:3", f"{ADDRESS}; use 'alpine:3'"),
        ("localhost:5000/demo/a:v1", f"{ADDRESS}; use 'demo/a:v1'"),
        (f"registry:5000/demo@{DIGEST}", f"{ADDRESS}; use 'demo@{DIGEST}'"),
        ("https://ghcr.io/Demo/App:V1", f"{ADDRESS}; {CAPITALS}; use 'demo/app:V1'"),
        ("https://", ADDRESS),
        ("Demo", f"{CAPITALS}; use 'demo'"),
        ("ghcr.io/Demo/App:V1", f"{CAPITALS}; use 'ghcr.io/demo/app:V1'"),
        ("/demo/a/", "a repository name has no slash at its start or end; use 'demo/a'"),
        (f"demo/a:{DIGEST}", f"a digest comes after @; use 'demo/a@{DIGEST}'"),
        ("demo a", None),
        ("demo/a:v1:v2", None),
        ("", None),
    ],
)
def test_what_belongs_elsewhere_is_named(text: str, told: str | None) -> None:
    assert correction(text) == told


@pytest.mark.parametrize(
    "words", [("pull",), ("inspect",), ("tags",), ("rm",), ("referrers",), ("push", "README.md")]
)
def test_every_command_explains_it(udist: Udist, words: tuple[str, ...]) -> None:
    command, *paths = words
    ran = udist(command, "localhost:5000/demo/a", *paths)
    assert (ran.code, ran.out) == (2, "")
    elsewhere = command in ("inspect", "tags", "rm", "referrers")
    further = ", or 'docker://localhost:5000/demo/a' for that registry" if elsewhere else ""
    assert ran.err.endswith(f": 'localhost:5000/demo/a': {ADDRESS}; use 'demo/a'{further}\n")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://ghcr.io/demo/app:v1", "ghcr.io/demo/app:v1"),
        ("http://localhost:5000/demo/", None),
        ("registry:5000/demo", "registry:5000/demo"),
        ("https://docker.io/library/alpine", "alpine"),
        ("demo/app", None),
        ("ghcr.io/Demo", None),
    ],
)
def test_a_registry_address_is_recognized(text: str, address: str | None) -> None:
    assert address_in(text) == address


def test_a_name_that_looks_like_a_host_is_a_name(udist: Udist) -> None:
    assert udist("push", "docker.io/library/a:v1", "README.md").code == 0
    assert udist("tags", "docker.io/library/a").out == "v1\n"

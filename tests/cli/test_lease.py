"""``udist lease``, and what ``udist rm`` says of leases; what they keep is tested beside ``storage``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_gc import tags

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Ran

    Udist = Callable[..., Ran]

__all__ = ["tags"]


def test_a_lease_is_made_listed_and_released(udist: Udist, tags: list[str]) -> None:
    made = udist("lease", "create", "backup-1", "demo/a:v1", f"demo/a@{tags[3]}")
    assert made.out == f"backup-1  demo/a:v1\nbackup-1  demo/a@{tags[3]}\n"
    assert udist("lease", "list").out == udist("lease", "list", "backup-1").out == made.out
    assert udist("gc", "--untagged").out == "no garbage was found\n"
    released = json.loads(udist("lease", "release", "backup-1", "demo/a:v1", "--json").out)
    assert released == {"leases": [{"owner": "backup-1", "reference": "demo/a:v1"}]}
    assert "untag  demo/a:v1  released by backup-1" in udist("gc").out
    assert released_all(udist) == (0, f"backup-1  demo/a@{tags[3]}\n", "udist: 1 lease was released\n")


def released_all(udist: Udist) -> Ran:
    return udist("lease", "release", "backup-1")


def test_a_lease_that_is_not_there_is_not_released(udist: Udist, tags: list[str]) -> None:
    udist("lease", "create", "backup-1", "demo/a:v1")
    ran = udist("lease", "release", "backup-1", "demo/a:v1", "demo/a:v2")
    assert (ran.code, ran.out) == (3, "backup-1  demo/a:v1\n")
    assert ran.err == (
        "udist: 1 lease was released\n"
        "udist: no such lease (owner: backup-1, reference: demo/a:v2)\n"
        'hint: "udist lease list" lists all leases\n'
    )
    ran = released_all(udist)
    assert (ran.code, ran.out) == (3, "")
    assert "udist: no such lease (owner: backup-1)\n" in ran.err
    ran = udist("lease", "release", "nobody", "--json")
    assert (ran.code, ran.out) == (3, '{\n  "leases": []\n}\n')
    (error,) = json.loads(ran.err)["errors"]
    assert error == {
        "code": "MANIFEST_UNKNOWN",
        "message": "no such lease",
        "detail": {"owner": "nobody"},
    }
    assert udist("lease", "release", "--force", "nobody") == (0, "", "udist: 0 leases were released\n")


def test_a_lease_is_created_on_all_or_nothing(udist: Udist, tags: list[str]) -> None:
    ran = udist("lease", "create", "backup-1", "demo/a:v1", "demo/a:v9", "none/b:x")
    assert (ran.code, ran.out) == (3, "")
    assert "udist: manifest unknown (reference: demo/a:v9)\n" in ran.err
    assert "(reference: none/b:x)\n" in ran.err
    assert udist("lease", "list").out == ""
    assert udist("lease", "create", "backup-1", "udist:demo/a:v1").out == "backup-1  demo/a:v1\n"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("create", ".b", "demo/a:v1"), "beginning with a letter or digit"),
        (("list", "b/c"), "'b/c' is not 1 to 128 of a-z, A-Z, 0-9"),
        (("create", "b", "demo/a@sha256:00"), "'demo/a@sha256:00' is not a digest; use sha256: with 64"),
        (("create", "b", "demo/a"), "'demo/a': give either a tag or a digest"),
        (("release", "b", "Demo/a:v1"), "no capital letters"),
        (("release", "b", "udist:demo/a"), "'udist:demo/a': give either a tag or a digest"),
        (("create", "b"), "the following arguments are required"),
    ],
)
def test_what_cannot_be_an_owner_or_a_reference(udist: Udist, words: tuple[str, ...], problem: str) -> None:
    ran = udist("lease", *words)
    assert ran.code == 2
    assert problem in " ".join(ran.err.split())


def test_who_has_a_lease_on_what_is_deleted_is_told(udist: Udist, tags: list[str]) -> None:
    for owner in "backup-2", "backup-1":
        udist("lease", "create", owner, "demo/a:v1")
    assert udist("rm", "demo/a:v1", "demo/a:v2") == (
        0,
        "demo/a:v1\ndemo/a:v2\n",
        "udist: warning: demo/a:v1 was deleted, but is under a lease of backup-1, backup-2\n",
    )
    released_all(udist)
    ran = udist("rm", f"demo/a@{tags[0]}", "--json")
    assert (ran.code, json.loads(ran.out)) == (0, {"deleted": [f"demo/a@{tags[0]}"]})
    assert ran.err.endswith("is under a lease of backup-2\n")

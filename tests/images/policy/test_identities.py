"""Which names in a signature count for an image, where that depends on more than equal names."""

from __future__ import annotations

import pytest

from udist_plugin.images.policy.identities import (
    MatchExact,
    MatchRepoDigestOrExact,
    RemapIdentity,
    SignedIdentity,
)
from udist_plugin.images.references import Named

HUB = RemapIdentity("a.com/team", "docker.io")
MIRROR = RemapIdentity("a.com/team/a", "b.com/a")


@pytest.mark.parametrize(
    ("identity", "image", "signed", "accepted"),
    [
        (MatchExact(), "a.com/app", "a.com/app", False),
        (MatchRepoDigestOrExact(), "a.com/app", "a.com/app", False),
        (MatchRepoDigestOrExact(), "a.com/app:v1", "a.com/app", False),
        (MIRROR, "a.com/team/a:v1", "b.com/a:v1", True),
        (MIRROR, "a.com/team/a/b:v1", "b.com/a/b:v1", True),
        (MIRROR, "a.com/team/app:v1", "a.com/team/app:v1", True),  # the prefix ends inside a component
        (MIRROR, "a.com/team/app:v1", "b.com/app:v1", False),
        (HUB, "a.com/team/x/y:v1", "docker.io/x/y:v1", True),
        (HUB, "a.com/team/y:v1", "docker.io/library/y:v1", False),  # the remapped name is not a whole one
        (RemapIdentity("a.com", "b.com/" + "x" * 250), "a.com/app:v1", "a.com/app:v1", False),  # too long
    ],
)
def test_a_name_counts(identity: SignedIdentity, image: str, signed: str, accepted: bool) -> None:
    assert identity.accepts(Named.parse(image), Named.parse(signed)) is accepted


def test_an_image_without_a_name_has_no_signatures_by_name() -> None:
    for identity in (MatchExact(), MatchRepoDigestOrExact(), MIRROR):
        assert not identity.accepts(None, Named.parse("a.com/team/a:v1"))

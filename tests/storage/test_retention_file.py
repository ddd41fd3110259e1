"""Policies as zot writes them."""

from __future__ import annotations

from typing import Any

import pytest

from udist_plugin.errors import ConfigurationError
from udist_plugin.storage.collection.retention import subject_prefix
from udist_plugin.storage.collection.retention_file import read_retention

POLICIES: dict[str, Any] = {
    "dryRun": False,
    "delay": "48h",
    "policies": [
        {
            "repositories": ["infra/*", "tmp/**"],
            "deleteReferrers": True,
            "keepTags": [
                {"patterns": ["v2.*", ".*-prod"], "mostRecentlyPushedCount": 10, "pushedWithin": "720h"},
                {"patterns": ["latest"]},
            ],
        },
        {"repositories": ["**"], "deleteUntagged": False},
    ],
}


@pytest.mark.parametrize(
    "document", [POLICIES, {"retention": POLICIES}, {"storage": {"retention": POLICIES}}]
)
def test_zots_example_is_read(document: dict[str, Any]) -> None:
    read = read_retention(document)
    first, second = read.policies
    assert (read.delay, read.dry_run) == (48 * 3600, False)
    assert (first.untagged, first.referrers, second.untagged, second.referrers) == (True, True, False, False)
    rule, latest = first.rules
    assert (rule.pushed_last, rule.pushed_within) == (10, 720 * 3600)
    assert [tag for tag in ("v2.1", "x-prod", "v1") if rule.matches(tag)] == ["v2.1", "x-prod"]
    assert (latest.pushed_last, latest.pushed_within) == (None, None)


@pytest.mark.parametrize(
    ("name", "place"),
    [("infra/a", 0), ("infra/a/b", 1), ("infra", 1), ("tmp", 0), ("tmp/a/b", 0), ("tmpx", 1), ("a", 1)],
)
def test_the_first_policy_whose_name_matches_counts(name: str, place: int) -> None:
    read = read_retention(POLICIES)
    assert read.policy(name) is read.policies[place]
    assert read_retention({"policies": [POLICIES["policies"][0]]}).policy("elsewhere") is None


@pytest.mark.parametrize(
    ("document", "key", "problem"),
    [
        ([], "", "expected a mapping"),
        ({"policy": []}, "policy", "is not known"),
        ({"delay": "1 day"}, "delay", "expected a duration"),
        ({"dryRun": "maybe"}, "dryRun", "expected true or false"),
        ({"policies": {}}, "policies", "expected a list"),
        ({"policies": [{"repoNames": []}]}, "policies[0].repoNames", "is not known"),
        ({"policies": [{"repositories": [1]}]}, "policies[0].repositories", "expected a list of texts"),
        (
            {"policies": [{"keepTags": [{"patterns": ["a", "("]}]}]},
            "policies[0].keepTags[0].patterns[1]",
            "expected a regular expression",
        ),
        (
            {"policies": [{"keepTags": [{"mostRecentlyPushedCount": -1}]}]},
            "policies[0].keepTags[0].mostRecentlyPushedCount",
            "expected a whole number",
        ),
        (
            {"policies": [{"keepTags": [{"pulledWithin": "1h"}]}]},
            "policies[0].keepTags[0].pulledWithin",
            "nothing is known of pulls",
        ),
    ],
)
def test_what_is_wrong_is_named(document: object, key: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as caught:
        read_retention(document, "retention.yml")
    assert (caught.value.key, caught.value.source) == (key, "retention.yml")


@pytest.mark.parametrize(
    ("tag", "follows"),
    [
        (f"sha256-{'a' * 64}", True),
        (f"sha256-{'a' * 64}.sig", True),
        (f"sha256-{'a' * 64}.sbom.2", True),
        (f"sha512-{'a' * 64}", True),
        (f"sha256-{'a' * 63}", False),
        (f"sha256-{'a' * 65}", False),
        ("v1", False),
    ],
)
def test_tags_follow_the_subject_that_they_name(tag: str, follows: bool) -> None:
    assert subject_prefix(tag) == (f"{tag[:6]}:{'a' * 64}" if follows else None)

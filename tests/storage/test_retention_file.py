"""Policies in zot's format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from udist_plugin.errors import ConfigurationError
from udist_plugin.oci.digest import Digest
from udist_plugin.storage.collection.retention import Tag, subject_prefix
from udist_plugin.storage.collection.retention_file import read_retention

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.storage.collection.retention import TagRule

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
    ("patterns", "kept"),
    [
        (["^[[:digit:]]+$"], ["1", "22"]),
        ([r"^\d+\z", r"\A\pL\z"], ["1", "22", "a"]),
        (["(?i)^RC"], ["rc1"]),
        ([r"^v\d+\.\d+(-rc\.?\d+)*$"], ["v1.0", "v1.0-rc.1-rc2"]),
        ([], ["1", "22", "a", "rc1", "v1.0", "v1.0-rc.1-rc2"]),
    ],
)
def test_patterns_are_those_of_go(patterns: list[str], kept: list[str]) -> None:
    (rule,) = read_rules({"patterns": patterns})
    assert [tag for tag in ("1", "22", "a", "rc1", "v1.0", "v1.0-rc.1-rc2") if rule.matches(tag)] == kept


@pytest.mark.parametrize(
    ("rule", "removed"),
    [
        ({"mostRecentlyPushedCount": 0}, []),
        ({"mostRecentlyPushedCount": 1}, ["old"]),
        ({"mostRecentlyPushedCount": 0, "pushedWithin": "1m"}, ["new", "old"]),
        ({"pushedWithin": "3m"}, ["old"]),
        ({"pushedWithin": "0s"}, ["new", "old"]),
    ],
)
def test_a_count_of_zero_says_nothing_and_a_time_of_zero_does(
    rule: dict[str, object], removed: list[str]
) -> None:
    (read,) = read_rules(rule)
    tags = {"new": Tag(Digest.of(b""), 880.0), "old": Tag(Digest.of(b""), 700.0)}
    assert list(read.removes(tags, 1000.0)) == removed


def read_rules(*rules: object) -> Sequence[TagRule]:
    (policy,) = read_retention({"policies": [{"repositories": ["**"], "keepTags": list(rules)}]}).policies
    return policy.rules


@pytest.mark.parametrize("policy", [{}, {"repositories": []}, {"repositories": None}])
def test_a_policy_without_repositories_is_an_error(policy: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="zot ignores the policy") as caught:
        read_retention({"policies": [POLICIES["policies"][0], policy]})
    assert caught.value.key == "policies[1].repositories"


def test_patterns_of_a_document_are_limited_together() -> None:
    rules = [{"patterns": ["[0-9]{1000}"] * 9} for _ in range(20)]
    with pytest.raises(ConfigurationError, match="too many, or repeat too much") as caught:
        read_rules(*rules)
    assert caught.value.key == "policies[0].keepTags[10].patterns[5]"


@pytest.mark.parametrize(
    ("document", "key", "problem"),
    [
        ([], "", "expected a mapping"),
        ({"policy": []}, "policy", "is not known"),
        ({"delay": "1 day"}, "delay", "expected a duration"),
        ({"dryRun": "maybe"}, "dryRun", "expected true or false"),
        ({"policies": {}}, "policies", "expected a list"),
        ({"policies": [{"repoNames": []}]}, "policies[0].repoNames", "is not known"),
        ({"policies": [{"repositories": [1]}]}, "policies[0].repositories", "expected a list of strings"),
        (
            {"policies": [{"repositories": ["**"], "keepTags": [{"patterns": ["a", "("]}]}]},
            "policies[0].keepTags[0].patterns[1]",
            r"expected a regular expression, not '\(' \(missing closing \): `\(`\)",
        ),
        (
            {"policies": [{"repositories": ["a", "b/{c"]}]},
            "policies[0].repositories[1]",
            r"expected a glob, not 'b/{c' \(a { without }\)",
        ),
        (
            {"policies": [{"repositories": ["**"], "keepTags": [{"mostRecentlyPushedCount": -1}]}]},
            "policies[0].keepTags[0].mostRecentlyPushedCount",
            "expected a whole number",
        ),
        (
            {"policies": [{"repositories": ["**"], "keepTags": [{"pulledWithin": "1h"}]}]},
            "policies[0].keepTags[0].pulledWithin",
            "udist does not record pulls",
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

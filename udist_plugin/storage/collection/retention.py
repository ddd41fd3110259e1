"""Which tags a repository keeps, by rules like those of zot's retention policies.

udist does not record pulls: a tag's age counts from when it was last pushed.
"""

from __future__ import annotations

import re

from udist_plugin.kinds import Duration
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from udist_plugin.oci.digest import Digest
    from udist_plugin.patterns.pattern import Pattern

UNNAMED: Final = "matches no patterns of keepTags"
DURATION: Final = Duration(unit_needed=True)
_FOLLOWER: Final = re.compile(r"(sha\d+)-([0-9a-f]{64})(?:[.-].*)?", re.ASCII)


class Tag(NamedTuple):
    """What a tag points at, and when it was pushed, in seconds since 1970."""

    digest: Digest
    pushed: float


class TagRule(NamedTuple):
    """Keeps, of the tags that match one of ``patterns`` anywhere, those pushed last and those pushed within
    so many seconds; all of them if neither is said. Without patterns every tag matches. ``of`` is what a
    reason calls the patterns."""

    patterns: tuple[Pattern | re.Pattern[str], ...] = ()
    pushed_last: int | None = None
    pushed_within: float | None = None
    of: str = ""

    def matches(self, tag: str) -> bool:
        return not self.patterns or any(pattern.search(tag) for pattern in self.patterns)

    def removes(self, tags: Mapping[str, Tag], now: float) -> Iterator[str]:
        """Of tags that match, in the order in which they were pushed, the last first."""
        if self.pushed_last is None and self.pushed_within is None:
            return
        for place, tag in enumerate(sorted(tags, key=lambda tag: (-tags[tag].pushed, tag))):
            is_last = self.pushed_last is not None and place < self.pushed_last
            is_young = self.pushed_within is not None and now - tags[tag].pushed < self.pushed_within
            if not (is_last or is_young):
                yield tag

    @property
    def reason(self) -> str:
        """Why a tag is removed."""
        parts = []
        if self.pushed_last is not None:
            parts.append(f"not among the {self.pushed_last} pushed last")
        if self.pushed_within is not None:
            parts.append(f"not pushed within {DURATION.show(self.pushed_within)}")
        of = self.of or " ".join(pattern.pattern for pattern in self.patterns)
        return " and ".join(parts) + (f", of {of}" if of else "")


class Policy(NamedTuple):
    """What the repositories keep whose names match one of ``repositories``, or all if there are none.

    ``untagged`` is whether manifests go that no tag leads to, ``referrers`` whether those go, too, whose
    subject is not there. Of the tags each is kept or not by the first rule that it matches, and one that
    matches none is removed; without ``rules`` all are kept.
    """

    repositories: tuple[Pattern, ...] = ()
    untagged: bool = False
    referrers: bool = False
    rules: tuple[TagRule, ...] = ()

    def removed(self, tags: Mapping[str, Tag], now: float) -> dict[str, str]:
        """The tags that go, each with the reason; tags that follow a subject are not counted."""
        if not self.rules:
            return {}
        found: dict[TagRule | None, dict[str, Tag]] = {}
        for tag, each in tags.items():
            if subject_prefix(tag) is None:
                rule = next((rule for rule in self.rules if rule.matches(tag)), None)
                found.setdefault(rule, {})[tag] = each
        removed = dict.fromkeys(found.pop(None, ()), UNNAMED)
        for rule, matching in found.items():
            assert rule is not None
            removed |= dict.fromkeys(rule.removes(matching, now), rule.reason)
        return removed


class Retention(NamedTuple):
    """The policies of a store: of each repository the first that matches its name.

    ``delay`` is how old an untagged manifest is at least before it goes, in seconds. With ``dry_run`` nothing
    is changed.
    """

    policies: tuple[Policy, ...] = ()
    delay: float = 0.0
    dry_run: bool = False

    def policy(self, name: str) -> Policy | None:
        for policy in self.policies:
            if not policy.repositories or any(each.fullmatch(name) for each in policy.repositories):
                return policy
        return None


def subject_prefix(tag: str) -> str | None:
    """How the digest of the manifest begins that a tag follows, such as cosign's ``sha256-….sig``."""
    found = _FOLLOWER.fullmatch(tag)
    return f"{found[1]}:{found[2]}" if found else None

"""Which tags of a repository are meant."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from udist_plugin.errors import ReferenceInvalid
from udist_plugin.patterns.errors import PatternInvalid
from udist_plugin.patterns.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Choice = Callable[[Sequence[str]], list[str]]
    """Of the tags that a repository has, those to copy. May name others, and digests, which must be there."""


def by_pattern(patterns: Sequence[str] = (), without: Sequence[str] = ()) -> Choice:
    """Tags that one of ``patterns`` matches, or all if there are none, and none of ``without``.

    ``*`` stands for any letters, ``?`` for one, ``[0-9]`` for one of a range; capitals count.
    """

    def choose(tags: Iterable[str]) -> list[str]:
        return [
            tag for tag in tags if (not patterns or _matches(tag, patterns)) and not _matches(tag, without)
        ]

    return choose


def by_regex(text: str) -> Choice:
    """Tags in which the regular expression ``text`` is found, in Go's syntax as in skopeo.

    Raises ``ReferenceInvalid``.
    """
    try:
        pattern = Pattern(text)
    except PatternInvalid as error:
        raise ReferenceInvalid(f"not a regular expression: {error}", text) from None
    return lambda tags: [tag for tag in tags if pattern.search(tag)]


def exactly(targets: Sequence[str]) -> Choice:
    """These tags and digests."""
    return lambda _: list(targets)


def _matches(tag: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(tag, pattern) for pattern in patterns)


def union(choices: Sequence[Choice]) -> Choice:
    """What any of ``choices`` names, each once."""
    return lambda tags: list(dict.fromkeys(target for choice in choices for target in choice(tags)))

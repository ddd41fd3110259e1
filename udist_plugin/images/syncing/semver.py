"""Tags by their semantic versions, as skopeo's ``images-by-semver`` has them (Masterminds/semver 3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.errors import ReferenceInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from udist_plugin.images.syncing.choosing import Choice

_PART = r"(?:0|[1-9][0-9]*)"
_REST = r"(?:-(?P<before>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
_VERSION: Final = re.compile(rf"v?(?P<numbers>{_PART}(?:\.{_PART}){{0,2}}){_REST}")
_BOUND: Final = re.compile(
    rf"(?P<sign>!=|>=|=>|<=|=<|~>|[=<>~^]|)\s*v?(?P<numbers>(?:{_PART}|[xX*])(?:\.(?:{_PART}|[xX*])){{0,2}}){_REST}"
)
_RANGE: Final = re.compile(r"(\S+)\s+-\s+(\S+)")

Numbers = tuple[int, ...]


class Version(NamedTuple):
    """Three numbers, and what makes it a version before that one, empty for the version itself."""

    numbers: Numbers
    before: str = ""

    @classmethod
    def parse(cls, tag: str) -> Self | None:
        """Also with a ``v`` and with parts left out; ``None`` for what is no version."""
        match = _VERSION.fullmatch(tag)
        if match is None:
            return None
        return cls(_filled([int(part) for part in match["numbers"].split(".")]), match["before"] or "")

    @property
    def key(self) -> tuple[Numbers, bool, list[tuple[bool, int, str]]]:
        """For comparing (semver.org, 11): what comes before a version is less; numbers less than words."""
        parts = [
            (False, int(part), "") if part.isdecimal() else (True, 0, part) for part in self.before.split(".")
        ]
        return self.numbers, not self.before, parts


class Bound(NamedTuple):
    """One comparison. ``given`` is how many numbers were written: ``1.x`` and ``1`` have one."""

    sign: str
    version: Version
    given: int

    def holds(self, version: Version) -> bool:
        if version.before and not self.version.before:
            return False
        low, after = self.version.key, _after(self.version.numbers, self.given)
        beyond = bool(self.given) and version.numbers >= after
        match self.sign:
            case "!=":
                return version.key < low or (beyond if self.given < 3 else version.key > low)
            case ">":
                return beyond if self.given < 3 else version.key > low
            case ">=" | "=>":
                return version.key >= low
            case "<":
                return version.key < low
            case "<=" | "=<":
                return not beyond if self.given < 3 else version.key <= low
            case "^":
                return version.key >= low and not self._breaks(version.numbers)
            case "~" | "~>":
                end = _after(self.version.numbers, min(self.given, 2))
                return version.key >= low and (not self.given or version.numbers < end)
        return version.key == low if self.given == 3 else version.key >= low and not beyond

    def _breaks(self, numbers: Numbers) -> bool:
        """Whether the leftmost number that is not zero has changed."""
        first = next((index for index, number in enumerate(self.version.numbers) if number), 2)
        return bool(self.given) and numbers >= _after(self.version.numbers, min(first + 1, self.given))


def by_semver(text: str) -> Choice:
    """Tags whose version ``text`` allows, such as ``>= 1.2, < 2 || ^3.1``. Raises ``ReferenceInvalid``."""
    alternatives = [_bounds(part) for part in text.split("||")]

    def choose(tags: Sequence[str]) -> list[str]:
        return [
            tag
            for tag in tags
            if (version := Version.parse(tag))
            and any(all(bound.holds(version) for bound in bounds) for bounds in alternatives)
        ]

    return choose


def _bounds(text: str) -> list[Bound]:
    text = _RANGE.sub(r">=\1 <=\2", text.strip())
    found, end = [], 0
    for match in _BOUND.finditer(text):
        if text[end : match.start()].strip(" ,"):
            break
        end = match.end()
        numbers = [int(part) for part in match["numbers"].split(".") if part not in "xX*"]
        found.append(Bound(match["sign"], Version(_filled(numbers), match["before"] or ""), len(numbers)))
    if not found or text[end:].strip(" ,"):
        raise ReferenceInvalid("not a version constraint; expected for instance '>= 1.2, < 2'", text)
    return found


def _filled(numbers: list[int]) -> Numbers:
    return (*numbers, 0, 0, 0)[:3]


def _after(numbers: Numbers, given: int) -> Numbers:
    """The first version beyond all that begin with the ``given`` first numbers."""
    if not given:
        return numbers
    return _filled([*numbers[: given - 1], numbers[given - 1] + 1])

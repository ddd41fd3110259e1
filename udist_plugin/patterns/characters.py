"""Sets of characters: ranges, and the classes that Go names (https://pkg.go.dev/regexp/syntax)."""

from __future__ import annotations

from udist_plugin.patterns.errors import PatternInvalid
from udist_plugin.typed import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DIGIT: Final = "0123456789"
_LOWER: Final = "abcdefghijklmnopqrstuvwxyz"
_UPPER: Final = _LOWER.upper()
_PRINT: Final = "".join(map(chr, range(0x20, 0x7F)))
_PUNCT: Final = "".join(each for each in _PRINT[1:] if not each.isalnum())

WORD: Final = frozenset(_DIGIT + _LOWER + _UPPER + "_")

_PERL: Final = {"d": frozenset(_DIGIT), "s": frozenset("\t\n\f\r "), "w": WORD}
_POSIX: Final = {
    "alnum": frozenset(_DIGIT + _LOWER + _UPPER),
    "alpha": frozenset(_LOWER + _UPPER),
    "ascii": frozenset(map(chr, range(0x80))),
    "blank": frozenset("\t "),
    "cntrl": frozenset(map(chr, (*range(0x20), 0x7F))),
    "digit": frozenset(_DIGIT),
    "graph": frozenset(_PRINT[1:]),
    "lower": frozenset(_LOWER),
    "print": frozenset(_PRINT),
    "punct": frozenset(_PUNCT),
    "space": frozenset("\t\n\v\f\r "),
    "upper": frozenset(_UPPER),
    "word": WORD,
    "xdigit": frozenset("0123456789ABCDEFabcdef"),
}
_CATEGORIES: Final = frozenset(
    first + second
    for first, letters in {
        "C": "cfos",
        "L": "lmotu",
        "M": "cen",
        "N": "dlo",
        "P": "cdefios",
        "S": "ckmo",
        "Z": "lps",
    }.items()
    for second in ("", *letters)
)
_FOLDED: Final = {"k": "kK\u212a", "s": "sS\u017f", "\xe5": "\xe5\xc5\u212b"}
"""Letters with more than two cases, of those that a pattern may name."""


class Characters:
    """A set of characters, which is asked for one at a time; ``folded``, without regard to case."""

    def __init__(self, holds: Callable[[str], bool], *, negated: bool = False, folded: bool = False) -> None:
        self._holds = holds
        self._negated = negated
        self._folded = folded

    def __contains__(self, character: str) -> bool:
        cases = _cases(character) if self._folded else (character,)
        return any(map(self._holds, cases)) != self._negated


CharacterSet: TypeAlias = "Characters | str"


def span(first: str, last: str, *, folded: bool = False) -> Characters:
    return Characters(lambda character: first <= character <= last, folded=folded)


def union(sets: Sequence[CharacterSet], *, negated: bool = False) -> Characters:
    return Characters(lambda character: any(character in each for each in sets), negated=negated)


def perl(letter: str, *, folded: bool) -> Characters:
    """``d``, ``s``, ``w``; a capital is what the small letter is not."""
    return Characters(_PERL[letter.lower()].__contains__, negated=letter.isupper(), folded=folded)


def posix(name: str, *, folded: bool) -> Characters:
    """``alpha`` and the like, ``^alpha``. Raises ``PatternInvalid`` for a name that is not known."""
    known = _POSIX.get(name.removeprefix("^"))
    if known is None:
        raise PatternInvalid(f"invalid character class range: `[:{name}:]`")
    return Characters(known.__contains__, negated=name.startswith("^"), folded=folded)


def unicode(name: str, *, negated: bool, folded: bool) -> Characters:
    """A general category of Unicode, such as ``Lu`` or ``N``, or ``Any``.

    Raises ``PatternInvalid`` for a name that is not known, such as a script's.
    """
    negated ^= name.startswith("^")
    name = name.removeprefix("^")
    if name == "Any":
        return Characters(lambda _: True, negated=negated)
    if name not in _CATEGORIES:
        raise PatternInvalid(f"invalid character class range: `\\p{{{name}}}`; only categories are known")
    from unicodedata import category

    def holds(character: str) -> bool:
        found = category(character)
        return found.startswith(name) and found != "Cn"

    return Characters(holds, negated=negated, folded=folded)


def _cases(character: str) -> Sequence[str]:
    """The character in every case that is one character."""
    lower, upper = character.lower(), character.upper()
    if character in "\u0130\u0131":  # Turkish: a case only with another letter's
        return character
    others = [each for each in (lower, upper, upper.lower()) if len(each) == 1]
    more = next((cases for cases in _FOLDED.values() if character in cases), "")
    return "".join((character, *others, more))

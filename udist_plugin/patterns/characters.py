"""Sets of characters: ranges, and the classes that Go names (https://pkg.go.dev/regexp/syntax)."""

from __future__ import annotations

from functools import cache

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
        "C": "cfnos",
        "L": "lmotu",
        "M": "cen",
        "N": "dlo",
        "P": "cdefios",
        "S": "ckmo",
        "Z": "lps",
    }.items()
    for second in ("", *letters)
)
_BEYOND_ASCII: Final = {"k": "\u212a", "s": "\u017f"}
_LAST_CASED: Final = 0x1E943


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

    return Characters(lambda character: category(character).startswith(name), negated=negated, folded=folded)


def _cases(character: str) -> str:
    """The character, and those that are the same without regard to case."""
    if character.isascii():
        lower = character.lower()
        return lower + lower.upper() + _BEYOND_ASCII.get(lower, "")
    return _all_cases().get(_folded(character), character)


@cache
def _all_cases() -> dict[str, str]:
    """By what each is folded to. The few milliseconds that this takes are for texts beyond ASCII alone."""
    found: dict[str, str] = {}
    for character in map(chr, range(_LAST_CASED + 1)):
        folded = _folded(character)
        if folded != character:
            found[folded] = found.get(folded, folded) + character
    return found


def _folded(character: str) -> str:
    if character in "\u0130\u0131":  # Turkish: a case only with another letter's
        return character
    upper = character.upper()
    lower = (upper if len(upper) == 1 else character).lower()
    return lower if len(lower) == 1 else character

"""From a pattern's text to its parts, by Go's syntax (https://pkg.go.dev/regexp/syntax)."""

from __future__ import annotations

import re

from udist_plugin.patterns import characters
from udist_plugin.patterns.errors import PatternInvalid
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from udist_plugin.patterns.characters import CharacterSet

LONGEST: Final = 10_000
"""Characters of a pattern."""

DEEPEST: Final = 100
"""Groups within each other."""

REPEATED_MAX: Final = 1000

_REPEAT: Final = re.compile(r"(?:([*+?])|\{(0|[1-9][0-9]*)(,(0|[1-9][0-9]*)?)?\})\??")
_NAMED: Final = re.compile(r"\(\?P?<([0-9A-Za-z_]+)>")
_FLAGS: Final = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?([:)])")
_POSIX: Final = re.compile(r"\[:(.*?):\]", re.DOTALL)
_UNICODE: Final = re.compile(r"\\([pP])(?:\{([^}]*)\}|([^{]))")
_NUMBER: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,8})\}|(0[0-7]{0,2}|[1-7][0-7]{1,2}))")
_QUOTED: Final = re.compile(r"\\Q(.*?)(?:\\E|\Z)", re.DOTALL)

_SIMPLE: Final = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_CONTROLS: Final = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class One(NamedTuple):
    """One character of a set."""

    of: CharacterSet


class Sequence(NamedTuple):
    parts: tuple[Node, ...]


class Choice(NamedTuple):
    parts: tuple[Node, ...]


class Repeat(NamedTuple):
    """``most`` is none for no limit."""

    part: Node
    least: int
    most: int | None


class Assertion(NamedTuple):
    """A place in the text, by the letter of its escape; ``^`` and ``$`` are those of a line."""

    place: str


Node: TypeAlias = "One | Sequence | Choice | Repeat | Assertion"


def parse(text: str) -> Node:
    """Raises ``PatternInvalid``."""
    if len(text) > LONGEST:
        raise PatternInvalid(f"it is longer than {LONGEST:,} characters")
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._flags: frozenset[str] = frozenset()

    def whole(self) -> Node:
        node = self._choice()
        if self._at < len(self._text):
            raise PatternInvalid("unexpected )")
        return node

    def _choice(self) -> Node:
        parts = [self._sequence()]
        while self._next("|"):
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        last = ""
        while self._peek() not in ("", "|", ")"):
            repeat = self._match(_REPEAT)
            if repeat is None:
                parts += self._parts()
            elif last:
                raise PatternInvalid(f"invalid nested repetition operator: `{last}{repeat[0]}`")
            else:
                least, most = _counts(repeat)
                if not parts:
                    raise PatternInvalid(f"missing argument to repetition operator: `{repeat[0]}`")
                parts[-1] = Repeat(parts[-1], least, most)
            last = repeat[0] if repeat else ""
        return Sequence(tuple(parts))

    def _parts(self) -> list[Node]:
        """What stands next: none for flags, one for each character that is quoted."""
        match self._peek():
            case "(":
                return self._group()
            case "[":
                return [One(self._class())]
            case "\\":
                return self._escaped()
        character = self._take()
        match character:
            case ".":
                return [One(characters.union([] if "s" in self._flags else ["\n"], negated=True))]
            case "^":
                return [Assertion("^" if "m" in self._flags else "A")]
            case "$":
                return [Assertion("$" if "m" in self._flags else "z")]
        return [self._literal(character)]

    def _literal(self, character: str) -> Node:
        folded = "i" in self._flags
        return One(characters.span(character, character, folded=folded) if folded else character)

    def _group(self) -> list[Node]:
        before = self._flags
        begin = self._at
        if (flags := self._match(_FLAGS)) is not None:
            self._flags = (self._flags | frozenset(flags[1])) - frozenset(flags[2] or "")
            if flags[3] == ")":
                return []
        elif self._match(_NAMED) is None and self._take() and self._peek() == "?":
            raise PatternInvalid(f"invalid or unsupported Perl syntax: `{self._text[begin : begin + 3]}`")
        self._depth += 1
        if self._depth > DEEPEST:
            raise PatternInvalid(f"more than {DEEPEST} groups are within each other")
        node = self._choice()
        self._depth -= 1
        if not self._next(")"):
            raise PatternInvalid(f"missing closing ): `{self._text[begin : begin + 40]}`")
        self._flags = before
        return [node]

    def _escaped(self) -> list[Node]:
        letter = self._text[self._at + 1 : self._at + 2]
        if letter and letter in "AbBz":
            self._at += 2
            return [Assertion(letter)]
        if (quoted := self._match(_QUOTED)) is not None:
            return [self._literal(each) for each in quoted[1]]
        known = self._known_class()
        return [self._literal(self._character()) if known is None else One(known)]

    def _known_class(self) -> CharacterSet | None:
        folded = "i" in self._flags
        letter = self._text[self._at + 1 : self._at + 2]
        if self._peek() == "\\" and letter and letter in "dDsSwW":
            self._at += 2
            return characters.perl(letter, folded=folded)
        if (found := self._match(_UNICODE)) is not None:
            return characters.unicode(found[2] or found[3] or "", negated=found[1] == "P", folded=folded)
        return None

    def _class(self) -> CharacterSet:
        begin = self._at
        self._take()
        negated = self._next("^")
        sets: list[CharacterSet] = []
        while not (sets and self._next("]")):
            if not self._peek():
                raise PatternInvalid(f"missing closing ]: `{self._text[begin : begin + 40]}`")
            if (found := self._match(_POSIX)) is not None:
                sets.append(characters.posix(found[1], folded="i" in self._flags))
            else:
                known = self._known_class()
                sets.append(self._range() if known is None else known)
        return characters.union(sets, negated=negated)

    def _range(self) -> CharacterSet:
        begin = self._at
        first = last = self._character()
        if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
            self._take()
            last = self._character()
        if last < first:
            raise PatternInvalid(f"invalid character class range: `{self._text[begin : self._at]}`")
        return characters.span(first, last, folded="i" in self._flags)

    def _character(self) -> str:
        if self._peek() != "\\":
            return self._take()
        if (number := self._match(_NUMBER)) is not None:
            value = int(number[3], 8) if number[3] else int(number[1] or number[2], 16)
            if value <= 0x10FFFF:
                return chr(value)
            raise PatternInvalid(f"invalid escape sequence: `{number[0]}`")
        escape = self._take() + self._take()
        if len(escape) < 2:
            raise PatternInvalid("trailing backslash at end of expression")
        if escape[1] in _CONTROLS:
            return _CONTROLS[escape[1]]
        if escape[1].isalnum() or not escape[1].isascii():
            raise PatternInvalid(f"invalid escape sequence: `{escape}`")
        return escape[1]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        self._at += 1
        return self._text[self._at - 1 : self._at]

    def _next(self, wanted: str) -> bool:
        found = self._peek() == wanted
        self._at += found
        return found

    def _match(self, wanted: re.Pattern[str]) -> re.Match[str] | None:
        found = wanted.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found


def _counts(repeat: re.Match[str]) -> tuple[int, int | None]:
    if repeat[1]:
        return _SIMPLE[repeat[1]]
    numbers = [text for text in (repeat[2], repeat[4]) if text]
    if any(len(text) > 4 or int(text) > REPEATED_MAX for text in numbers) or (
        len(numbers) == 2 and int(repeat[2]) > int(repeat[4])
    ):
        raise PatternInvalid(f"invalid repeat count: `{repeat[0]}`")
    least = int(repeat[2])
    return least, least if repeat[3] is None else int(repeat[4]) if repeat[4] else None

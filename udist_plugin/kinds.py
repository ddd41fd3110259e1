"""The types a configuration's value can have: what each accepts, and how it says what it expected."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.patterns.pattern import Pattern as Compiled

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = rf"(\d+\.?\d*|\.\d+)({'|'.join(_UNITS)})"
INFINITY = float("inf")
_LONGEST = 2**63 * 1e-9
"""A Go duration is 64 bits of nanoseconds."""


class Kind:
    """A type of value, by its ``name``, read from its text; ``expected`` is what an error says of it.

    ``parse`` raises ``ValueError`` for text it does not accept.
    """

    name: str
    expected: str

    def parse(self, text: str) -> object:
        raise NotImplementedError

    def show(self, value: object) -> str:
        """The value as one writes it."""
        return str(value)


class Text(Kind):
    """Any text, as it stands; with ``pattern``, only what it matches as a whole."""

    name = "text"

    def __init__(self, expected: str = "text", pattern: str = "") -> None:
        self.expected = expected
        self._pattern = pattern

    def parse(self, text: str) -> str:
        if self._pattern:
            import re

            if re.fullmatch(self._pattern, text) is None:
                raise ValueError
        return text

    def show(self, value: object) -> str:
        from udist_plugin.redaction import without_login, without_query

        return without_query(without_login(str(value)))


class Literal(Text):
    """One text and no other."""

    def parse(self, text: str) -> str:
        if text != self.expected:
            raise ValueError
        return text


class Path(Text):
    """The path of a file or folder."""

    def parse(self, text: str) -> str:
        if not text or "\0" in text:
            raise ValueError
        return text


class Folder(Text):
    """The path of a URL up to a slash, which need not be given."""

    def __init__(self) -> None:
        super().__init__("a path that begins with /, such as /registry/", r"|/[!$&-;=@-Z_a-z~%]*")

    def parse(self, text: str) -> str:
        path = super().parse(text)
        return path if path.endswith("/") else f"{path}/"


class Secret(Text):
    """Text that is not to be shown."""

    name = "secret"

    def show(self, value: object) -> str:
        from udist_plugin.redaction import MASK

        return MASK if value else ""


class Boolean(Kind):
    """The words of YAML 1.1, which distribution's parser takes too."""

    name = "boolean"
    expected = "true or false"
    _words = dict.fromkeys(("true", "yes", "on", "y"), True) | dict.fromkeys(
        ("false", "no", "off", "n"), False
    )

    def parse(self, text: str) -> bool:
        try:
            return self._words[text.lower()]
        except KeyError:
            raise ValueError from None

    def show(self, value: object) -> str:
        return "true" if value else "false"


class Integer(Kind):
    """A whole number, decimal or as ``0x``, ``0o``, ``0b``; below 1 it is ``unset``, if that is given."""

    name = "integer"

    def __init__(self, minimum: int, maximum: int, *, step: int = 1, unset: int | None = None) -> None:
        number = "a whole number" if step == 1 else f"a multiple of {step}"
        self.expected = f"{number} from {minimum} to {maximum}"
        self._range = range(minimum, maximum + 1, step)
        self._unset = unset

    def parse(self, text: str) -> int:
        if len(text) > 32:
            raise ValueError
        try:
            value = int(text, 0)
        except ValueError:  # whose own words are about Python
            raise ValueError from None
        if value not in self._range:
            raise ValueError
        return value if value > 0 or self._unset is None else self._unset


class Choice(Kind):
    """One of a few words, in any case; the value is the word as it stands here. Empty text is ``empty``, if
    that is given."""

    name = "word"

    def __init__(self, *words: str, empty: str | None = None) -> None:
        self.expected = "one of " + ", ".join(words)
        self._words = {word.lower(): word for word in words}
        if empty is not None:
            self._words[""] = empty

    def parse(self, text: str) -> str:
        try:
            return self._words[text.lower()]
        except KeyError:
            raise ValueError from None


class Duration(Kind):
    """Go's durations (``time.ParseDuration``), in seconds.

    A bare number is nanoseconds to distribution where it decodes a duration itself, and an error where it
    parses one from text (upload purging); ``unit_needed`` tells the two apart. Zero is ``unset``, if that is
    given. Below zero is infinity, where ``endless`` allows it: go-redis knows -1 so.
    """

    name = "duration"

    def __init__(
        self,
        *,
        unit_needed: bool = False,
        positive: bool = False,
        unset: float | None = None,
        endless: bool = False,
    ) -> None:
        above = " above zero" if positive else ""
        below = ", or -1 for no limit" if endless else ""
        self.expected = f"a duration{above} such as 90s, 1m30s or 168h{below}"
        self._endless = endless
        self._unit_needed = unit_needed
        self._positive = positive
        self._unset = unset

    def parse(self, text: str) -> float:
        import re

        if len(text) > 64:
            raise ValueError
        if self._endless and re.match(r"-[\d.]", text):
            return INFINITY if self.parse(text[1:]) else 0.0
        if text.isdecimal() and (int(text) == 0 or not self._unit_needed):
            seconds = int(text) * 1e-9
        elif re.fullmatch(rf"\+?({_PART})+", text):
            seconds = sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, text))
        else:
            raise ValueError
        if seconds >= _LONGEST or (self._positive and not seconds):
            raise ValueError
        return seconds if seconds or self._unset is None else self._unset

    def show(self, value: object) -> str:
        if value == INFINITY:
            return "no limit"
        rest = round(float(str(value)) * 1e9)
        shown = ""
        for unit in ("h", "m", "s", "ms", "us", "ns"):
            count, rest = divmod(rest, round(_UNITS[unit] * 1e9))
            shown += f"{count}{unit}" if count else ""
        return shown or "0s"


class Pattern(Kind):
    """A regular expression in Go's syntax, compiled."""

    name = "pattern"
    expected = "a regular expression"

    def parse(self, text: str) -> Compiled:
        from udist_plugin.patterns.pattern import Pattern

        return Pattern(text)

    def show(self, value: object) -> str:
        from udist_plugin.patterns.pattern import Pattern

        assert isinstance(value, Pattern)
        return value.pattern


class Glob(Pattern):
    """A glob for whole names of repositories, compiled; see ``udist_plugin.patterns.globs``."""

    name = "glob"
    expected = "a glob"

    def parse(self, text: str) -> Compiled:
        from udist_plugin.patterns.globs import glob

        return glob(text)


class Anything(Kind):
    """A value of any shape, kept as it stands; the key it belongs to is not read here."""

    name = "any"
    expected = "anything"

    def parse(self, text: str) -> str:
        return text


class Empty(Kind):
    """A mapping without keys: its name says all."""

    name = "mapping"
    expected = "an empty mapping"

    def parse(self, text: str) -> str:
        raise ValueError(text)

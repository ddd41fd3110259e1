"""Globs for the names of repositories, as zot reads them: those of bmatcuk/doublestar."""

from __future__ import annotations

import re

from udist_plugin.patterns.errors import PatternInvalid
from udist_plugin.patterns.pattern import Pattern
from udist_plugin.typed import Final

_TOKEN: Final = re.compile(
    r"(?P<tail>/\*\*(?=\Z|[,}]))"  # in front of it the name may end
    r"|(?P<parts>(?<![^/{,])\*\*/)"
    r"|(?P<rest>(?<![^/{,])\*\*(?=\Z|[,}]))"
    r"|(?P<star>\*+)"
    r"|(?P<one>\?)"
    r"|\[(?P<negated>[!^]?+)(?P<set>(?:\\.|[^\]\\])+)\]"
    r"|(?P<open>\{)|(?P<comma>,)|(?P<close>\})"
    r"|\\(?P<escaped>.)"
    r"|(?P<plain>[^\\\[])",
    re.DOTALL,
)
_WRITTEN: Final = {
    "tail": "(?:/(?s:.*))?",
    "parts": "(?:(?s:.*)/)?",
    "rest": "(?s:.*)",
    "star": "[^/]*",
    "one": "[^/]",
    "open": "(?:",
    "close": ")",
}


def glob(text: str) -> Pattern:
    """A pattern that matches whole names; its ``pattern`` is the glob.

    ``*`` is any number of characters but slashes, ``?`` one. ``**`` between slashes, or at an end, is any
    number of a name's parts. ``[a-z]`` is one of a range, ``[^a-z]`` and ``[!a-z]`` one of none, ``{a,b}``
    one of several globs, and a backslash takes away what the character behind it means.

    Raises ``PatternInvalid``.
    """
    return Pattern(rf"\A(?:{_regular_expression(text)})\z", text)


def _regular_expression(text: str) -> str:
    written = ""
    depth = at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise PatternInvalid("a [ without ]" if text[at] == "[" else "a backslash at its end")
        at = token.end()
        kind = token.lastgroup or ""
        depth += (kind == "open") - (kind == "close")
        if depth < 0:
            raise PatternInvalid("a } without {")
        written += _write(token, kind, within=depth > 0)
    if depth:
        raise PatternInvalid("a { without }")
    return written


def _write(token: re.Match[str], kind: str, *, within: bool) -> str:
    if kind == "set":
        return f"[{'^' * bool(token['negated'])}{_set(token['set'])}]"
    if kind == "comma" and within:
        return "|"
    return _WRITTEN.get(kind) or _escape(token[kind])


def _set(text: str) -> str:
    """What stands between brackets; only ``-`` between two characters means something there."""
    found = re.findall(r"\\.|.", text, re.DOTALL)
    return "".join(
        "-" if each == "-" and 0 < place < len(found) - 1 else _escape(each[-1])
        for place, each in enumerate(found)
    )


def _escape(character: str) -> str:
    return rf"\x{{{ord(character):x}}}"

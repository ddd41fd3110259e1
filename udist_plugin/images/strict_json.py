"""JSON that must be exactly what is expected, as containers/image reads policies and what is signed.

A key that is unknown, missing or given twice is an error that names its place, and so is text behind the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

Read = TypeVar("Read")

SHOWN_MAX: Final = 100
"""Letters of a word that an error repeats. A longer one is no slip of the pen, either."""


class Unexpected(Exception):
    """``path`` is the place in the document, such as ``default[0].type``; ``problem`` what is wrong there."""

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path}: {problem}" if path else problem)


class Node(NamedTuple):
    """A value of a document, and its place."""

    value: object
    path: str = ""

    def members(self) -> dict[str, Node]:
        """The members of an object, each of which has another key."""
        found: dict[str, Node] = {}
        for key, value in self._pairs():
            if key in found:
                self.fail(f"the key {shown(key)} is there twice")
            found[key] = Node(value, self._below(key))
        return found

    def member(self, key: str) -> Node:
        """The member ``key`` of an object, which may have others."""
        values = [value for name, value in self._pairs() if name == key]
        if len(values) != 1:
            self.fail(f"the key {key!r} is {'there twice' if values else 'missing'}")
        return Node(values[0], self._below(key))

    def fields(self, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Node]:
        """The members of an object that has all ``required`` keys, and no others than these and the
        ``optional`` ones."""
        found = self.members()
        known = [*required, *optional]
        for key in found:
            if key not in known:
                self.fail(f"unknown key {shown(key)}{nearest(key, known)}")
        for key in required:
            if key not in found:
                self.fail(f"the key {key!r} is missing")
        return found

    def entries(self) -> list[Node]:
        """The entries of a list."""
        if not isinstance(self.value, list):
            self.fail("expected a list")
        return [Node(value, f"{self.path}[{index}]") for index, value in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str):
            self.fail("expected a string")
        return self.value

    def data(self) -> bytes:
        """The bytes that a string of base64 stands for."""
        return decode(self.text(), self.fail)

    def one_of(self, *words: str) -> str:
        """The one of ``words`` that stands here."""
        word = self.text()
        if word not in words:
            self.fail(f"{shown(word)} is unknown{nearest(word, words)}; expected one of {', '.join(words)}")
        return word

    def as_its_type(self, readers: Mapping[str, Callable[[Node], Read]]) -> Read:
        """What the reader for the object's member ``type`` makes of the object."""
        kind = self.member("type")
        return readers[kind.one_of(*readers)](self)

    def fail(self, problem: str) -> NoReturn:
        raise Unexpected(self.path, problem)

    def _pairs(self) -> list[tuple[str, object]]:
        if not isinstance(self.value, _Object):
            self.fail("expected an object")
        return self.value.pairs

    def _below(self, key: str) -> str:
        if not (key.isascii() and key.replace("-", "").isalpha()):
            return f"{self.path}[{shown(key)}]"
        return f"{self.path}.{key}" if self.path else key


def parse(content: bytes) -> Node:
    """The one value that ``content`` holds. Raises ``Unexpected``."""
    import json

    try:
        text = content.decode()
        return Node(json.loads(text, object_pairs_hook=_Object, parse_constant=_refuse))
    except UnicodeDecodeError as error:
        raise Unexpected("", f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise Unexpected("", f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise Unexpected("", f"not JSON: {error}") from None


def decode(text: str, fail: Callable[[str], NoReturn]) -> bytes:
    """The bytes that the base64 ``text`` stands for; line ends in it count for nothing, as in Go."""
    import base64
    import binascii

    try:
        return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        fail("expected base64")


def shown(word: str) -> str:
    """``word`` in quotes, cut off if it is long."""
    return repr(word if len(word) <= SHOWN_MAX else f"{word[:SHOWN_MAX]}...")


def nearest(word: str, known: Collection[str]) -> str:
    """A question after the known word that is most like ``word``, or nothing."""
    from difflib import get_close_matches

    if len(word) > SHOWN_MAX:
        return ""
    lower = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), lower, n=1)
    return f"; did you mean {lower[near[0]]!r}?" if near else ""


class _Object:
    """An object with its pairs as they were written."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")

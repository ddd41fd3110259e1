"""A driver's section of the configuration: typed values, by the keys that the driver states."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from udist_plugin.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from udist_plugin.keys import Key

T = TypeVar("T")

_ERRORS_MAX: Final = 64
_STAND_IN: Final = "x-not-given"
"""For text that is missing or wrong; where text will not do, the value is taken away at the second error. An
error that shows it is no error of the user's."""


class Section:
    """The values below ``path``, each by the path of its key: as given, or else the key's default.

    ``values`` are those that ``config`` read, of the types that the keys have. Empty text counts as missing.
    Every error is a ``ConfigurationError`` that names the key at fault.
    """

    def __init__(self, path: str, keys: Iterable[Key], values: Mapping[str, object]) -> None:
        self._path = path
        self._values = values
        self._defaults = {key.path: key.default for key in keys}

    def __getitem__(self, name: str) -> Any:
        value = self._given(name)
        return self._defaults[name] if value is None else value

    def given(self, name: str) -> bool:
        return self._given(name) is not None

    def text(self, name: str) -> str:
        """Empty where nothing is given and the key has no default."""
        return self[name] or ""

    def required(self, name: str, what: str) -> str:
        """Text that must be given; ``what`` says what it is, for the error."""
        if not self.given(name):
            raise self.error(name, f"is missing: {what}")
        return self.text(name)

    def credential(self, name: str) -> str:
        """Text that goes into a header, and which no error may show."""
        if not is_printable(value := self.text(name)):
            problem = "has a line break or another control character, as files end with one: remove it"
            raise self.error(name, problem)
        return value

    def mapping(self, name: str) -> Mapping[str, object]:
        """What was given below ``name``."""
        value = self._given(name)
        return value if isinstance(value, Mapping) else {}

    def texts(self, name: str) -> tuple[str, ...]:
        """What a list of texts holds."""
        value = self._given(name)
        return tuple(value) if isinstance(value, list | tuple) else ()

    def prefix(self) -> str:
        """``rootdirectory`` as what every key starts with: empty, or up to a slash."""
        root = self.text("rootdirectory").strip("/")
        return f"{root}/" if root else ""

    def error(self, name: str, problem: str) -> ConfigurationError:
        return ConfigurationError(problem, key=f"{self._path}.{name}")

    def _given(self, name: str) -> object:
        value: object = self._values
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return None if value == "" else value


def is_printable(text: str) -> bool:
    """Whether there are no control characters."""
    return re.search(r"[\x00-\x1f\x7f]", text) is None


def every_error(
    read: Callable[[Mapping[str, object]], tuple[T, str]],
    values: Mapping[str, object],
    *checks: Callable[[T], object],
) -> list[ConfigurationError]:
    """All that ``read`` finds wrong with a section, and then each of ``checks`` with what it made of it; one
    error a key. What only follows from another error is left out.

    Each stops at the first: what is at fault is set aside, and the section read again.
    """
    found: dict[str, ConfigurationError] = {}
    for _ in range(_ERRORS_MAX):
        try:
            settings, _root = read(values)
        except ConfigurationError as error:
            stand_in = None if error.key in found else _STAND_IN
            values = _with(values, error.key.split(".")[2:], stand_in)
            found.setdefault(error.key, error)
            continue
        for check in checks:
            try:
                check(settings)
            except ConfigurationError as error:
                found.setdefault(error.key, error)
        break
    return [error for error in found.values() if _STAND_IN not in error.problem]


def _with(values: Mapping[str, object], names: Sequence[str], value: str | None) -> Mapping[str, object]:
    """``values`` with another one at ``names``, or with none."""
    if not names:
        return values
    below = values.get(names[0])
    inner = _with(below if isinstance(below, Mapping) else {}, names[1:], value) if names[1:] else value
    return {**values, names[0]: inner}

"""A driver's section of the configuration, value by value.

Values come as YAML or a variable gave them: a number, a switch or a time may be text. Empty text counts as
missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from udist_plugin.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION: Final = r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)"  # Go's time.ParseDuration
_ERRORS_MAX: Final = 64
_STAND_IN: Final = "x"
"""For text that is missing or wrong; where text will not do, the value is taken away at the second error."""


def every_error(
    read: Callable[[Mapping[str, object]], tuple[T, str]],
    values: Mapping[str, object],
    *checks: Callable[[T], object],
) -> list[ConfigurationError]:
    """All that ``read`` finds wrong with a section, and then each of ``checks`` with what it made of it; one
    error a key.

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
    return list(found.values())


def _with(values: Mapping[str, object], names: Sequence[str], value: str | None) -> Mapping[str, object]:
    """``values`` with another one at ``names``, or with none."""
    if not names:
        return values
    below = values.get(names[0])
    inner = _with(below if isinstance(below, Mapping) else {}, names[1:], value) if names[1:] else value
    return {**values, names[0]: inner}


def is_printable(text: str) -> bool:
    """Whether there are no control characters."""
    return re.search(r"[\x00-\x1f\x7f]", text) is None


class Parameters:
    """The values below ``key``; every error is a ``ConfigurationError`` that names the key at fault."""

    def __init__(self, key: str, values: Mapping[str, object]) -> None:
        self.key = key
        self._values = values

    def given(self, name: str) -> bool:
        return self._values.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name)
        if value is None or value == "":
            return default
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.error(name, "expected text")
        return str(value)

    def required(self, name: str, what: str) -> str:
        """Text that must be given; ``what`` says of what, for the error."""
        if not (value := self.text(name)):
            raise self.error(name, f"is missing: {what}")
        return value

    def credential(self, name: str) -> str:
        """Text that goes into a header, and which no error may show."""
        if not is_printable(value := self.text(name)):
            problem = "has a line break or another control character, as files end with one: remove it"
            raise self.error(name, problem)
        return value

    def number(self, name: str, default: int, least: int) -> int:
        value = self.text(name, str(default))
        if not re.fullmatch(r"-?\d+", value) or int(value) < least:
            raise self.error(name, f"expected a number of at least {least}, not {value!r}")
        return int(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self._values.get(name, default)
        if value is None or value == "":
            return default
        if str(value).lower() not in ("true", "false"):
            raise self.error(name, "expected true or false")
        return str(value).lower() == "true"

    def seconds(self, name: str, default: float) -> float:
        """A number of seconds, or a time as Go writes it (``1m30s``, ``100ms``)."""
        value = self.text(name, str(default))
        if re.fullmatch(r"\d+(\.\d*)?", value):
            return float(value)
        if not re.fullmatch(f"(?:{_DURATION})+", value):
            raise self.error(name, f"expected a time such as 100ms or 5s, not {value!r}")
        return sum(float(count) * _UNITS[unit] for count, unit in re.findall(_DURATION, value))

    def mapping(self, name: str) -> Mapping[str, object]:
        """The values of a section below, none if it is missing."""
        value = self._values.get(name)
        if value is None or value == "":
            return {}
        if not isinstance(value, Mapping):
            raise self.error(name, "expected a section")
        return {str(key): each for key, each in value.items()}

    def below(self, name: str) -> Parameters:
        return Parameters(f"{self.key}.{name}", self.mapping(name))

    def error(self, name: str, problem: str) -> ConfigurationError:
        return ConfigurationError(problem, key=f"{self.key}.{name}")

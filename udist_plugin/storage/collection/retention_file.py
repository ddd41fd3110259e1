"""Retention policies in the format of zot's configuration, under ``storage.retention``."""

from __future__ import annotations

from udist_plugin.errors import ConfigurationError
from udist_plugin.kinds import Boolean, Glob, Integer, Kind, Pattern
from udist_plugin.storage.collection.retention import DURATION, Policy, Retention, TagRule
from udist_plugin.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZE_MAX: Final = 100_000
"""Instructions of all patterns in a document, and 50 for each: what they take of memory and time."""

_PULLS: Final = ("mostRecentlyPulledCount", "pulledWithin")


def read_retention(document: object, source: str = "") -> Retention:
    """The policies in a document, parsed: the whole of zot's configuration, or what stands below
    ``storage.retention``.

    Raises ``ConfigurationError`` for a key that is not known, or a value that is wrong.
    """
    reader = _Reader(source)
    table = reader.table(document, "")
    for key in ("storage", "retention"):
        if key in table:
            table = reader.table(table[key], key)
    reader.know(table, "", "dryRun", "delay", "policies")
    policies = enumerate(reader.items(table, "policies", ""))
    return Retention(
        tuple(reader.policy(each, f"policies[{place}]") for place, each in policies),
        reader.value(table, "delay", "", DURATION, 0.0),
        reader.value(table, "dryRun", "", Boolean(), False),
    )


class _Reader:
    """Takes values out of a document, and says where one is wrong."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._size = 0

    def policy(self, value: object, at: str) -> Policy:
        table = self.table(value, at)
        self.know(table, at, "repositories", "deleteReferrers", "deleteUntagged", "keepTags")
        repositories = self._patterns(table, "repositories", at, Glob())
        if not repositories:
            problem = "expected at least one glob, such as '**'; without one, zot ignores the policy"
            raise self._error(f"{at}.repositories", problem)
        return Policy(
            repositories,
            self.value(table, "deleteUntagged", at, Boolean(), True),
            self.value(table, "deleteReferrers", at, Boolean(), False),
            tuple(
                self._rule(each, f"{at}.keepTags[{place}]")
                for place, each in enumerate(self.items(table, "keepTags", at))
            ),
        )

    def _rule(self, value: object, at: str) -> TagRule:
        table = self.table(value, at)
        for key in _PULLS:
            if key in table:
                raise self._error(f"{at}.{key}", "cannot be applied: udist does not record pulls; remove it")
        self.know(table, at, "patterns", "mostRecentlyPushedCount", "pushedWithin")
        count: int | None = self.value(table, "mostRecentlyPushedCount", at, Integer(0, 2**31 - 1), None)
        return TagRule(
            self._patterns(table, "patterns", at, Pattern()),
            count or None,  # to zot, zero is no number
            self.value(table, "pushedWithin", at, DURATION, None),
        )

    def table(self, value: object, at: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._error(at, "expected a mapping")
        return value

    def items(self, table: dict[str, Any], key: str, at: str) -> Sequence[object]:
        value = table.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self._error(_below(at, key), "expected a list")
        return value

    def know(self, table: dict[str, Any], at: str, *known: str) -> None:
        for key in table:
            if key not in known:
                raise self._error(_below(at, key), f"is not known; expected {', '.join(known)}")

    def value(self, table: dict[str, Any], key: str, at: str, kind: Kind, default: Any) -> Any:
        value = table.get(key)
        return default if value is None else self._parsed(value, _below(at, key), kind)

    def _patterns(self, table: dict[str, Any], key: str, at: str, kind: Kind) -> tuple[Any, ...]:
        found = self.items(table, key, at)
        if not all(isinstance(each, str) for each in found):
            raise self._error(f"{at}.{key}", "expected a list of strings")
        return tuple(self._pattern(each, f"{at}.{key}[{place}]", kind) for place, each in enumerate(found))

    def _pattern(self, text: object, at: str, kind: Kind) -> Any:
        pattern = self._parsed(text, at, kind)
        self._size += pattern.size + 50
        if self._size > SIZE_MAX:
            raise self._error(at, "is too much: the patterns up to here are too many, or repeat too much")
        return pattern

    def _parsed(self, value: object, at: str, kind: Kind) -> Any:
        try:
            return kind.parse(str(value).lower() if isinstance(value, bool) else str(value))
        except ValueError as error:
            reason = f" ({error})" if error.args else ""
            problem = f"expected {kind.expected}, not {str(value)[:60]!r}{reason}"
            raise self._error(at, problem) from None

    def _error(self, key: str, problem: str) -> ConfigurationError:
        return ConfigurationError(problem, key=key, source=self._source)


def _below(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key

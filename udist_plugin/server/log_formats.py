"""How a record of the log is written: distribution's ``log.formatter`` and ``log.fields``.

Names of fields and levels are logrus's, which distribution logs with.
"""

from __future__ import annotations

import re
import time

from udist_plugin.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    Caller = tuple[str, str] | None
    """The function that a record is from, and the source line; ``None`` where they are not reported."""

    class Format(Protocol):
        """Makes a line, its end included, of seconds since 1970, a level, a message and who records."""

        def __call__(self, now: float, level: str, message: str, caller: Caller = None, /) -> str: ...


RECORD: Final = {
    "json": ("time", "level", "msg"),
    "logstash": ("@timestamp", "level", "message"),
    "hclog": ("@timestamp", "@level", "@message"),
}
"""What time, level and message are called. Logstash's own names, as in distribution v2; v3 calls them as for
``json``. go-plugin's hosts read hclog's."""

CALLER: Final = ("func", "file")
"""What the function and the source line of a record are called, with ``log.reportcaller``."""

_PLAIN = r"[A-Za-z0-9._/@^+-]*"  # what logrus leaves without quotes
_ESCAPES = {
    **{code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))},
    **str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}),
    **str.maketrans({"\u2028": "\\u2028", "\u2029": "\\u2029"}),
}


def formatter(name: str, fields: Mapping[str, object], reports_caller: bool = False) -> Format:
    """The format ``name``, one of text, json, logstash and hclog, with ``fields`` in every record.
    ``reports_caller`` is whether records also say who records."""
    caller = CALLER if reports_caller else ()
    return _text(fields, caller) if name == "text" else _json(name, fields, caller)


def escaped(text: str) -> str:
    """``text`` between quotes: nothing in it can end them, the line, or a terminal's patience."""
    return text.translate(_ESCAPES)


def _text(fields: Mapping[str, object], where: tuple[str, ...]) -> Format:
    named = _without_clashes(fields, ("time", "level", "msg", *where))
    tail = "".join(f" {_value(name)}={_value(value)}" for name, value in sorted(named.items()))

    def line(now: float, level: str, message: str, caller: Caller = None, /) -> str:
        there = "".join(f" {name}={_value(value)}" for name, value in zip(where, caller or (), strict=False))
        return f'time="{_stamp(now)}" level={_level(level)} msg={_value(message)}{there}{tail}\n'

    return line


def _json(name: str, fields: Mapping[str, object], where: tuple[str, ...]) -> Format:
    import json

    at, of, message_of = RECORD[name]
    fixed: dict[str, Any] = _without_clashes(fields, (*RECORD[name], *where))
    if name == "logstash":
        fixed.setdefault("@version", "1")

    def line(now: float, level: str, message: str, caller: Caller = None, /) -> str:
        named = level if name == "hclog" else _level(level)
        there = dict(zip(where, caller or (), strict=False))
        record = {**fixed, at: _stamp(now), of: named, message_of: message, **there}
        return json.dumps(record, separators=(",", ":"), sort_keys=True, default=str) + "\n"

    return line


def _without_clashes(fields: Mapping[str, object], taken: tuple[str, ...]) -> dict[str, object]:
    return {
        f"fields.{name}" if name in taken else name: value
        for name, value in fields.items()
        if value is not None
    }


def _value(value: object) -> str:
    if not isinstance(value, str):
        import json

        value = json.dumps(value, default=str)
    return value if re.fullmatch(_PLAIN, value) else f'"{escaped(value)}"'


def _level(level: str) -> str:
    return "warning" if level == "warn" else level


def _stamp(now: float) -> str:
    """RFC 3339, to the microsecond, in UTC."""
    whole, fraction = divmod(int(now * 1_000_000), 1_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{fraction:06d}Z"

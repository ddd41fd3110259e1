"""A line of each request, in Apache's combined log format, as distribution writes it."""

from __future__ import annotations

import time

from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONGEST = 1200
"""Characters of a target, a referrer or an agent, once escaped."""
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 256))} | {34: '\\"', 92: "\\\\"}


class AccessLog:
    """``application``, with a line given to ``write`` for each request it has answered.

    The time, in UTC, is the request's. The size is what the answer announces: its content may still be on
    its way then, and a caller that hangs up takes less of it.
    """

    def __init__(self, application: Application, write: Callable[[str], object]) -> None:
        self._application = application
        self._write = write
        self._clock = (0, "")

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        began = self._time()
        status = size = "0"

        def started(line: str, fields: list[tuple[str, str]], *exc_info: Any) -> Any:
            nonlocal status, size
            status = line[:3]
            for name, value in fields:
                if name == "Content-Length":
                    size = value
            return start_response(line, fields, *exc_info)

        result = self._application(environ, started)
        method = environ["REQUEST_METHOD"]
        get = environ.get
        user = _quoted(get("REMOTE_USER") or "-")
        self._write(
            f"{get('REMOTE_ADDR') or '-'} - {user} [{began}] "
            f'"{method} {_quoted(get("REQUEST_URI") or _target(environ))} {get("SERVER_PROTOCOL")}" '
            f"{status} {0 if method == 'HEAD' else size} "
            f'"{_quoted(get("HTTP_REFERER", ""))}" "{_quoted(get("HTTP_USER_AGENT", ""))}"'
        )
        return result

    def _time(self) -> str:
        second = int(time.time())
        known, text = self._clock
        if known != second:
            year, month, day, hour, minute, of_minute, *_ = time.gmtime(second)
            text = f"{day:02}/{MONTHS[month - 1]}/{year}:{hour:02}:{minute:02}:{of_minute:02} +0000"
            self._clock = (second, text)
        return text


def _target(environ: dict[str, Any]) -> str:
    """The target, for a server that does not tell it as sent."""
    from urllib.parse import quote

    path = quote((environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1"))
    query: str = environ.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path


def _quoted(text: str) -> str:
    """``text``, of Latin-1 as WSGI has it, so that no client can end its quotes or the line, nor push what
    follows out of what a log takes of a line."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text[:LONGEST]
    return text[: LONGEST // 4].translate(_ESCAPES)

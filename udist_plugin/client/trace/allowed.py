"""What may be shown of text that can hold a secret. Everything else stands as its length in bytes.

A field's value or a query's parameter is shown only if its name is listed here: that a name is not known is
no reason to believe its value harmless.
"""

from __future__ import annotations

import re
from typing import Final

FIELDS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-ranges",
        "allow",
        "cache-control",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "date",
        "docker-content-digest",
        "docker-distribution-api-version",
        "docker-upload-uuid",
        "etag",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "last-modified",
        "location",
        "oci-chunk-min-length",
        "oci-filters-applied",
        "oci-subject",
        "oci-tag",
        "range",
        "retry-after",
        "vary",
    }
)
"""Fields that are shown with their values."""

PARAMETERS: Final = frozenset({"artifactType", "digest", "from", "last", "mount", "n", "tag"})
"""Parameters of a query that are shown with their values: the distribution-spec's."""

_NAMED = re.compile(r"([A-Za-z0-9_.-]{1,64})=(.*[^=].*)")
_URL = re.compile(r"([^?#]*)(?:\?([^#]*))?(?:#(.*))?")
_LOGIN = re.compile(r"^([^/]*//)([^/]*)@")
_PRINTABLE = re.compile(rb"[\x20-\x7e]*")


def shown_value(name: str, value: bytes) -> str | int:
    """A field's value, or its length."""
    if name not in FIELDS or not _PRINTABLE.fullmatch(value):
        return len(value)
    text = value.decode("ascii")
    return shown_url(text) if name == "location" else text


def shown_url(url: str) -> str:
    """A target or location without its login, its fragment, and what is not listed of its query."""
    match = _URL.fullmatch(url)
    if match is None:
        return left_out(url)
    path, query, fragment = match.groups()
    shown = _LOGIN.sub(lambda login: f"{login[1]}{left_out(login[2])}@", path)
    if query is not None:
        shown += "?" + "&".join(map(_shown_parameter, query.split("&")))
    if fragment is not None:
        shown += "#" + left_out(fragment)
    return shown


def shown_message(message: str) -> str:
    """A message without logins and queries: of each word, without what stands before its last ``@``, and
    after its first ``?`` behind that."""
    return re.sub(r"[^ \t\n]+", lambda word: _shown_word(word[0]), message)


def length(text: str) -> int:
    """Bytes of ``text`` on the wire."""
    return len(text.encode(errors="surrogatepass"))


def left_out(text: str) -> str:
    """What stands within a text for a part that is not shown."""
    return f"<{length(text)}>"


def _shown_word(word: str) -> str:
    login, at, rest = word.rpartition("@")
    place, mark, query = rest.partition("?")
    return (left_out(login) if login else "") + at + place + mark + (left_out(query) if query else "")


def _shown_parameter(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    if (equals and name in PARAMETERS) or not parameter:
        return parameter
    if named := _NAMED.fullmatch(parameter):
        return f"{named[1]}={left_out(named[2])}"
    return left_out(parameter)

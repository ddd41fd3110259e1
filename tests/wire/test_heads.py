"""What a head may say, against the grammars of the RFCs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from udist_plugin.wire import heads
from udist_plugin.wire.frames import Request, Response

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""RFC 9110, section 5.6.2."""
AUTHORITY = re.compile(r"[A-Za-z0-9\-._~%!$&'()*+,;=:\[\]]*")
"""RFC 3986, section 3.2, without user information."""
TARGET = re.compile(r"/[!-\"$-~]*|\*")
"""RFC 9112, sections 3.2.1 and 3.2.4."""
VALUE = re.compile(rb"[\t -~\x80-\xff]*")
"""RFC 9110, section 5.5."""

near = st.text(
    st.characters(codec="utf-8") | st.characters(min_codepoint=0x20, max_codepoint=0x7F), max_size=6
)


def request_is_fine(**changed: Any) -> bool:
    return heads.request_problem(Request("GET", "http", "", "/")._replace(**changed)) is None


@given(near)
@example("")
@example("GET\n")
def test_method(text: str) -> None:
    assert request_is_fine(method=text) == bool(TOKEN.fullmatch(text))


@given(near)
@example("")
@example("HTTP")
@example("https")
def test_scheme(text: str) -> None:
    assert request_is_fine(scheme=text) == (text in ("http", "https"))


@given(near)
@example("[::1]:5000")
@example("user@host")
@example("\u00e9")
def test_authority(text: str) -> None:
    assert request_is_fine(authority=text) == bool(AUTHORITY.fullmatch(text))


@given(near | near.map("/{}".format))
@example("*")
@example("**")
@example("/\u00e9")
@example("/#")
@example("/\x7f")
@example('/"<>\\^`{|}')
def test_target(text: str) -> None:
    assert request_is_fine(target=text) == bool(TARGET.fullmatch(text))


@given(near)
@example("")
@example("etag\n")
def test_name(text: str) -> None:
    allowed = TOKEN.fullmatch(text) and text == text.lower() and text not in heads.HOP_BY_HOP
    assert (heads.fields_problem([("a", b""), (text, b"")]) is None) == bool(allowed)


@given(st.binary(max_size=6))
@example(bytes(range(0x20, 0x7F)) + b"\t")
@example(b"\x7f")
@example(b"a\r\n b")
def test_value(value: bytes) -> None:
    assert (heads.fields_problem([("a", value)]) is None) == bool(VALUE.fullmatch(value))


@pytest.mark.parametrize("name", sorted(heads.HOP_BY_HOP))
def test_fields_about_a_connection_never_travel(name: str) -> None:
    assert heads.fields_problem([(name, b"")]) == f"field {name!r} never travels"


@pytest.mark.parametrize("status", [199, 600, 0, 2**32 - 1])
def test_status(status: int) -> None:
    assert heads.response_problem(Response(status)) == f"status {status} is not between 200 and 599"
    assert heads.response_problem(Response(200 + status % 400)) is None


@given(st.lists(st.binary(max_size=3) | st.sampled_from((b"5", b"05", b"9" * 19, b"9" * 20)), max_size=3))
@example([b"\xb2"])
@example([b"5", b"05"])
@example([str(2**63 - 1).encode()])
@example([str(2**63).encode()])
def test_content_length(values: list[bytes]) -> None:
    fields = [("content-length", value) for value in values]
    numbers = all(re.fullmatch(rb"[0-9]{1,19}", value) and int(value) < 2**63 for value in values)
    if numbers and len(set(map(int, values))) <= 1:
        assert heads.content_length(fields) == (int(values[0]) if values else None)
    else:
        with pytest.raises(ValueError, match="content-length is not one number"):
            heads.content_length(fields)


def test_what_is_wrong_is_named_in_few_words() -> None:
    """A peer's megabyte of nonsense does not come back in the reset."""
    long = "x" * 60000
    for problem in (
        heads.request_problem(Request(long + " ", "http", "", "/")),
        heads.request_problem(Request("GET", long + " ", "", "/")),
        heads.request_problem(Request("GET", "http", long + " ", "/")),
        heads.request_problem(Request("GET", "http", "", long)),
        heads.fields_problem([(long, b"\0")]),
        heads.fields_problem([(long + " ", b"")]),
    ):
        assert problem is not None
        assert max(map(len, re.findall("x+", problem))) == 64
        assert len(problem) < 150

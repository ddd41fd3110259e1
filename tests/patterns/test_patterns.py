"""Regular expressions: RE2, of which Go's is a translation, says what they match."""

from __future__ import annotations

import random
import tracemalloc
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from udist_plugin.patterns.errors import PatternInvalid
from udist_plugin.patterns.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET = re2.Options()
QUIET.log_errors = False

FRAGMENTS = (
    *("a", "b", "1", "_", "-", ".", "K", "s", "å", ",", "\n", "]", "}", "{"),
    *(r"\.", r"\d", r"\W", r"\s", r"\S", r"\pL", r"\PN", r"\p{Lu}", r"\p{^Lu}", r"\n", r"\_", r"\\"),
    *(
        r"\x41",
        r"\x{e5}",
        r"\101",
        r"\Qa.\E",
        r"\1",
        r"\Z",
        r"\q",
        "\\",
        "[",
        "[]a]",
        "[a-]",
        "[-a]",
        r"[\d-z]",
    ),
    *("[ab]", "[^a]", "[a-c1]", "[[:alpha:]]", "[[:^digit:]_]", "[^[:space:]\\pN]", "[[:foo:]]", "[b-a]"),
    *("(", "(?:", "(?P<n>", ")", "|", "*", "+", "?", "*?", "{2}", "{1,3}", "{0,2}", "{2,}", "{,2}", "{01}"),
    *("^", "$", r"\b", r"\A", r"\z", "(?i)", "(?s)", "(?m)", "(?U)", "(?i:", "(?-i)", "(?=", "(?x)"),
)
TEXTS = st.text("ab1_-. AKsSkåÅ\n\u212a\u017fZ{,", max_size=8)


def re2_of(pattern: str) -> re2._Regexp | None:
    try:
        return re2.compile(pattern, QUIET)
    except re2.error:
        return None


def ours(pattern: str) -> Pattern | None:
    try:
        return Pattern(pattern)
    except PatternInvalid:
        return None


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=9), st.lists(TEXTS, min_size=3, max_size=10))
def test_re2_says_the_same(fragments: list[str], texts: list[str]) -> None:
    pattern = "".join(fragments)
    if pattern.count("(?P<n>") > 1:  # which Go takes
        return
    theirs, found = re2_of(pattern), ours(pattern)
    assert (theirs is None) == (found is None)
    if theirs is not None and found is not None:
        for text in texts:
            assert found.search(text) == (theirs.search(text) is not None)
            assert found.fullmatch(text) == (theirs.fullmatch(text) is not None)


@given(st.text("ab \n", max_size=6))
def test_places_between_words_and_lines(text: str) -> None:
    for pattern in (r"\Ba", r"a\B", r"\b\B", r"(?m)^a$", r"(?m)^$", r"(?m)a$\nb", r"^\b", r"\B"):
        assert Pattern(pattern).search(text) == (re2.search(pattern, text) is not None)


CASES = (
    "kK\u212a",
    "sS\u017f",
    "åÅ\u212b",
    "\xb5\u03bc\u039c",
    "\u03c2\u03c3\u03a3",
    "\xdf\u1e9e",
    "i\u0131",
    "iI\u0130",
)


@pytest.mark.parametrize("letters", CASES)
@pytest.mark.parametrize("form", ["(?i){}", "(?i)[{}]", "(?i)[^{}]"])
def test_letters_without_regard_to_case(letters: str, form: str) -> None:
    for letter in letters:
        pattern = form.format(letter)
        theirs = [re2.fullmatch(pattern, each) is not None for each in letters]
        assert [Pattern(pattern).fullmatch(each) for each in letters] == theirs


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a**", "invalid nested repetition operator: `**`"),
        ("|*", "missing argument to repetition operator: `*`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a{3,2}", "invalid repeat count: `{3,2}`"),
        ("a{99999999999999999999}", "invalid repeat count"),
        ("(a", "missing closing ): `(a`"),
        ("a)", "unexpected )"),
        ("[a", "missing closing ]: `[a`"),
        ("[b-a]", "invalid character class range: `b-a`"),
        ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
        (r"\p{Greek}", "only categories are known"),
        (r"\x{110000}", "invalid escape sequence"),
        (r"(a)\1", r"invalid escape sequence: `\1`"),
        (r"a\Z", r"invalid escape sequence: `\Z`"),
        ("a\\", "trailing backslash at end of expression"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?<!a)", "invalid or unsupported Perl syntax: `(?<`"),
        ("a" * 10_001, "longer than 10,000 characters"),
        ("((a{1000}){1000}){1000}", "more than 10,000 parts"),
        ("((){1000}){1000}", "more than 10,000 parts"),
        ("(" * 101 + ")" * 101, "more than 100 groups"),
    ],
)
def test_what_is_wrong_is_said_in_gos_words(pattern: str, reason: str) -> None:
    with pytest.raises(PatternInvalid) as caught:
        Pattern(pattern)
    assert reason in str(caught.value)


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^(a+)+b$", "a" * 100_000),
        (r"^https?://([^/]+\.)*example\.com/", "http://" + "a." * 50_000),
        ("(a|a)*b", "a" * 100_000),
        ("a?" * 500 + "a" * 500, "a" * 499),
        ("(x+x+)+y", "x" * 100_000),
        (".*.*.*.*=.*", "a" * 100_000),
        ("(" * 99 + "a" + ")*" * 99 + "b", "a" * 1000),
    ],
)
def test_no_pattern_takes_long(pattern: str, text: str) -> None:
    assert not Pattern(pattern).search(text)


def test_a_pattern_with_more_states_than_are_kept() -> None:
    pattern = Pattern("a[ab]{14}$")
    draw = random.Random(1)
    texts = ["".join(draw.choices("ab", k=200)) for _ in range(20)]
    with little_memory():
        found = [pattern.search(text) for text in texts]
    assert found == [text[-15] == "a" for text in texts]


def test_a_text_with_more_letters_than_are_kept() -> None:
    letters = "".join(map(chr, range(0x100, 0xD800)))
    with little_memory():
        assert not Pattern("x$").search(letters)
    assert Pattern("x$").search(f"{letters}x")


@contextmanager
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


def test_patterns_are_equal_by_their_text() -> None:
    assert len({Pattern("a"), Pattern("a"), Pattern("b")}) == 2
    assert repr(Pattern("a+")) == "Pattern('a+')"

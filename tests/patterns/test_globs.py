"""Globs: what bmatcuk/doublestar, by which zot chooses a policy, makes of them."""

from __future__ import annotations

import pytest

from udist_plugin.patterns.errors import PatternInvalid
from udist_plugin.patterns.globs import glob


@pytest.mark.parametrize(
    ("text", "matching", "others"),
    [
        ("a", ["a"], ["b", "aa", "a/a", "x/a"]),
        ("a.b", ["a.b"], ["axb"]),
        ("a?c", ["abc"], ["ac", "a/c"]),
        ("*", ["a", "abc"], ["a/b"]),
        ("a*", ["a", "abc"], ["a/b", "ba"]),
        ("a*b?c*x", ["abxbbxdbxebxczzx"], ["abxbbxdbxebxczzy"]),
        ("*/b", ["a/b"], ["b", "a/c/b"]),
        ("a?", ["ab"], ["a", "a/"]),
        ("**", ["a", "a/b/c"], []),
        ("a/**", ["a", "a/b", "a/b/c"], ["ab", "b/a"]),
        ("**/c", ["c", "b/c", "a/b/c"], ["abc", "a/bc", "c/a"]),
        ("a/**/d", ["a/d", "a/b/d", "a/b/c/d"], ["ad", "a/bd"]),
        ("a**", ["a", "ab"], ["a/b"]),
        ("**a", ["a", "ba"], ["b/a"]),
        ("a/**b", ["a/b", "a/cb"], ["a/c/b"]),
        ("[a-z]/*", ["b/x"], ["bb/x", "1/x", "[a-z]/x"]),
        ("[^a-c]/*", ["d/x"], ["a/x", "c/x"]),
        ("[!a-c]", ["d"], ["b"]),
        (r"[a\-c]", ["a", "-", "c"], ["b"]),
        (r"[\]x]", ["]", "x"], ["\\"]),
        ("{r,q}/*", ["r/a", "q/b"], ["s/a", "r", "{r,q}/a"]),
        ("{a,b/{c,d}}/x", ["a/x", "b/c/x", "b/d/x"], ["b/x", "a/c/x"]),
        ("{a/**,b}", ["a", "a/x/y", "b"], ["b/x"]),
        ("a{,b}", ["a", "ab"], ["b"]),
        (r"\*\{", ["*{"], ["a{"]),
    ],
)
def test_a_glob_matches_whole_names(text: str, matching: list[str], others: list[str]) -> None:
    assert [name for name in [*matching, *others] if glob(text).fullmatch(name)] == matching
    assert [name for name in [*matching, *others] if glob(text).search(name)] == matching
    assert glob(text).pattern == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a[", "a [ without ]"),
        ("[]a]", "a [ without ]"),
        ("[^]", "a [ without ]"),
        ("a\\", "a backslash at its end"),
        ("{a", "a { without }"),
        ("a}", "a } without {"),
        ("[b-a]", "invalid character class range"),
        ("{a,b}" * 5000, "longer than"),
    ],
)
def test_what_is_no_glob_is_refused(text: str, reason: str) -> None:
    with pytest.raises(PatternInvalid) as caught:
        glob(text)
    assert reason in str(caught.value)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("text", ["**/" * 9 + "x", "{a,a/a}/" * 40 + "x", "*a" * 100 + "x"])
def test_no_glob_takes_long(text: str) -> None:
    assert not glob(text).fullmatch("/".join("a" * 120))
    assert not glob(text).fullmatch("a" * 120)

"""What each type of value takes, and what it makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udist_plugin.kinds import Boolean, Choice, Duration, Glob, Integer, Kind, Pattern, Secret, Text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("168h", 604800.0),
        ("1m30s", 90.0),
        ("1.5h", 5400.0),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("+10s", 10.0),
        ("100ms", 0.1),
        ("5us", 5e-6),
        ("5µs", 5e-6),
        ("0", 0.0),
        ("60000000000", 60.0),
    ],
)
def test_durations_are_those_of_go(text: str, seconds: float) -> None:
    assert Duration().parse(text) == pytest.approx(seconds)


@given(st.integers(0, 2**62))
def test_every_duration_go_prints_is_read(nanoseconds: int) -> None:
    hours, rest = divmod(nanoseconds, 3600 * 10**9)
    minutes, rest = divmod(rest, 60 * 10**9)
    printed = f"{hours}h{minutes}m{rest // 10**9}.{rest % 10**9:09}s"
    assert Duration().parse(printed) == pytest.approx(nanoseconds * 1e-9)


@pytest.mark.parametrize(
    "text", ["", "s", "1", "1d", "-1s", "1 s", "1s ", "1h2", "1e3s", "9999999h", "9" * 70 + "h"]
)
def test_a_duration_that_needs_a_unit_takes_nothing_else(text: str) -> None:
    with pytest.raises(ValueError):
        Duration(unit_needed=True).parse(text)


@pytest.mark.parametrize("text", ["-", "--1", "-+1s", "-s"])
def test_a_duration_without_a_limit_is_below_zero(text: str) -> None:
    with pytest.raises(ValueError):
        Duration(endless=True).parse(text)


def test_an_interval_is_above_zero() -> None:
    with pytest.raises(ValueError):
        Duration(positive=True).parse("0s")


@pytest.mark.parametrize("text", ["true", "True", "YES", "on", "y"])
def test_yes(text: str) -> None:
    assert Boolean().parse(text) is True


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Boolean(), "maybe"),
        (Boolean(), "1"),
        (Integer(0, 10), "11"),
        (Integer(0, 10), "-1"),
        (Integer(0, 10), "ten"),
        (Integer(0, 10), "9" * 5000),
        (Choice("a", "b"), "c"),
        (Pattern(), "(a"),
        (Pattern(), "a{99999999999}"),
        (Pattern(), "(?=a)"),
        (Glob(), "{a"),
        (Text("a word", r"\w+"), "two words"),
        (Text("a word", r"\w+"), "word\n"),
    ],
)
def test_other_text_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError):
        kind.parse(text)


def test_numbers_words_and_text() -> None:
    assert Integer(0, 100).parse("0x1f") == 31
    assert Choice("error", "info").parse("INFO") == "info"
    assert Text().parse("1e5\n") == "1e5\n"


def test_a_number_of_steps_and_one_that_stands_for_none() -> None:
    assert Integer(4, 16, step=4).parse("12") == 12
    with pytest.raises(ValueError):
        Integer(4, 16, step=4).parse("13")
    assert Integer(4, 16, step=4).expected == "a multiple of 4 from 4 to 16"
    limit = Integer(-10, 10, unset=7)
    assert [limit.parse(text) for text in ("-3", "0", "5")] == [7, 7, 5]


def test_a_word_is_as_it_stands_in_the_schema() -> None:
    assert Choice("STANDARD", "private").parse("standard") == "STANDARD"
    assert Choice("STANDARD", "private").parse("Private") == "private"


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        (Duration(), "604800s", "168h"),
        (Duration(), "90s", "1m30s"),
        (Duration(), "0.1s", "100ms"),
        (Duration(), "0", "0s"),
        (Duration(endless=True), "-1", "no limit"),
        (Duration(endless=True), "-2s", "no limit"),
        (Duration(endless=True), "-0s", "0s"),
        (Boolean(), "yes", "true"),
        (Boolean(), "off", "false"),
        (Integer(0, 99), "0x10", "16"),
        (Pattern(), "^a$", "^a$"),
        (Glob(), "a/**", "a/**"),
        (Secret(), "hidden", "******"),
        (Secret(), "", ""),
        (Text(), "as it is", "as it is"),
    ],
)
def test_a_value_is_shown_as_one_writes_it(kind: Kind, text: str, shown: str) -> None:
    assert kind.show(kind.parse(text)) == shown


@given(st.integers(0, 10**15))
def test_a_duration_that_is_shown_is_read_again(microseconds: int) -> None:
    kind = Duration()
    shown = kind.show(microseconds / 10**6)
    assert kind.parse(shown) == pytest.approx(microseconds / 10**6, abs=1e-6)

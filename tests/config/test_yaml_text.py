"""YAML to nodes: lines, nulls, merges, and no way to make much out of little."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udist_plugin.config.nodes import Items, Node, Scalar, Table, plain
from udist_plugin.config.yaml_text import parse_yaml
from udist_plugin.errors import ConfigurationError


def at(node: Node, name: str) -> Node:
    assert isinstance(node, Table)
    return node.entries[name]


def test_every_node_knows_its_line() -> None:
    root = parse_yaml("version: 0.1\nlog:\n  level: info\n  hooks:\n    - type: mail\n", "config.yml")
    assert at(root, "version").source == "config.yml:1"
    level = at(at(root, "log"), "level")
    assert level.source == "config.yml:3"
    hooks = at(at(root, "log"), "hooks")
    assert isinstance(hooks, Items)
    assert hooks.source == "config.yml:4"
    assert hooks.items[0].source == "config.yml:5"


def test_text_stands_as_it_is_written() -> None:
    """``version`` is 0.10 and a secret 1e5, whatever numbers they would make."""
    assert plain(parse_yaml("a: 0.10\nb: 1e5\nc: 0777\nd: 2001-01-01\ne: 1:30", "f")) == {
        "a": "0.10",
        "b": "1e5",
        "c": "0777",
        "d": "2001-01-01",
        "e": "1:30",
    }


def test_null_is_what_yaml_calls_null_and_nothing_quoted() -> None:
    text = "a:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: !!str ~"
    assert plain(parse_yaml(text, "f")) == {"a": None, "b": None, "c": None, "d": "", "e": "null", "f": "~"}


def test_an_empty_document_is_null() -> None:
    assert plain(parse_yaml("# nothing\n", "f")) is None
    assert plain(parse_yaml("", "f")) is None


def test_aliases_and_merges() -> None:
    text = "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz: {<<: [*x, *y], a: 5}\nw: *x\nv: {<<: *y}"
    root = plain(parse_yaml(text, "f"))
    assert isinstance(root, dict)
    assert root["z"] == {"a": "5", "b": "2", "c": "4"}
    assert root["w"] == {"a": "1", "b": "2"}
    assert root["v"] == {"b": "3", "c": "4"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3", "f:3: the key 'a' appears twice, first at f:1"),
        ("a: [1, 2", "f:1: not YAML: expected ',' or ']'"),
        ("a: 1\n  b: 2", "f:2: not YAML: mapping values are not allowed here"),
        ("a: *b", "f:1: an alias without an anchor; quote a value that begins with *"),
        ("a: &a [*a]", "f:1: an alias without an anchor"),
        ("? [a]\n: b", "f:1: expected a name for a key"),
        ("a: {<<: 1}", "f:1: expected a mapping to merge"),
        ("a: !!python/object/apply:os.system [x]", "f:1: expected plain YAML, found a tag"),
        ("a: !secret", "f:1: expected plain YAML, found a tag; quote a value that begins with !"),
        ("a: 1\n---\nb: 2", "f:2: expected one document"),
        ("a: " + "[" * 40 + "]" * 40, "f:1: nested more than 32 levels deep"),
        ("a: \x01", "f: not YAML"),
        ("a" * 300_000, "f: longer than"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_yaml(text, "f")
    assert str(caught.value).startswith(problem)


def test_aliases_count_as_what_they_stand_for() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 8):
        bomb += f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n"
    with pytest.raises(ConfigurationError, match="more than 20000 values"):
        parse_yaml(bomb, "f")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        node = parse_yaml(text, "f")
    except ConfigurationError as error:
        assert error.source.startswith("f")
    else:
        assert isinstance(node, Scalar | Table | Items)

"""What is read without PyYAML is what PyYAML reads."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from udist_plugin.config.nodes import Items, Node, Table
from udist_plugin.config.plain_yaml import read_plain
from udist_plugin.config.yaml_text import parse_any

PIECES = [
    *(
        "a",
        "b",
        "null",
        "~",
        "0.1",
        "/srv",
        "x:5000",
        "http://h/p",
        "two words",
        "-1",
        "<<",
        "&a",
        "*a",
        "!t",
    ),
    *(": ", ":", "- ", "-", ", ", ",", "{", "}", "[", "]", " #", "# c", '"q"', "'q'", '"', "'", "'it''s'"),
    *("\\", "|", ">", "?", "? ", "%", "@", "---", "...", " ", "  ", "    ", "\n", "\n", "\n", "\n  ", "\n- "),
    *(
        "a: ",
        "b:\n",
        "c: d\n",
        "  e: f\n",
        "  - g\n",
        "- h: i\n",
        "  j:\n",
        "\t",
        "\r\n",
        "é",
        "\u2028",
        "\ufeff",
    ),
]
"""What texts are made of, so that many of them are YAML, and many nearly."""

CONFIGURATION = """\
version: 0.1
log: {level: error, accesslog: {disabled: true}, fields: {}}  # quiet
storage:
  filesystem:
    rootdirectory: /var/lib/registry
  delete: {enabled: true}
  maintenance:
health:
  storagedriver:
    interval: 10s

http:
  secret: "a secret: with all"
  headers:
    X-Content-Type-Options: [nosniff, 'x, y', "z"]
notifications:
  endpoints:
  - name: local
    url: http://localhost:5000/callback
    # none is ignored
    ignore: {mediatypes: [application/octet-stream], actions: []}
  -   name: other
      timeout: 1s
"""


def seen(node: Node) -> object:
    """All that a node is."""
    if isinstance(node, Table):
        return "table", node.source, [(name, seen(value)) for name, value in node.entries.items()]
    if isinstance(node, Items):
        return "items", node.source, [seen(item) for item in node.items]
    return "scalar", node.source, node.text


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
@example("a: b\n  c")
@example("a:\n- b\nc: d")
@example("- a:\n  - b\n c: d")
@example("a: [b, c: d, {e: f}]")
@settings(max_examples=2000, deadline=None)
def test_a_text_that_is_read_is_read_as_by_pyyaml(text: str) -> None:
    node = read_plain(text, "f", lines=True)
    if node is not None:
        assert seen(node) == seen(parse_any(text, "f"))


NAMES = st.sampled_from(["a", "b-c", "x.y", "Z_1", "0"])
SCALARS = st.sampled_from(
    ["v", "0.1", "two words", "h:5000", "", "null", "~", '"q: x"', "'{}'", "/p", "a@b=c"]
)


def tables(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.dictionaries(NAMES, inner, min_size=1, max_size=3)


def lists(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner.filter(lambda item: item and not isinstance(item, list)), min_size=1, max_size=3)


def block(value: object) -> list[str]:
    """The lines of it."""
    lines = []
    if isinstance(value, dict):
        for name, below in value.items():
            lines += [f"{name}: {below}"] if isinstance(below, str) else [f"{name}:", *indented(below)]
    elif isinstance(value, list):
        for item in value:
            first, *others = [item] if isinstance(item, str) else block(item)
            lines += [f"- {first}", *(f"  {line}" for line in others)]
    return lines


def indented(value: object) -> list[str]:
    return [f"  {line}" for line in block(value)]


@given(tables(st.recursive(SCALARS, lambda inner: tables(inner) | lists(inner), max_leaves=8)))
@settings(max_examples=300, deadline=None)
def test_blocks_are_read_as_by_pyyaml(value: object) -> None:
    text = "\n".join(block(value))
    node = read_plain(text, "f", lines=True)
    assert node is not None
    assert seen(node) == seen(parse_any(text, "f"))


@pytest.mark.parametrize("text", ["{}: v", "a:\n- {}: v", "a: {{b: c, {}: v}}"])
def test_a_key_is_read_up_to_its_longest(text: str) -> None:
    """PyYAML takes no more than 1,024 characters for a key."""
    short, long = text.format("k" * 1024), text.format("k" * 1025)
    node = read_plain(short, "f", lines=True)
    assert node is not None
    assert seen(node) == seen(parse_any(short, "f"))
    assert read_plain(long, "f", lines=True) is None


def test_a_configuration_is_read() -> None:
    node = read_plain(CONFIGURATION, "f", lines=True)
    assert node is not None
    assert seen(node) == seen(parse_any(CONFIGURATION, "f"))


def test_lines_may_not_matter() -> None:
    node = read_plain("level: debug", "VARIABLE", lines=False)
    assert node is not None
    assert node.source == "VARIABLE"


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "- ", "a: 'it''s'", 'a: "\\n"', "a: |\n  b", "a: &x b\nc: *x", "a: b\na: c", "a: {b: c,}"),
        *("a: b # 'c", "a:\n    b: c\n  d: e", "a: b\n  c: d", "---\na: b", "null: a", "a: é", "a:\tb"),
        "a: " + "[" * 20 + "]" * 20,
        "a: b\n" * 5000,
    ],
)
def test_the_rest_is_left_to_pyyaml(text: str) -> None:
    assert read_plain(text, "f", lines=True) is None

"""Suggestions for unknown names. Most resemble no known name, and comparing letters rules that out without
importing ``difflib``, which would slow down the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.config.schema import Deferred, Section

if TYPE_CHECKING:
    from collections.abc import Iterable

    from udist_plugin.config.schema import SchemaNode


def nearest(name: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """The known name that is most like ``name``, if one is at least so like it (1: equal)."""
    size, has = len(name), set(name).__contains__
    candidates = []
    for other in known:
        # What difflib finds is never more: a letter that one of them lacks equals nothing in it.
        least = likeness * (size + len(other)) / 2
        if least > min(size, len(other)) or least > sum(map(has, other)):
            continue
        if least <= sum(map(set(other).__contains__, name)):
            candidates.append(other)
    if not candidates:
        return None
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, candidates, 1, likeness)), None)


def nearest_variable(schema: SchemaNode, name: str, *, top: bool = True) -> str | None:
    """The variable for which ``name`` may have been meant, both without what names the section ``schema``.

    At the ``top``, nothing is imported to find it.
    """
    section = _section(schema)
    word, _, rest = name.partition("_")
    if word in section.variables:
        return _below(section, word, rest)
    for above, key in section.variables.items():
        child = section.children[key]
        if not (top and isinstance(child, Deferred)) and word in _section(child).variables:
            return _below(section, above, name)
    if near := nearest(word, section.variables):
        return _below(section, near, rest)
    return nearest(name, section.variables) if rest and not top else None


def _below(section: Section, word: str, rest: str) -> str | None:
    child = section.children[section.variables[word]]
    if not rest or not _section(child).variables:
        return nearest(f"{word}_{rest}", section.variables) or word
    near = nearest_variable(child, rest, top=False)
    return near and f"{word}_{near}"


def _section(schema: SchemaNode) -> Section:
    if isinstance(schema, Deferred):
        schema = schema.section()
    return schema if isinstance(schema, Section) else Section()

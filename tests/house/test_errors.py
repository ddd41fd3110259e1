"""The tree of errors that ``errors.py`` draws is the tree of its classes."""

from __future__ import annotations

import re

from udist_plugin import errors


def drawn() -> dict[str, str]:
    """Each class of the drawing, and the one it hangs from."""
    found: dict[str, str] = {}
    branch = {-1: "Exception"}  # the last class at each depth
    for line in (errors.__doc__ or "").splitlines():
        stem, names = re.fullmatch(r"([│├└─ ]*)((?:[A-Z]\w+(?:  (?=[A-Z]))?)*).*", line, re.DOTALL).groups()  # type: ignore[union-attr]
        depth = len(stem) // 4
        for name in names.split():
            if hasattr(errors, name):
                assert name not in found, f"{name} is drawn twice"
                found[name] = branch[depth - 1]
                branch[depth] = name
    return found


def test_the_drawing_is_the_tree() -> None:
    classes = [each for each in vars(errors).values() if isinstance(each, type)]
    assert drawn() == {each.__name__: each.__bases__[0].__name__ for each in classes}

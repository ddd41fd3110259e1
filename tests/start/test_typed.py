"""What stands in for ``typing`` at run time does what that does, as far as it is used."""

from __future__ import annotations

import pickle
import subprocess
import sys
import typing

import pytest

from tests.house.generate import REPOSITORY
from udist_plugin import typed
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.registry import Page


class Pair(typed.NamedTuple):
    """Two of them."""

    first: int
    second: str = "2"

    @property
    def both(self) -> str:
        return f"{self.first}{self.second}"

    @classmethod
    def of(cls, first: int) -> typed.Self:
        return cls(first)


def test_a_named_tuple_has_what_its_class_says() -> None:
    pair = Pair.of(1)
    assert (pair, pair.both, pair._replace(first=3).both) == ((1, "2"), "12", "32")
    assert (Pair.__doc__, Pair.__module__, Pair._fields) == ("Two of them.", __name__, ("first", "second"))
    assert repr(pair) == "Pair(first=1, second='2')"
    assert pickle.loads(pickle.dumps(pair)) == pair
    assert typing.get_type_hints(Pair) == {"first": int, "second": str}
    with pytest.raises(TypeError, match="first"):
        Pair()  # type: ignore[call-arg]


def test_one_that_is_generic_can_be_told_of_what() -> None:
    assert typing.get_origin(Page[str]) is Page
    assert Page([1]) == ([1], None)


def test_the_types_of_what_is_offered_can_be_asked_for() -> None:
    assert typing.get_type_hints(Descriptor)["size"] is int


def test_nothing_takes_what_is_not_there() -> None:
    """A name that a type checker finds in ``typing`` has to stand for something at run time, too."""
    lines = (REPOSITORY / "udist_plugin" / "typed.py").read_text().splitlines()
    offered = [line.rpartition(" as ")[2] for line in lines if line.startswith("    from typing import ")]
    assert offered
    program = f"import udist_plugin.typed as typed; [getattr(typed, name) for name in {offered!r}]"
    subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=True, timeout=30)

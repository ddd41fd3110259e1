"""A pattern as a program: instructions that a text is followed through, all ways at once."""

from __future__ import annotations

from udist_plugin.patterns.errors import PatternInvalid
from udist_plugin.patterns.syntax import Assertion, Choice, One, Repeat, Sequence
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from udist_plugin.patterns.characters import CharacterSet
    from udist_plugin.patterns.syntax import Node

LARGEST: Final = 10_000
"""Parts of a pattern, each counted as often as it is repeated."""


class Take(NamedTuple):
    """Goes on at ``then`` behind one character of a set."""

    of: CharacterSet
    then: int


class Fork(NamedTuple):
    """Goes on at each of these."""

    to: tuple[int, ...]


class Check(NamedTuple):
    """Goes on at ``then`` if the text is at this place; see ``Assertion``."""

    place: str
    then: int


class Accept(NamedTuple):
    """Has matched."""


Instruction: TypeAlias = "Take | Fork | Check | Accept"


class Program(NamedTuple):
    instructions: list[Instruction]
    start: int


def compile_program(node: Node) -> Program:
    """Raises ``PatternInvalid`` for a pattern that is too large."""
    compiler = _Compiler()
    return Program(compiler.instructions, compiler.put(node, 0))


class _Compiler:
    """Works from the end to the beginning: what is put in knows where it goes on."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = [Accept()]
        self._parts = 0

    def put(self, node: Node, then: int) -> int:
        """The place of ``node``, which goes on at ``then``."""
        self._parts += 1
        if self._parts > LARGEST:
            raise PatternInvalid(f"it has more than {LARGEST:,} parts, repetitions included")
        match node:
            case One():
                return self._add(Take(node.of, then))
            case Assertion():
                return self._add(Check(node.place, then))
            case Choice():
                return self._add(Fork(tuple([self.put(part, then) for part in node.parts])))
            case Sequence():
                for part in reversed(node.parts):
                    then = self.put(part, then)
                return then
            case Repeat():
                return self._repeat(node, then)

    def _repeat(self, node: Repeat, then: int) -> int:
        part, least, most = node
        if most is None:
            loop = self._add(Fork(()))
            again = self.put(part, loop)
            self.instructions[loop] = Fork((again, then))
            then, least = (again, least - 1) if least else (loop, 0)
        else:
            end = then
            for _ in range(most - least):
                then = self._add(Fork((self.put(part, then), end)))
        for _ in range(least):
            then = self.put(part, then)
        return then

    def _add(self, instruction: Instruction) -> int:
        self.instructions.append(instruction)
        return len(self.instructions) - 1

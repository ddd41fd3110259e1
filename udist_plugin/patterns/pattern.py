"""A pattern, and whether a text matches it, in time that grows with the text's length alone."""

from __future__ import annotations

from udist_plugin.patterns.characters import WORD
from udist_plugin.patterns.program import Accept, Check, Fork, Take, compile_program
from udist_plugin.patterns.syntax import parse
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.patterns.program import Program

_REMEMBERED: Final = 2_000
"""States that are kept count their instructions, and the steps between them: at most these, and four times
the program's instructions."""

_BEGIN: Final = ""
"""What is in front of the first character, and behind the last."""


class Pattern:
    """A regular expression in Go's syntax.

    ``pattern`` is its text, or what it was written as, and ``size`` how many instructions it has.

    Raises ``PatternInvalid``. Threads may share it: what they remember at the same time they remember twice.
    """

    def __init__(self, text: str, written: str = "") -> None:
        self.pattern = written or text
        program = compile_program(parse(text))
        self.size = len(program.instructions)
        self._anywhere = _Automaton(program, whole=False)
        self._whole = _Automaton(program, whole=True)

    def __repr__(self) -> str:
        return f"Pattern({self.pattern!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and self.pattern == other.pattern

    def __hash__(self) -> int:
        return hash(self.pattern)

    def search(self, text: str) -> bool:
        """Whether it matches anywhere in ``text``."""
        return self._anywhere.matches(text)

    def fullmatch(self, text: str) -> bool:
        """Whether it matches ``text`` as a whole."""
        return self._whole.matches(text)


class _State:
    """Where the text's beginning leads: to these instructions, behind a character like ``before``."""

    __slots__ = ("at", "before", "ends", "then")

    def __init__(self, at: frozenset[int], before: str) -> None:
        self.at = at
        self.before = before
        self.then: dict[str, _State] = {}
        self.ends: bool | None = None


class _Automaton:
    """Makes its states when a text leads there, and forgets them all when they are too many."""

    def __init__(self, program: Program, *, whole: bool) -> None:
        self._program = program
        self._whole = whole
        places = {each.place for each in program.instructions if isinstance(each, Check)}
        self._looks_back = not places <= {"A", "z"}
        self._most = _REMEMBERED + 4 * len(program.instructions)
        self._states: dict[tuple[frozenset[int], str], _State] = {}
        self._size = 0
        self._accepted = _State(frozenset(), _BEGIN)

    def matches(self, text: str) -> bool:
        state = self._state(frozenset((self._program.start,)), _BEGIN)
        for character in text:
            state = state.then.get(character) or self._step(state, character)
            if state is self._accepted:
                return True
        if state.ends is None:
            state.ends = self._reached(state, _BEGIN)[1]
        return state.ends

    def _step(self, state: _State, character: str) -> _State:
        takes, accepted = self._reached(state, character)
        if accepted and not self._whole:
            after = self._accepted
        else:
            at = {take.then for take in takes if character in take.of}
            if not self._whole:
                at.add(self._program.start)
            after = self._state(frozenset(at), self._kind(character))
        if self._size > self._most:
            self._forget()
        self._size += 1
        state.then[character] = after
        return after

    def _forget(self) -> None:
        for each in list(self._states.values()):
            each.then.clear()
        self._states.clear()
        self._size = 0

    def _state(self, at: frozenset[int], before: str) -> _State:
        state = self._states.get((at, before))
        if state is None:
            self._size += len(at) + 1
            state = self._states[at, before] = _State(at, before)
        return state

    def _kind(self, character: str) -> str:
        """A character that assertions cannot tell from this one."""
        if not self._looks_back or character == "\n":
            return "\n"
        return "a" if character in WORD else " "

    def _reached(self, state: _State, after: str) -> tuple[list[Take], bool]:
        """What takes a character next if ``after`` is that, and whether the pattern is at its end."""
        takes: list[Take] = []
        accepted = False
        waiting = list(state.at)
        seen: set[int] = set()
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            match self._program.instructions[place]:
                case Take() as take:
                    takes.append(take)
                case Fork(to):
                    waiting += to
                case Check(place=wanted, then=then):
                    if _is_at(wanted, state.before, after):
                        waiting.append(then)
                case Accept():
                    accepted = True
        return takes, accepted


def _is_at(place: str, before: str, after: str) -> bool:
    """``before`` and ``after`` are empty where the text begins and ends."""
    match place:
        case "A":
            return before == _BEGIN
        case "z":
            return after == _BEGIN
        case "^":
            return before in (_BEGIN, "\n")
        case "$":
            return after in (_BEGIN, "\n")
    return ((before in WORD) != (after in WORD)) == (place == "b")

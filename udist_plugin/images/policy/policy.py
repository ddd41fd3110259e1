"""A signature policy (containers-policy.json(5)): which requirements apply to which image."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.errors import PolicyInvalid
from udist_plugin.images.policy.reading import read_requirements
from udist_plugin.images.policy.requirements import AcceptAnything, Requirement
from udist_plugin.images.policy.scopes import problem_of
from udist_plugin.images.strict_json import Node, Unexpected, parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from udist_plugin.images.policy.subject import PolicyImage

Requirements = tuple[Requirement, ...]


class Rule(NamedTuple):
    """The requirements at one place of a policy. ``transport`` is ``None`` for the default of all."""

    requirements: Requirements
    transport: str | None = None
    scope: str = ""

    @property
    def place(self) -> str:
        """``default``, or ``transports.docker['example.com']``."""
        return "default" if self.transport is None else f"transports.{self.transport}[{self.scope!r}]"


class Policy(NamedTuple):
    """The default, and the requirements of each scope of each transport. ``source`` is the file's path."""

    default: Requirements
    transports: Mapping[str, Mapping[str, Requirements]] = {}
    source: str = ""

    @classmethod
    def parse(cls, content: bytes, source: str = "") -> Self:
        """Reads a policy file as strictly as containers/image does. Raises ``PolicyInvalid``."""
        try:
            fields = parse(content).fields(("default",), ("transports",))
            transports = fields["transports"].members() if "transports" in fields else {}
            return cls(
                read_requirements(fields["default"]),
                {name: _scopes(name, scopes) for name, scopes in transports.items()},
                source,
            )
        except Unexpected as error:
            raise PolicyInvalid(error.problem, key=error.path, source=source) from None

    @classmethod
    def accepting_anything(cls) -> Self:
        """The policy of a user who wants none."""
        return cls((AcceptAnything(),))

    def rule_for(self, image: PolicyImage) -> Rule:
        """What applies to ``image``: the nearest scope of its transport alone, else the default."""
        scopes = self.transports.get(image.transport, {})
        for scope in image.scopes:
            if scope in scopes:
                return Rule(scopes[scope], image.transport, scope)
        return Rule(self.default)


def _scopes(transport: str, node: Node) -> dict[str, Requirements]:
    members = node.members()
    for scope, member in members.items():
        if problem := problem_of(transport, scope):
            member.fail(f"not a valid scope of {transport}: {problem}")
    return {scope: read_requirements(member) for scope, member in members.items()}

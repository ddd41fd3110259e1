"""What the parts of the typed configuration have in common."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, dataclass_transform

if TYPE_CHECKING:
    from typing import Self


@dataclass_transform(frozen_default=True)
class Part:
    """A part of the configuration: immutable, its values in the order of their annotations.

    Neither a named tuple nor a dataclass, because making a dozen of those is felt in every start.
    """

    def __init__(self, *values: object) -> None:
        self.__dict__.update(zip(self.__annotations__, values, strict=True))

    def changed(self, **values: object) -> Self:
        """The same with other ``values``, by name."""
        return type(self)(*(self.__dict__ | values).values())

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a configuration cannot be changed: {name}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.__dict__)})"  # without values: some are secrets

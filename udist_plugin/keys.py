"""The row that describes a configuration key, for the parser, the documentation and the driver alike.

A path names a key as in YAML; ``[]`` after a name stands for the entries of a list, ``*`` for any name.
"""

from collections.abc import Iterable

from udist_plugin.kinds import Kind
from udist_plugin.typed import Final, NamedTuple

WORKS: Final = "works"
NO_EFFECT: Final = "no effect"
"""Accepted and named once in the log: there is nothing here for it to act on."""
NO_LISTENER: Final = "no effect without a listener"
"""The same, of what a server listens with."""


class Required:
    """The default of a key that has none: its section is an error without it."""


REQUIRED: Final = Required()


class Key(NamedTuple):
    """A row: where, of what type, worth what when absent, for what, and whether it works."""

    path: str
    kind: Kind
    default: object
    effect: str
    status: str = WORKS


def below(section: str, keys: Iterable[Key]) -> list[Key]:
    """The rows of a section with their whole paths."""
    return [key._replace(path=f"{section}.{key.path}") for key in keys]

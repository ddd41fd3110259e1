"""Names of ``typing``, which takes ten times as long to import: a tenth of a plugin's start.

A type checker sees ``typing`` itself. Nothing reads annotations at run time, so most names only have to
exist.
"""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any as Any
    from typing import ClassVar as ClassVar
    from typing import Final as Final
    from typing import Generic as Generic
    from typing import NamedTuple as NamedTuple
    from typing import NoReturn as NoReturn
    from typing import Protocol as Protocol
    from typing import Self as Self
    from typing import TypeAlias as TypeAlias
    from typing import TypeVar as TypeVar
    from typing import cast as cast
    from typing import dataclass_transform as dataclass_transform
else:
    from collections import namedtuple

    Any = ClassVar = Final = NoReturn = Self = TypeAlias = object

    class Generic:
        def __class_getitem__(cls, _):
            return cls

    class Protocol(Generic):
        pass

    def TypeVar(name, **_):  # noqa: N802
        return name

    def cast(_, value):
        return value

    def dataclass_transform(**_):
        return lambda decorated: decorated

    _OF_THE_CLASS = {"__module__", "__qualname__", "__annotations__", "__annotate__", "__annotate_func__"}

    class _Fields(type):
        """Makes a named tuple of a class's annotations and defaults, and puts the rest of it there."""

        def __new__(cls, name, bases, namespace):
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            fields = namespace.get("__annotations__")
            if fields is None:  # Python 3.14 works them out when they are asked for
                fields = type(name, (), dict(namespace)).__annotations__
            defaults = [namespace[field] for field in fields if field in namespace]
            made = namedtuple(name, fields, defaults=defaults, module=namespace["__module__"])
            for attribute, value in namespace.items():
                if attribute not in fields and attribute not in _OF_THE_CLASS:
                    setattr(made, attribute, value)
            made.__annotations__ = fields
            return made

    class NamedTuple(metaclass=_Fields):
        pass

"""``udist.accesscontrol``: who may do what in which repositories, in the words of zot's ``accessControl``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.config.part import Part
from udist_plugin.keys import Key
from udist_plugin.kinds import Choice, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT = Text()
_ACTION = Choice("read", "create", "update", "delete")

KEYS: Final = (
    Key("groups.*.users[]", _TEXT, None, "the users of a group"),
    Key("repositories.*.policies[].users[]", _TEXT, None, "users who may do more"),
    Key("repositories.*.policies[].groups[]", _TEXT, None, "groups that may do more"),
    Key("repositories.*.policies[].actions[]", _ACTION, None, "what they may do"),
    Key("repositories.*.defaultpolicy[]", _ACTION, None, "what everyone who is logged in may do"),
    Key("repositories.*.anonymouspolicy[]", _ACTION, None, "what everyone may do without a login"),
    Key("adminpolicy.users[]", _TEXT, None, "users who may do more in every repository"),
    Key("adminpolicy.groups[]", _TEXT, None, "groups that may do more in every repository"),
    Key("adminpolicy.actions[]", _ACTION, None, "what they may do; with read they see the catalog"),
)


class Group(Part):
    users: tuple[str, ...]


class Policy(Part):
    """What ``users``, and those of ``groups``, may do: read, create, update, delete."""

    users: tuple[str, ...]
    groups: tuple[str, ...]
    actions: tuple[str, ...]


class Repositories(Part):
    """What is allowed in the repositories whose names match a pattern."""

    policies: tuple[Policy, ...]
    defaultpolicy: tuple[str, ...]
    anonymouspolicy: tuple[str, ...]


class AccessControl(Part):
    """``repositories`` by pattern: ``*`` is part of a name's component, ``**`` any number of them. Of those
    that match, the longest counts."""

    groups: Mapping[str, Group]
    repositories: Mapping[str, Repositories]
    adminpolicy: Policy


MODELS: Final = {
    "": AccessControl,
    "groups.*": Group,
    "repositories.*": Repositories,
    "repositories.*.policies[]": Policy,
    "adminpolicy": Policy,
}

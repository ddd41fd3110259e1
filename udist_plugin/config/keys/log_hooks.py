"""``log.hooks``: mail about records of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from udist_plugin.config.part import Part
from udist_plugin.keys import REQUIRED, Key
from udist_plugin.kinds import Boolean, Choice, Secret, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

_LEVEL: Final = Choice("panic", "fatal", "error", "warn", "warning", "info", "debug", "trace")
_SERVER = Text("host and port of a mail server, such as mail.example:587", r"[^\s:]+:[0-9]{1,5}")
_ADDRESS = Text("a mail address", r"[^\s<>@]+@[^\s<>@]+")

KEYS: Final = (
    Key("type", Choice("mail"), REQUIRED, "mail"),
    Key("disabled", Boolean(), False, "ignore this hook"),
    Key("levels[]", _LEVEL, None, "the levels that send mail; panic is an unexpected exception"),
    Key("options.smtp.addr", _SERVER, REQUIRED, "the mail server"),
    Key("options.smtp.username", Text(), "", "its user"),
    Key("options.smtp.password", Secret(), "", "the user's password"),
    Key("options.smtp.insecure", Boolean(), False, "accept any certificate, and log in without TLS"),
    Key("options.from", _ADDRESS, REQUIRED, "the sender"),
    Key("options.to[]", _ADDRESS, None, "the recipients"),
)

VARIABLES: Final = {"MAILOPTIONS": "options"}


class Hook(Part):
    """A hook that is not disabled. ``type`` is mail, ``levels`` are logrus's. ``options`` is a mapping,
    because one of its names, ``from``, cannot be an attribute."""

    type: str
    levels: tuple[str, ...]
    options: Mapping[str, Any]


MODELS: Final = {"": Hook}

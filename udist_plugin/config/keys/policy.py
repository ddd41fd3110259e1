"""``policy``: the classes of content that a registry takes."""

from __future__ import annotations

from typing import Final

from udist_plugin.config.part import Part
from udist_plugin.keys import Key
from udist_plugin.kinds import Text

KEYS: Final = (Key("repository.classes[]", Text(), None, "the classes of content accepted: image, plugin"),)


class Repository(Part):
    """``classes`` are image and plugin; every class is accepted if there are none."""

    classes: tuple[str, ...]


class Policy(Part):
    repository: Repository


MODELS: Final = {"": Policy, "repository": Repository}

"""Configuration files, as text: what is read of them, and what is wrong with them."""

from __future__ import annotations

import re

from udist_plugin.config import Configuration, examine, load

HOOK = (
    "{type: mail, levels: [panic], options: "
    "{smtp: {addr: 'mail.example:25'}, from: b@example, to: [c@example]}}"
)
"""A hook of the log."""

INMEMORY = {"REGISTRY_STORAGE": "inmemory"}


def file_of(text: str) -> tuple[str, dict[str, str]]:
    """A file, and variables that name a driver unless it has a section ``storage`` itself."""
    return "version: 0.1\n" + text, {} if re.search("^storage:", text, re.M) else INMEMORY


def configured(text: str) -> Configuration:
    return load(*file_of(text), config_name="config.yml").configuration


def problems(text: str) -> list[str]:
    examined = examine(*file_of(text), config_name="config.yml")
    assert (examined.configuration is None) == bool(examined.errors)
    return [str(error) for error in examined.errors]

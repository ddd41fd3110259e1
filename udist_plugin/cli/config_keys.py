"""``udist config keys``."""

from __future__ import annotations

import argparse
import re

from udist_plugin.cli.options import add_json_option
from udist_plugin.cli.output import print_json, print_table
from udist_plugin.config.keys import all_keys
from udist_plugin.keys import REQUIRED, Key
from udist_plugin.kinds import Choice

_EPILOG = """\
Shows each key's type, its default, what it does, and whether udist supports it.
[] marks the entries of a list; * stands for any name.

To set a key by a variable, prefix REGISTRY_, write it in upper case, and replace
dots by underscores: REGISTRY_STORAGE_S3_BUCKET, REGISTRY_HEALTH_TCP_0_ADDR.

examples:
  udist config keys
  udist config keys storage.s3
  udist config keys --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument(
        "keys", nargs="?", metavar="SECTION", type=_keys, help="list only the keys of this section"
    )
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    keys = arguments.keys or all_keys()
    if arguments.json:
        print_json({"keys": [_entry(key) for key in keys]})
    else:
        head = ("KEY", "TYPE", "DEFAULT", "STATUS", "EFFECT")
        print_table([head, *map(_row, keys)])


def _keys(section: str) -> list[Key]:
    """The keys in ``section``, or the one key of that name."""
    keys = [key for key in all_keys() if re.match(rf"{re.escape(section)}(\[\])?(\.|$)", key.path)]
    if not keys:
        raise argparse.ArgumentTypeError(f"there is no key or section {section!r}")
    return keys


def _row(key: Key) -> tuple[str, str, str, str, str]:
    words = f" ({key.kind.expected})" if isinstance(key.kind, Choice) else ""
    return key.path, key.kind.name, _default(key) or "-", key.status, f"{key.effect}{words}"


def _default(key: Key) -> str | None:
    if key.default is REQUIRED:
        return "required"
    return None if key.default is None else key.kind.show(key.default)


def _entry(key: Key) -> dict[str, object]:
    return {
        "key": key.path,
        "type": key.kind.name,
        "expected": key.kind.expected,
        "default": None if key.default is REQUIRED else _default(key),
        "required": key.default is REQUIRED,
        "status": key.status,
        "effect": key.effect,
    }

"""Which tags and manifests ``udist gc`` removes, as its options say."""

from __future__ import annotations

import argparse
import re
from fnmatch import translate

from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.options import add_tag_options, file_path
from udist_plugin.config.files import read_document
from udist_plugin.storage.collection.retention import DURATION, Policy, Retention, TagRule
from udist_plugin.storage.collection.retention_file import read_retention
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def add_retention_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--untagged", action="store_true", help="remove manifests that no tag leads to")
    parser.add_argument(
        "--keep-last", type=_count, metavar="N", help="remove tags, except the N of a repository pushed last"
    )
    parser.add_argument(
        "--older-than",
        type=duration,
        metavar="DURATION",
        help="remove tags that were last pushed longer ago, such as 36h, 30d or 8w",
    )
    add_tag_options(parser)
    parser.add_argument(
        "--retention", metavar="FILE", type=file_path, help="remove by the policies in a YAML file"
    )


def wanted_retention(arguments: argparse.Namespace) -> Retention:
    """The policies that the options ask for. Raises ``WrongCommandLine`` and ``ConfigurationError``."""
    removes = arguments.keep_last is not None or arguments.older_than is not None
    if arguments.retention and (removes or arguments.untagged or arguments.tags or arguments.exclude):
        raise WrongCommandLine(arguments.parser, "--retention: give the policies either in a file or here")
    if arguments.undo and (arguments.retention or removes or arguments.untagged):
        raise WrongCommandLine(arguments.parser, "--undo restores everything, and removes nothing")
    if arguments.undo and arguments.grace is not None:
        raise WrongCommandLine(arguments.parser, "--undo restores everything at once; leave --grace out")
    if (arguments.tags or arguments.exclude) and not removes:
        raise WrongCommandLine(arguments.parser, "--tag, --exclude: give --keep-last or --older-than, too")
    if arguments.retention:
        return read_retention(read_document(arguments.retention), arguments.retention)
    rules: list[TagRule] = []
    if removes:
        chosen, spared = _patterns(arguments.tags), _patterns(arguments.exclude)
        rules = [TagRule(spared)] if spared else []
        of = " ".join(arguments.tags)
        rules += [TagRule(chosen, arguments.keep_last, arguments.older_than, of), TagRule()]
    policy = Policy(untagged=arguments.untagged, rules=tuple(rules))
    return Retention((policy,) if removes or arguments.untagged else ())


def _patterns(texts: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"\A{translate(text)}") for text in texts)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 9):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of tags")
    return int(text)


def duration(text: str) -> float:
    """Seconds, written in Go's units, with weeks and days before them."""
    rest = text
    whole = 0.0
    for unit, seconds in ("w", 7 * 24 * 3600.0), ("d", 24 * 3600.0):
        count, found, after = rest.partition(unit)
        if found and count.isascii() and count.isdecimal() and len(count) < 6:
            whole, rest = whole + int(count) * seconds, after
    try:
        return whole + (DURATION.parse(rest) if rest or rest == text else 0.0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 36h, 30d or 8w") from None

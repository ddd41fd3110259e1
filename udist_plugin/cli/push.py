"""``udist push``."""

from __future__ import annotations

import argparse
import os
import re
from contextlib import ExitStack

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.options import (
    add_common_options,
    add_concurrency_option,
    annotation,
    checked,
    reference,
)
from udist_plugin.cli.output import print_json
from udist_plugin.cli.progress import progress_of
from udist_plugin.cli.standard_input import spooled
from udist_plugin.errors import TagInvalid
from udist_plugin.images.push import Source, push_artifact
from udist_plugin.images.selection import Selection
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.reference import check_tag
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.oci.reference import Reference

_MEDIA_TYPE = re.compile(
    r"[A-Za-z0-9][\w!#$&^.+-]{0,126}/[A-Za-z0-9][\w!#$&^.+-]{0,126}", re.ASCII
)  # RFC 6838, 4.2

_EPILOG = """\
Prints the digest of the new manifest.

Each file becomes one layer, named after the file. A folder becomes one tar+gzip
layer that "udist pull" unpacks again. This is the artifact format of oras. The
same content always gets the same digest.

A --exclude pattern without a slash matches names at any depth; one with a slash
matches paths inside the folder. A slash at its end matches only folders.
Everything in a folder that matches is left out. Patterns do not apply to the
files and folders named on the command line.

examples:
  udist push demo/readme:v1 README.md
  udist push backups/site:2024-05-01,latest dump.sql uploads/
  udist push backups/home . --exclude .cache/ --exclude '*.tmp' --skip-special
  udist push demo/chart:v1 values.json:application/json --artifact-type application/vnd.example.chart
  udist push demo/readme --subject v1 --artifact-type application/spdx+json sbom.json
  pg_dump shop | udist push backups/shop:monday - --name shop.sql
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument(
        "target",
        type=_target,
        metavar="NAME[:TAG[,TAG...]]",
        help="the repository and its tags (default: latest)",
    )
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH[:MEDIA-TYPE]",
        help="a file or folder, and optionally its media type; - is standard input",
    )
    parser.add_argument(
        "--name",
        metavar="FILE[:MEDIA-TYPE]",
        help="the file name of standard input in the artifact (default: stdin)",
    )
    parser.add_argument("--artifact-type", type=_media_type, metavar="TYPE", help="the artifact type")
    parser.add_argument(
        "-a",
        "--annotation",
        action="append",
        default=[],
        type=annotation,
        metavar="KEY=VALUE",
        help="add an annotation to the manifest; repeat for more",
    )
    parser.add_argument(
        "--subject",
        metavar="TAG|DIGEST",
        type=_subject,
        help="the manifest, in the same repository, that the artifact refers to; "
        "without a TAG, the artifact then stays untagged",
    )
    _add_folder_options(parser)
    add_concurrency_option(parser)
    add_common_options(parser)


def _add_folder_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("folders")
    group.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="PATTERN",
        help="leave out what matches, such as '*.log', 'build/*.o' or '.git/'; repeat for more",
    )
    group.add_argument("--skip-special", action="store_true", help="leave out sockets, pipes and devices")
    group.add_argument(
        "-L", "--dereference", action="store_true", help="pack what symbolic links lead to, not the links"
    )


def run(arguments: argparse.Namespace) -> None:
    target, tags = arguments.target
    if not tags and arguments.subject is None:
        tags = ["latest"]
    if arguments.name is not None and "-" not in arguments.paths:
        raise WrongCommandLine(arguments.parser, "--name is for standard input, and no PATH is -")
    with ExitStack() as stack:
        selection = Selection(tuple(arguments.exclude), arguments.skip_special, arguments.dereference)
        sources = [_source(path, arguments.name or "stdin", selection, stack) for path in arguments.paths]
        registry = stack.enter_context(connected(arguments))
        subject = registry.resolve_manifest(target.name, arguments.subject) if arguments.subject else None
        with progress_of("push", quiet=arguments.quiet) as progress:
            pushed = push_artifact(
                registry,
                target.name,
                sources,
                tags=tags,
                artifact_type=arguments.artifact_type,
                annotations=dict(arguments.annotation),
                subject=subject,
                progress=progress,
                concurrency=arguments.concurrency,
            )
    if arguments.json:
        print_json({"reference": target.name, "tags": tags, **pushed.descriptor.to_json()})
    else:
        print(pushed.descriptor.digest)


def _target(text: str) -> tuple[Reference, list[str]]:
    first, *more = text.split(",")
    target = reference(first)
    if target.digest:
        raise argparse.ArgumentTypeError("cannot push to a digest; give a tag instead")
    if more and not target.tag:
        raise argparse.ArgumentTypeError(f"{text!r} has no first tag; write NAME:TAG,TAG")
    try:
        return target, [check_tag(tag) for tag in ([target.tag] if target.tag else []) + more]
    except TagInvalid as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _subject(text: str) -> Digest | str:
    return checked(Digest if ":" in text else check_tag, text)


def _media_type(text: str) -> str:
    if not _MEDIA_TYPE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a media type")
    return text


def _source(word: str, name: str, selection: Selection, stack: ExitStack) -> Source:
    """``PATH[:MEDIA-TYPE]``; for ``-``, standard input by such a ``name``, kept until ``stack`` is left."""
    if word == "-":
        return Source.of(*_divided(name))._replace(path=stack.enter_context(spooled()))
    path, media_type = (word, None) if os.path.lexists(word) else _divided(word)
    return Source.of(path, media_type, selection)


def _divided(word: str) -> tuple[str, str | None]:
    """The path and the media type behind it, if there is one."""
    path, colon, media_type = word.rpartition(":")
    return (path, media_type) if colon and _MEDIA_TYPE.fullmatch(media_type) else (word, None)

"""``udist gc``."""

from __future__ import annotations

import argparse
import os

from udist_plugin.cli.counting import counting
from udist_plugin.cli.options import add_config_option, add_json_option
from udist_plugin.cli.output import note, print_json, print_table, printable, size_text
from udist_plugin.cli.retaining import add_retention_options, wanted_retention
from udist_plugin.cli.stores import opened_with_sizes
from udist_plugin.storage.collection.collect import GRACE, collect, undo
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from udist_plugin.storage.collection.step import Step

_EPILOG = """\
Finds blobs that no manifest refers to. Shows what it would do, unless --apply is
given. Plugins and stock registries can use the store meanwhile.

No blob is deleted at once. The first run with --apply moves it to quarantine,
below docker/registry/v2/udist/quarantine, where udist still finds it. A run at
least 24 hours later deletes it, or restores it if a manifest refers to it again.
So run the command every day. A run that was killed does no harm: the next goes on.

--untagged also removes manifests that no tag leads to, in the same way. It keeps
the manifests of an index that is kept, and signatures and other referrers of what
is kept. --keep-last and --older-than remove tags; with both, a tag goes only if
both say so. --retention takes policies from a file instead, as zot has them.
Tags of the form sha256-... go with their subject, and are not counted. What is
under a lease is kept; see udist lease --help.

If a link or a manifest cannot be read, nothing is moved or deleted.

examples:
  udist gc --config config.yml
  udist gc --config config.yml --apply
  udist gc --keep-last 10 --older-than 720h --tag 'dev-*' --untagged
  udist gc --retention retention.yml --apply
  udist gc --config config.yml --undo
"""

NICENESS: Final = 10
"""How much less of a busy processor a run gets than those who push meanwhile."""
_OF_BLOBS: Final = ("action", "digest", "size")
_OF_MANIFESTS: Final = ("action", "name", "tag", "digest", "reason")
_HOURS: Final = int(GRACE // 3600)

_SAID: Final = {
    "delete": "nothing refers to them, and they were in quarantine for the grace",
    "restore": "in quarantine, but a manifest refers to them",
    "quarantine": "nothing refers to them",
    "wait": "in quarantine; the grace is not over",
    "keep": "nothing refers to them, but they are newer than the grace",
}
"""The actions on blobs."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--apply", action="store_true", help="do it, instead of only showing it")
    what.add_argument("--undo", action="store_true", help="restore everything that is in quarantine")
    parser.add_argument(
        "--grace",
        type=_hours,
        default=_HOURS,
        metavar="HOURS",
        help=f"how long a blob stays in quarantine at least (default and minimum: {_HOURS})",
    )
    add_retention_options(parser)
    add_config_option(parser)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    changes = arguments.apply or arguments.undo
    retention = wanted_retention(arguments)
    driver, sizes = opened_with_sizes(arguments, to_be="collected" if changes else "")
    if arguments.undo:
        _show(undo(driver), arguments)
        return
    if retention.dry_run and arguments.apply:
        note("dryRun is true in the policies: nothing is changed")
    with counting("manifests read") as progress:
        steps = collect(
            driver,
            apply=arguments.apply,
            grace=arguments.grace * 3600.0,
            retention=retention,
            progress=progress,
            pause=_pause,
            forget=sizes.forget,
            note=note,
        )
        found = _show(steps, arguments)
    if found and not changes and not arguments.json:
        print("nothing was changed; use --apply to do this")


def _show(steps: Iterable[Step], arguments: argparse.Namespace) -> bool:
    """Whether there was anything. What happens to tags and manifests is shown one by one, as it is done."""
    totals = {action: [0, 0] for action in _SAID}
    found: list[dict[str, object]] = []
    removals = 0
    for step in steps:
        if step.name:
            removals += 1
            if not arguments.json:
                print(printable(_line(step)), flush=True)
        else:
            totals[step.action][0] += 1
            totals[step.action][1] += step.size
        if arguments.json:
            found.append(step._asdict())
    if arguments.json:
        print_json(
            {
                "applied": arguments.apply or arguments.undo,
                "totals": {
                    action: {"blobs": count, "bytes": size} for action, (count, size) in totals.items()
                },
                "blobs": [{key: step[key] for key in _OF_BLOBS} for step in found if not step["name"]],
                "manifests": [{key: step[key] for key in _OF_MANIFESTS} for step in found if step["name"]],
            }
        )
        return bool(found)
    rows = [
        (action, str(count), "blob" if count == 1 else "blobs", size_text(size), _SAID[action])
        for action, (count, size) in totals.items()
        if count
    ]
    if rows:
        print_table(rows)
    elif not removals:
        print("nothing is in quarantine" if arguments.undo else "no garbage was found")
    return bool(rows or removals)


def _line(step: Step) -> str:
    what = f"{step.name}:{step.tag}" if step.tag else f"{step.name}@{step.digest}"
    return f"{step.action}  {what}" + (f"  {step.reason}" if step.reason else "")


def _pause(seconds: float) -> None:
    import time

    note(f"waiting {seconds:.0f} seconds for pushes that have just begun")
    time.sleep(seconds)


def _hours(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and int(text) >= _HOURS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of hours from {_HOURS}")
    return int(text)

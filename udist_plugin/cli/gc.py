"""``udist gc``."""

from __future__ import annotations

import argparse
import os
from contextlib import closing

from udist_plugin.cli.counting import counting_phases
from udist_plugin.cli.gc_report import BLOBS, RESTORED, Document, Lines, Output
from udist_plugin.cli.options import add_config_option, add_json_option
from udist_plugin.cli.output import note
from udist_plugin.cli.retaining import add_retention_options, duration, wanted_retention
from udist_plugin.cli.stores import opened_with_sizes
from udist_plugin.storage.collection.collect import GRACE, collect, undo
from udist_plugin.storage.collection.retention import DURATION
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

    from udist_plugin.cli.gc_report import Report
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.collection.retention import Retention
    from udist_plugin.storage.collection.step import Progress, Step
    from udist_plugin.storage.sizes.sizes import Sizes

_EPILOG = """\
Finds blobs that no manifest refers to. Shows what it would do, unless --apply is
given. Plugins and stock registries can use the store meanwhile.

No blob is deleted at once. The first run with --apply moves it to quarantine,
below docker/registry/v2/udist/quarantine, where udist still finds it. A run at
least 24 hours later deletes it, or restores it if a manifest refers to it again.
So run the command every day. A run that was interrupted or killed does no harm: the
next goes on. One that only lost its output, as to head, finishes its work first.

--untagged also removes manifests that no tag leads to, in the same way. It keeps
the manifests of an index that is kept, and signatures and other referrers of what
is kept. --keep-last and --older-than remove tags; with both, a tag goes only if
both say so. --retention takes policies from a file in zot's format instead.
Tags of the form sha256-... go with their subject, and are not counted. What is
under a lease is kept; see udist lease --help.

If a manifest or its link cannot be read, nothing is deleted.

examples:
  udist gc --config config.yml
  udist gc --config config.yml --apply
  udist gc --keep-last 10 --older-than 30d --tag 'dev-*' --untagged
  udist gc --retention retention.yml --apply
  udist gc --config config.yml --undo
"""


NICENESS: Final = 10
"""How much less of a busy processor a run gets than those who push meanwhile."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--apply", action="store_true", help="do it, instead of only showing it")
    what.add_argument("--undo", action="store_true", help="restore everything that is in quarantine")
    parser.add_argument(
        "--grace",
        type=_grace,
        metavar="DURATION",
        help="minimum time in quarantine, in hours or such as 36h or 7d (default and minimum: "
        f"{DURATION.show(GRACE)})",
    )
    add_retention_options(parser)
    add_config_option(parser)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    retention = wanted_retention(arguments)
    changes = arguments.undo or (arguments.apply and not retention.dry_run)
    driver, sizes = opened_with_sizes(arguments, changes=arguments.undo or arguments.apply)
    if retention.dry_run and arguments.apply:
        note("dryRun is true in the policies: nothing is changed")
    try:
        with (
            counting_phases() as counter,
            closing(_steps(arguments, driver, sizes, retention, counter)) as steps,
        ):
            report = _report(arguments, Output(lasting=changes, before=counter.clear), changes=changes)
            for step in steps:
                report.add(step)
    except KeyboardInterrupt:
        if changes:
            note("interrupted; nothing is lost, and the next run continues")
        raise
    report.end()


def _steps(
    arguments: argparse.Namespace,
    driver: StorageDriver,
    sizes: Sizes,
    retention: Retention,
    progress: Progress,
) -> Generator[Step]:
    if arguments.undo:
        return undo(driver, progress)
    return collect(
        driver,
        apply=arguments.apply,
        grace=GRACE if arguments.grace is None else arguments.grace,
        retention=retention,
        progress=progress,
        pause=_pause,
        forget=sizes.forget,
        note=note,
    )


def _report(arguments: argparse.Namespace, output: Output, *, changes: bool) -> Report:
    if arguments.json:
        return Document(output, applied=changes)
    if arguments.undo:
        return Lines(output, RESTORED, "there was nothing to restore")
    hint = "" if arguments.apply else "nothing was changed; use --apply to do this"
    return Lines(output, BLOBS, "no garbage was found", hint)


def _pause(seconds: float) -> None:
    import time

    note(f"waiting {seconds:.0f} seconds for pushes that have just begun")
    time.sleep(seconds)


def _grace(text: str) -> float:
    """A bare number is hours."""
    seconds = duration(f"{text}h" if text.isdecimal() else text)
    if seconds < GRACE:
        raise argparse.ArgumentTypeError(f"{text!r}: expected at least {DURATION.show(GRACE)}")
    return seconds

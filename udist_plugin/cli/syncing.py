"""What the commands on whole repositories share."""

from __future__ import annotations

from udist_plugin.cli.anywhere import add_place_options
from udist_plugin.cli.options import add_tag_options
from udist_plugin.cli.output import note, print_json, printable, size_text
from udist_plugin.cli.places import references_of
from udist_plugin.cli.progress import progress_of
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from udist_plugin.images.syncing.result import SyncResult


def add_sync_options(parser: argparse.ArgumentParser) -> None:
    """Which tags, and how registries are reached."""
    add_tag_options(parser)
    add_place_options(parser)


def carried_out(
    act: Callable[..., SyncResult], arguments: argparse.Namespace, verb: str, **more: object
) -> SyncResult:
    """Runs ``act`` with the options of ``add_sync_options``, and with ``more``, and shows how it goes on."""
    with (
        progress_of(verb, quiet=arguments.quiet, noun="blob") as progress,
        references_of(arguments.parser),
    ):
        return act(tags=arguments.tags, without=arguments.exclude, progress=progress, **more)


def tell(result: SyncResult, *, as_json: bool, dry_run: bool = False, quiet_output: bool = False) -> None:
    """Prints what was done, and raises what failed, as one ``ExceptionGroup``. With ``quiet_output``,
    standard output has something else."""
    if as_json and not quiet_output:
        print_json(
            {
                "copied": [synced._asdict() for synced in result.copied],
                "present": [synced._asdict() for synced in result.present],
                "deleted": result.deleted,
                "failed": [failure.reference for failure in result.failed],
                "size": result.size,
            }
        )
    else:
        if not quiet_output:
            for synced in result.copied:
                print(printable(f"{synced.destination} {synced.digest}"))
            for reference in result.deleted:
                print(printable(f"{reference} deleted"))
        note(_summary(result, dry_run=dry_run))
    if result.failed:
        raise ExceptionGroup("not everything was copied", [failure.error for failure in result.failed])


def _summary(result: SyncResult, *, dry_run: bool) -> str:
    would = "would have " if dry_run else ""
    words = [
        f"{would}copied {_images(len(result.copied))}, {size_text(result.size)}",
        f"{len(result.present)} unchanged",
    ]
    if result.deleted:
        words.append(f"{len(result.deleted)} deleted")
    if result.failed:
        words.append(f"{len(result.failed)} failed")
    return "; ".join(words)


def _images(count: int) -> str:
    return f"{count} image" if count == 1 else f"{count} images"

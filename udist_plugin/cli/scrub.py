"""``udist scrub``."""

from __future__ import annotations

from udist_plugin.cli.counting import counting
from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.options import add_config_option, add_json_option
from udist_plugin.cli.output import print_json, printable
from udist_plugin.cli.scrub_state import State
from udist_plugin.cli.stores import opened
from udist_plugin.storage.scrubbing.scrub import Repair, scrub
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from udist_plugin.storage.scrubbing.damage import Damage

_EPILOG: Final = """\
Reads everything in the store: compares each blob with its digest, and checks the
links, manifests, tags, uploads and indexes of referrers of all repositories. Prints
what is damaged. Plugins and stock registries can use the store meanwhile.

--repair deletes links and tags that lead to nothing, and half tags and uploads.
It writes links again that hold something wrong, and drops an index of referrers
that is wrong, so that it is built anew. --aside also moves damaged blobs to
docker/registry/v2/udist/damaged; then they count as missing, and can be pushed
again. What a manifest lacks, only a push can bring back.

Links to blobs that were collected as garbage are not damage: they are counted, and
--repair deletes them.

With --state, a run that was interrupted goes on where it was. Exit code 1 says that
damage remains.

examples:
  udist scrub --config config.yml
  udist scrub --state scrub.json
  udist scrub --repair
  udist scrub --repair --aside --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("--repair", action="store_true", help="mend what is safe to mend")
    parser.add_argument("--aside", action="store_true", help="with --repair, move damaged blobs aside")
    parser.add_argument("--sparse", action="store_true", help="allow indexes to lack some of their manifests")
    parser.add_argument("--state", metavar="FILE", help="remember in a file how far the run is")
    add_config_option(parser)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.aside and not arguments.repair:
        raise WrongCommandLine(arguments.parser, "--aside: give --repair, too")
    driver = opened(arguments, to_be="repaired" if arguments.repair else "")
    state = State.load(arguments.state)
    for damage in state.found:
        _show(damage, arguments)
    with counting("MB read") as progress, state:
        steps = scrub(
            driver,
            repair=Repair(arguments.repair, arguments.aside),
            sparse=arguments.sparse,
            after=state.position,
            known=state.found,
            reached=state.reached,
            read=_megabytes(progress),
        )
        for damage in steps:
            if damage.harmless:
                state.leftovers += not damage.mended
                continue
            state.found.append(damage)
            _show(damage, arguments)
    return _end(state, arguments)


def _end(state: State, arguments: argparse.Namespace) -> int:
    """Says what was found; the exit code."""
    state.forget()
    remaining = sum(not damage.mended for damage in state.found)
    if arguments.json:
        print_json(
            {
                "damage": [damage._asdict() for damage in state.found],
                "found": len(state.found),
                "remaining": remaining,
                "leftovers": state.leftovers,
            }
        )
    else:
        _print_end(state, remaining, arguments)
    return 1 if remaining else 0


def _print_end(state: State, remaining: int, arguments: argparse.Namespace) -> None:
    if state.found:
        print(f"found: {len(state.found)}, mended: {len(state.found) - remaining}, remaining: {remaining}")
    else:
        print("no damage was found")
    if state.leftovers:
        print(f"links and uploads that were left behind and do no harm: {state.leftovers}")
    if not arguments.repair and (state.leftovers or any(damage.repair for damage in state.found)):
        print("nothing was changed; use --repair to mend what can be mended")
    if arguments.repair and not arguments.aside and any(_stays(damage) for damage in state.found):
        print("damaged blobs were left where they are; use --aside to move them aside")


def _stays(damage: Damage) -> bool:
    return damage.kind == "blob" and bool(damage.repair) and not damage.mended


def _show(damage: Damage, arguments: argparse.Namespace) -> None:
    if not arguments.json:
        print("\n".join(map(printable, _lines(damage))), flush=True)


def _lines(damage: Damage) -> Iterator[str]:
    yield f"{'mended' if damage.mended else 'damaged'}  {damage.kind}  {damage.path}"
    yield f"  {damage.problem}"
    if damage.repair and not damage.mended:
        yield f"  repair: {damage.repair}"
    elif damage.kind == "manifest" and not damage.mended:
        yield "  repair: none; push it again"


def _megabytes(progress: Callable[[int], object]) -> Callable[[int], object]:
    total = 0

    def read(count: int) -> None:
        nonlocal total
        if (total + count) // 10**6 > total // 10**6:
            progress((total + count) // 10**6)
        total += count

    return read

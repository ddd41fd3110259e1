"""``udist scrub``."""

from __future__ import annotations

from udist_plugin.cli.counting import counting
from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.options import add_config_option, add_json_option, file_path
from udist_plugin.cli.output import print_json, printable
from udist_plugin.cli.scrub_state import State
from udist_plugin.cli.stores import opened_with_place
from udist_plugin.storage import paths
from udist_plugin.storage.scrubbing.scrub import Repair, scrub
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from udist_plugin.storage.scrubbing.damage import Damage
    from udist_plugin.storage.scrubbing.scrub import Position

_EPILOG: Final = """\
Reads everything in the store: compares each blob with its digest, and checks the
links, manifests, tags, uploads and indexes of referrers of all repositories. Prints
what is damaged. Plugins and stock registries can use the store meanwhile.

--repair deletes links and tags that lead to nothing, and incomplete tags and
uploads. It writes links again that hold something wrong, and drops an index of
referrers that is wrong, so that it is built anew. --aside also moves damaged blobs
to docker/registry/v2/udist/damaged; then they count as missing, and can be pushed
again. What a manifest lacks, only a push can bring back. Images whose manifests
are missing are lost: --repair deletes what leads to them, and says which they were.

Links to blobs that were collected as garbage are not damage: they are counted, and
--repair deletes them.

With --state, a run that was interrupted goes on where it was. Exit code 1 means that
there is damage that was not repaired, or that an image was lost.

examples:
  udist scrub --config config.yml
  udist scrub --state scrub.json
  udist scrub --repair
  udist scrub --repair --aside --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("--repair", action="store_true", help="repair what is safe to repair")
    parser.add_argument("--aside", action="store_true", help="move damaged blobs aside; requires --repair")
    parser.add_argument("--sparse", action="store_true", help="allow indexes to lack some of their manifests")
    parser.add_argument("--state", metavar="FILE", type=file_path, help="save progress to a file")
    add_config_option(parser)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.aside and not arguments.repair:
        raise WrongCommandLine(arguments.parser, "--aside requires --repair")
    driver, place = opened_with_place(arguments, to_be="repaired" if arguments.repair else "")
    options = {"repair": arguments.repair, "aside": arguments.aside, "sparse": arguments.sparse}
    state = State.load(arguments.state, {"store": place, "options": options})
    for damage in state.found:
        _show(damage, arguments)
    with counting("MB read") as megabytes, counting("repositories checked") as repositories, state:
        steps = scrub(
            driver,
            repair=Repair(arguments.repair, arguments.aside),
            sparse=arguments.sparse,
            after=state.position,
            known=state.found,
            reached=_reached(state, repositories),
            read=_megabytes(megabytes),
        )
        for damage in steps:
            if damage.harmless:
                state.leftovers += not damage.repaired
                continue
            state.found.append(damage)
            _show(damage, arguments)
    return _end(state, arguments)


def _end(state: State, arguments: argparse.Namespace) -> int:
    """Says what was found; the exit code."""
    state.forget()
    remaining = sum(not damage.repaired for damage in state.found)
    lost = [_reference(damage) for damage in state.found if damage.repaired and damage.lost]
    if arguments.json:
        print_json(
            {
                "damage": [damage._asdict() for damage in state.found],
                "found": len(state.found),
                "remaining": remaining,
                "lost": len(lost),
                "leftovers": state.leftovers,
            }
        )
    else:
        _print_end(state, remaining, lost, arguments)
    return 1 if remaining or lost else 0


def _print_end(state: State, remaining: int, lost: list[str], arguments: argparse.Namespace) -> None:
    if state.found:
        repaired = len(state.found) - remaining - len(lost)
        counts = (
            f"repaired: {repaired}",
            *([f"lost: {len(lost)}"] if lost else []),
            f"remaining: {remaining}",
        )
        print(f"found: {len(state.found)}, {', '.join(counts)}")
        if lost:
            print("lost; push them again:")
            print("\n".join(f"  {printable(reference)}" for reference in lost))
    else:
        print("no damage was found")
    if state.leftovers:
        print(f"links and uploads that were left behind and do no harm: {state.leftovers}")
    if not arguments.repair and (state.leftovers or any(damage.repair for damage in state.found)):
        aside = ", and --aside to move damaged blobs aside" if any(map(_stays, state.found)) else ""
        print(f"nothing was changed; use --repair to repair what can be repaired{aside}")
    if arguments.repair and not arguments.aside and any(map(_stays, state.found)):
        print("damaged blobs were left where they are; use --aside to move them aside")


def _stays(damage: Damage) -> bool:
    return damage.kind == "blob" and bool(damage.repair) and not damage.repaired


def _show(damage: Damage, arguments: argparse.Namespace) -> None:
    if not arguments.json:
        print("\n".join(map(printable, _lines(damage))), flush=True)


def _lines(damage: Damage) -> Iterator[str]:
    state = ("lost" if damage.lost else "repaired") if damage.repaired else "damaged"
    yield f"{state}  {damage.kind}  {damage.path}"
    yield f"  {damage.problem}"
    if damage.kind == "blob" and damage.repair and not damage.repaired:
        yield f"  repair (--aside): {damage.repair}"
    elif damage.repair and not damage.repaired:
        yield f"  repair: {damage.repair}{'; only a push brings it back' if damage.lost else ''}"
    elif damage.kind == "manifest" and not damage.repaired:
        yield "  repair: none; push it again"


def _reference(damage: Damage) -> str:
    """What is lost, as people write it."""
    name, _, below = damage.path.removeprefix(f"{paths.REPOSITORIES}/").rpartition(f"/{paths.MANIFESTS}/")
    if damage.kind == "tag":
        return f"{name}:{below.split('/')[1]}"
    _, algorithm, encoded, _ = below.split("/")
    return f"{name}@{algorithm}:{encoded}"


def _reached(state: State, progress: Callable[[int], object]) -> Callable[[Position], object]:
    """Tells ``progress`` how many repositories have been checked."""
    count = 0

    def reached(position: Position) -> None:
        nonlocal count
        state.reached(position)
        if position.repository:
            count += 1
            progress(count)

    return reached


def _megabytes(progress: Callable[[int], object]) -> Callable[[int], object]:
    total = 0

    def read(count: int) -> None:
        nonlocal total
        if (total + count) // 10**6 > total // 10**6:
            progress((total + count) // 10**6)
        total += count

    return read

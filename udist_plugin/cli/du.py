"""``udist du``."""

from __future__ import annotations

from udist_plugin.cli.counting import counting
from udist_plugin.cli.options import add_config_option, add_json_option, repository
from udist_plugin.cli.output import print_json, print_table, printable, size_text
from udist_plugin.cli.stores import opened
from udist_plugin.errors import NameUnknown, StorageError
from udist_plugin.storage.usage import usage
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.usage import Cost, RepositoryUsage, Total, Usage

_EPILOG = """\
Shows for each repository, and for each owner of leases, the size of the blobs that
it needs, and of those that it needs alone: what would be garbage without it. With
names, it shows the tags of these repositories. A tag's signatures and other
referrers count as its own. <untagged> is what no tag leads to. The largest come
first.

examples:
  udist du --config config.yml
  udist du demo/app demo/db
  udist du --json
"""

_UNTAGGED = "<untagged>"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("names", nargs="*", type=repository, metavar="NAME", help="show the tags of these")
    add_config_option(parser)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    driver = opened(arguments)
    with counting("blobs found") as progress:
        used = _used(driver, progress)
    names = {each.name for each in used.repositories}
    for name in arguments.names:
        if name not in names:
            raise NameUnknown({"name": name})
    shown = [each for each in used.repositories if not arguments.names or each.name in arguments.names]
    shown.sort(key=lambda each: (-each.cost.size, each.name))
    if arguments.json:
        print_json(_document(used, shown))
        return
    rows: list[tuple[str, ...]] = []
    for each in shown:
        rows.append((printable(each.name), *_texts(each.cost)))
        if arguments.names:
            rows += [(f"  {tag or _UNTAGGED}", *_texts(cost)) for tag, cost in _sorted(each.tags.items())]
    if rows:
        print_table([("REPOSITORY", "SIZE", "ALONE"), *rows])
    if not arguments.names:
        if used.owners:
            print()
            owners = [(owner, *_texts(cost)) for owner, cost in _sorted(used.owners.items())]
            print_table([("OWNER", "SIZE", "ALONE"), *owners])
        _print_totals(used)


def _used(driver: StorageDriver, progress: Callable[[int], object]) -> Usage:
    try:
        return usage(driver, progress)
    except StorageError as error:
        if type(error) is StorageError:  # none of the kinds in which a service fails
            error.args = (f'{error}; "udist scrub" finds all damage',)
        raise


def _print_totals(used: Usage) -> None:
    _print_total("total", used.blobs)
    if used.shared.blobs:
        _print_total("shared by several repositories", used.shared)
    if used.unreferenced.blobs:
        _print_total("unreferenced", used.unreferenced, '; see "udist gc"')
    if used.quarantine.blobs:
        _print_total("in quarantine, on top of the total", used.quarantine)


def _print_total(what: str, total: Total, hint: str = "") -> None:
    blobs = "1 blob" if total.blobs == 1 else f"{total.blobs} blobs"
    print(f"{what}: {size_text(total.size)} in {blobs}{hint}")


def _document(used: Usage, shown: list[RepositoryUsage]) -> dict[str, object]:
    return {
        "repositories": [
            {
                "name": each.name,
                **each.cost._asdict(),
                "tags": [{"tag": tag, **cost._asdict()} for tag, cost in _sorted(each.tags.items()) if tag],
                "untagged": each.tags[""]._asdict() if "" in each.tags else {"size": 0, "alone": 0},
            }
            for each in shown
        ],
        "owners": [{"owner": owner, **cost._asdict()} for owner, cost in _sorted(used.owners.items())],
        "total": _total(used.blobs),
        "shared": _total(used.shared),
        "unreferenced": _total(used.unreferenced),
        "quarantine": _total(used.quarantine),
    }


def _total(total: Total) -> dict[str, int]:
    return {"blobs": total.blobs, "bytes": total.size}


def _sorted(costs: Iterable[tuple[str, Cost]]) -> list[tuple[str, Cost]]:
    return sorted(costs, key=lambda each: (-each[1].size, each[0]))


def _texts(cost: Cost) -> tuple[str, str]:
    return size_text(cost.size), size_text(cost.alone)

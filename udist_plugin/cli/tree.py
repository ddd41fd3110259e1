"""``udist tree``."""

from __future__ import annotations

from udist_plugin.cli.anywhere import PLACES, Anywhere, add_image, add_place_options
from udist_plugin.cli.colours import Colours
from udist_plugin.cli.output import platform_text, print_json, printable, size_text
from udist_plugin.images.artifact import TITLE
from udist_plugin.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from udist_plugin.images.tree import Node

_EPILOG = f"""\
Shows the index, the manifests it lists, their configurations and layers, and what
refers to each of them, such as signatures. Each has its digest and its size; the
last line has the size of all, each counted once. Manifests that an index lists and
that are not there are marked as missing.

{PLACES}
Colours are used on a terminal, unless NO_COLOR is set.

examples:
  udist tree demo/app:v1
  udist tree docker://docker.io/library/alpine
  udist tree oci:layout:v1 --json
"""

_COLOURS: Final = {
    "index": "magenta",
    "manifest": "cyan",
    "config": "yellow",
    "layer": "green",
    "referrer": "blue",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_image(parser)
    add_place_options(parser)


def run(arguments: argparse.Namespace) -> None:
    from udist_plugin.images.tree import tree_of

    places = Anywhere(arguments)
    with places.image(arguments.image).new_image_source(places.system) as source:
        tree = tree_of(source)
    sizes = tree.sizes()
    if arguments.json:
        print_json({"reference": arguments.image, **_json(tree), "totalSize": sum(sizes.values())})
        return
    print(printable(arguments.image))
    for line in _lines(tree, Colours()):
        print(line)
    print(f"{len(sizes)} manifests and blobs, {size_text(sum(sizes.values()))}")


def _lines(node: Node, colours: Colours, first: str = "", further: str = "") -> Iterator[str]:
    """The lines of a node: ``first`` stands before its own, ``further`` before those below it."""
    yield first + _line(node, colours)
    for child in node.children:
        last = child is node.children[-1]
        branch, trunk = ("└── ", "    ") if last else ("├── ", "│   ")
        yield from _lines(
            child, colours, further + colours.paint("dim", branch), further + colours.paint("dim", trunk)
        )


def _line(node: Node, colours: Colours) -> str:
    item = node.descriptor
    what = " ".join(word for word in (node.role, printable(_name(node))) if word)
    words = [
        colours.paint(_COLOURS[node.role], what),
        colours.paint("dim", item.digest),
        size_text(item.size),
    ]
    return "  ".join(words + [colours.paint("red", "missing")] * node.missing)


def _name(node: Node) -> str:
    """What tells a node from its neighbours: a platform, a file's name, or a type."""
    item = node.descriptor
    own = item.annotations.get(TITLE) or platform_text(item.other.get("platform"))
    return own or (item.artifact_type or "" if node.role in ("referrer", "manifest") else "")


def _json(node: Node) -> dict[str, Any]:
    return {
        "role": node.role,
        **node.descriptor.to_json(),
        **({"missing": True} if node.missing else {}),
        **({"children": [_json(child) for child in node.children]} if node.children else {}),
    }

"""``udist diff``."""

from __future__ import annotations

import json
from collections import Counter

from udist_plugin.cli.anywhere import (
    PLACES,
    Anywhere,
    add_image,
    add_place_options,
    add_platform_option,
    one_image,
)
from udist_plugin.cli.colours import Colours
from udist_plugin.cli.output import note, print_json, printable, size_text
from udist_plugin.cli.progress import progress_of
from udist_plugin.images.rootfs.compare import (
    Change,
    Image,
    changed_files,
    changed_layers,
    changed_settings,
)
from udist_plugin.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from udist_plugin.images.rootfs.compare import Setting
    from udist_plugin.images.rootfs.tree import File
    from udist_plugin.oci.descriptor import Descriptor

_EPILOG = f"""\
Compares layers, configurations and files: those that were added (+), removed (-) or
changed (~), with sizes and modes, and which properties changed. The files are those
that the layers make up together, with files that upper layers delete left out. Times
are not compared. Layers are read as streams and verified; nothing is unpacked to disk.

Layers that both images begin with are read once. --no-files reads no layers.

{PLACES}
examples:
  udist diff demo/app:v1 demo/app:v2
  udist diff docker://quay.io/podman/hello oci:layout --platform linux/arm64
  udist diff demo/app:v1 docker-archive:saved.tar --json
"""

_MARKS: Final = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_image(parser, "before")
    add_image(parser, "after")
    add_platform_option(parser)
    parser.add_argument(
        "--no-files", action="store_true", help="compare only the layers' digests and the configurations"
    )
    add_place_options(parser)


def run(arguments: argparse.Namespace) -> None:
    places = Anywhere(arguments)
    one, other = places.image(arguments.before), places.image(arguments.after)
    with one.new_image_source(places.system) as source, other.new_image_source(places.system) as target:
        before = Image.of(source, one_image(source, arguments.platform, places.system, arguments.before))
        after = Image.of(target, one_image(target, arguments.platform, places.system, arguments.after))
        layers, settings = changed_layers(before, after), changed_settings(before, after)
        files: Iterable[Change] = ()
        if not arguments.no_files and before.config is not None and after.config is not None:
            with progress_of("unpack", quiet=arguments.quiet, noun="layer") as progress:
                files = changed_files(before, after, progress)
        elif not arguments.no_files:
            note("the files are not compared: not both are container images")
        if arguments.json:
            _print_json(arguments, layers, settings, files)
        else:
            _print(layers, settings, files)


def _print_json(
    arguments: argparse.Namespace,
    layers: tuple[list[Descriptor], list[Descriptor]],
    settings: list[Setting],
    files: Iterable[Change],
) -> None:
    removed, added = layers
    print_json(
        {
            "before": arguments.before,
            "after": arguments.after,
            "layers": {
                "removed": [layer.to_json() for layer in removed],
                "added": [layer.to_json() for layer in added],
            },
            "config": [each._asdict() for each in settings],
            "files": [
                {
                    "path": each.path,
                    "change": each.kind,
                    "before": _file_json(each.before),
                    "after": _file_json(each.after),
                    "fields": each.fields,
                }
                for each in files
            ],
        }
    )


def _file_json(file: File | None) -> dict[str, Any] | None:
    if file is None:
        return None
    document = {"type": file.kind, "mode": f"{file.mode:04o}", "owner": list(file.owner), "size": file.size}
    return document | ({"link": file.link} if file.link else {})


def _print(
    layers: tuple[list[Descriptor], list[Descriptor]], settings: list[Setting], files: Iterable[Change]
) -> None:
    colours = Colours()
    if any(layers):
        print("Layers:")
    for kind, items in zip(("removed", "added"), layers, strict=True):
        for item in items:
            print(_marked(kind, f"{item.digest}  {size_text(item.size)}", colours))
    if settings:
        print("Configuration:")
    for each in settings:
        was, now = (printable(json.dumps(value, ensure_ascii=False)) for value in (each.before, each.after))
        kind = "added" if each.before is None else "removed" if each.after is None else "changed"
        shown = now if kind == "added" else was if kind == "removed" else f"{was} -> {now}"
        print(_marked(kind, f"{printable(each.path)}  {shown}", colours))
    count: Counter[str] = Counter()
    for change in files:
        if not count:
            print("Files:")
        count[change.kind] += 1
        print(_marked(change.kind, _file_line(change), colours))
    if count:
        print(", ".join(f"{count[kind]} {kind}" for kind in _MARKS))


def _marked(kind: str, text: str, colours: Colours) -> str:
    mark, colour = _MARKS[kind]
    return "  " + colours.paint(colour, f"{mark} {text}")


def _file_line(change: Change) -> str:
    """Both of what changed, or all of what is there."""
    path = printable(change.path)
    before, after = change.before, change.after
    if before and after:
        pairs = [_both(field, before, after) for field in change.fields]
        return f"{path}  {', '.join(pairs)}"
    file = before or after
    assert file is not None
    return f"{path}  {_words(file)}"


def _both(field: str, before: File, after: File) -> str:
    if field in ("content", "attributes"):
        return field
    was, now = _value(field, before), _value(field, after)
    return f"{field} {was} -> {now}"


def _value(field: str, file: File) -> str:
    if field == "mode":
        return f"{file.mode:04o}"
    if field == "size":
        return size_text(file.size)
    value = getattr(file, field)
    return ":".join(map(str, value)) if isinstance(value, tuple) else printable(str(value)) or "none"


def _words(file: File) -> str:
    shown = {"file": size_text(file.size), "link": f"-> {printable(file.link)}"}.get(file.kind, file.kind)
    return f"{file.mode:04o}  {shown}"

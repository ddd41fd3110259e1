"""``udist digest``."""

from __future__ import annotations

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.options import add_common_options, add_reference
from udist_plugin.cli.output import print_json
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
examples:
  udist digest demo/readme:v1
  udist pull "demo/readme@$(udist digest demo/readme:v1)"
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_reference(parser)
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> None:
    reference = arguments.reference
    with connected(arguments) as registry:
        found = registry.resolve_manifest(reference.name, reference.target)
    if arguments.json:
        print_json({"reference": str(reference), **found.to_json()})
    else:
        print(found.digest)

"""``udist lease``."""

from __future__ import annotations

from udist_plugin.cli import lease_create, lease_list, lease_release
from udist_plugin.cli.subcommands import add_subcommands, run
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["configure", "run"]

_EPILOG = """\
A lease says that somebody, its owner, needs a tag or a manifest. udist gc keeps what
is under a lease, whatever its policies say. When the last lease on a tag or manifest
is released, the next udist gc --apply removes it, with what belongs to it and to no
other image. Tags and manifests that never were under a lease stay as they are.

examples:
  udist lease create backup-1 demo/app:v1 demo/db@sha256:0123...
  udist lease list
  udist lease release backup-1
  udist gc --apply
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_subcommands(
        parser,
        ("create", lease_create, "keep tags and manifests for an owner"),
        ("release", lease_release, "end an owner's leases"),
        ("list", lease_list, "list leases"),
    )

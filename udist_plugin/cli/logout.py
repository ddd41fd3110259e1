"""``udist logout``."""

from __future__ import annotations

import os

from udist_plugin.cli.login import add_registry
from udist_plugin.cli.options import add_json_option
from udist_plugin.cli.output import note, print_json
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
Removes the login from where "udist login" keeps it: from $REGISTRY_AUTH_FILE or
docker's file, and from the credential helper that the file names. It is no error if
there is none.

example:
  udist logout quay.io
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_registry(parser)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    from udist_plugin.remote.credentials.keyring import Keyring
    from udist_plugin.remote.credentials.login_file import LoginFile, login_file_of

    host = arguments.registry
    file = LoginFile(login_file_of(os.environ))
    removed = file.erase(host)
    left = Keyring(os.environ, note, lambda _: None).find(host, "")
    if left:
        note(f"the login for {host} in {left.source} is still there")
    if arguments.json:
        print_json({"registry": host, "removed": removed})
    elif removed:
        print(f"logged out of {host}")
    else:
        note(f"{file.path} has no login for {host}")

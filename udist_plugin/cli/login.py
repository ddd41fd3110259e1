"""``udist login``."""

from __future__ import annotations

import argparse
import sys

from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.options import add_json_option
from udist_plugin.cli.output import note, print_json, printable
from udist_plugin.cli.places import add_insecure_option, system_of
from udist_plugin.errors import ReferenceInvalid
from udist_plugin.images.references import Named
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.images.system import SystemContext

PASSWORD_MAX: Final = 64 << 10
"""The longest password read, in bytes: some are tokens."""

_EPILOG = """\
Asks the registry whether it accepts the login, and only then keeps it in docker's
file, $DOCKER_CONFIG/config.json or ~/.docker/config.json, which podman, skopeo, crane
and oras read, too. $REGISTRY_AUTH_FILE names another file. If the file names a
credential helper (credHelpers or credsStore), the helper keeps the login. Without one,
the file has the password itself, and nobody else may read it.

The password is asked for, or read from standard input.

examples:
  udist login quay.io
  udist login registry.example.com:5000 -u me --password-stdin < password.txt
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_registry(parser)
    parser.add_argument("-u", "--username", metavar="USER", help="the user; asked for if not given")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    choice.add_argument(
        "-p", "--password", metavar="PASSWORD", help="unsafe: other users and the shell's history see it"
    )
    add_insecure_option(parser)
    add_json_option(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="show details of errors")


def add_registry(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "registry", type=_registry, metavar="HOST[:PORT]", help="the registry, such as quay.io or docker.io"
    )


def run(arguments: argparse.Namespace) -> None:
    from udist_plugin.images.docker.login import check_login
    from udist_plugin.remote.credentials.credential import Credential
    from udist_plugin.remote.credentials.login_file import LoginFile, login_file_of

    host, username = arguments.registry, _username(arguments)
    password = _password(arguments)
    system = system_of(arguments)
    file = LoginFile(login_file_of(system.environ))
    if not check_login(host, Credential.of_login(username, password, "this command"), system):
        note(f"{host} asks for no login, so the password was not checked")
    place = file.store(host, username, password)
    if place == file.path:
        note(f"{place} has the password as it is; a credential helper would keep it safer")
    _warn_of_others(host, place, system)
    if arguments.json:
        print_json({"registry": host, "username": username, "place": place})
    else:
        print(f"logged in to {host} as {printable(username)}; kept in {place}")


def _warn_of_others(host: str, place: str, system: SystemContext) -> None:
    """A login that is found before this one would be used in its stead."""
    from udist_plugin.remote.credentials.keyring import Keyring

    found = Keyring(system.environ, system.warn, system.tell).find(host, "")
    if found and found.source != place:
        note(f"the login for {host} in {found.source} is found first")


def _username(arguments: argparse.Namespace) -> str:
    given: str | None = arguments.username
    if given is None:
        if arguments.password_stdin or not sys.stdin.isatty():
            raise WrongCommandLine(arguments.parser, "give the user with --username")
        print("Username: ", end="", file=sys.stderr, flush=True)
        given = sys.stdin.readline().strip()
    if not given or ":" in given:
        raise WrongCommandLine(arguments.parser, f"{given!r} is not a user's name; it has no colon")
    return given


def _password(arguments: argparse.Namespace) -> str:
    if arguments.password is not None:
        note("a password on the command line is seen by other users; use --password-stdin")
        password = arguments.password
    elif arguments.password_stdin:
        password = sys.stdin.read(PASSWORD_MAX + 1).removesuffix("\n").removesuffix("\r")
    elif sys.stdin.isatty():
        from getpass import getpass

        password = getpass("Password: ", sys.stderr)
    else:
        raise WrongCommandLine(
            arguments.parser, "there is no terminal to ask for a password; use --password-stdin"
        )
    if not password or len(password) > PASSWORD_MAX:
        raise WrongCommandLine(arguments.parser, "the password is empty, or too long")
    return str(password)


def _registry(text: str) -> str:
    """``HOST[:PORT]``."""
    host = text.removeprefix("https://").removeprefix("http://").partition("/")[0]
    try:
        domain = Named.parse(f"{host}/image").domain
    except ReferenceInvalid:
        domain = ""
    if domain != host and not (host == "index.docker.io" and domain):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a registry; expected HOST[:PORT] with a dot or a port, such as quay.io"
        )
    if host != text:
        raise argparse.ArgumentTypeError(f"{text!r}: give the host alone: {host!r}")
    return domain

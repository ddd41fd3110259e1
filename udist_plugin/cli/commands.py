"""What ``udist`` offers: its commands, its help topics, and the parser that knows them."""

from __future__ import annotations

import argparse
import os
import sys

from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.failures import EXIT_CODES
from udist_plugin.typed import TYPE_CHECKING, Any, Final, NoReturn
from udist_plugin.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final = {
    "push": "push files and folders as one artifact",
    "pull": "download an artifact's files and folders",
    "copy": "copy an image from one place to another",
    "sync": "copy whole repositories, as far as they differ",
    "backup": "write repositories to one archive",
    "restore": "bring back the repositories of a backup",
    "import": "make an image of a root file system's archive",
    "export": "write an image's root file system as an archive",
    "ls": "list repositories",
    "tags": "list a repository's tags",
    "inspect": "show a manifest",
    "tree": "show an image with all that belongs to it, as a tree",
    "browse": "look through a store on a full screen",
    "diff": "show what is different between two images",
    "manifest": "print or store a manifest's exact bytes",
    "blob": "print or store a blob",
    "digest": "print a manifest's digest",
    "tag": "point tags to a manifest",
    "rm": "delete tags and manifests",
    "referrers": "list the manifests that refer to another",
    "sign": "sign an image with a cosign key",
    "verify": "verify that an image is signed by a key",
    "policy": "check a signature policy",
    "login": "log in to a registry",
    "logout": "forget the login to a registry",
    "doctor": "test whether the configured store works",
    "gc": "collect garbage, and remove tags by policies",
    "du": "show what repositories, tags and owners of leases cost",
    "scrub": "find damage in the store, and repair it",
    "lease": "keep tags and manifests while somebody needs them",
    "upgrade": "bring an existing store up to date with udist's features",
    "config": "check a configuration, or list all configuration keys",
    "exec": "run a command that finds the registry at a port",
    "serve": "run the plugin itself",
    "completion": "print a completion script for a shell",
    "help": "show help for a command or a topic",
    "version": "print the version",
}
"""Each command is a module, see ``module_of``, with ``configure(parser)`` and ``run(arguments)``;
the latter may return an exit code."""

TOPICS: Final = {
    "commands": "all commands, their common options and exit codes",
    "configuration": "the configuration file, environment variables, health checks, metrics and logs",
    "access": "access control: passwords, tokens, and who may do what",
    "notifications": "telling others what is pulled, pushed and deleted",
    "proxy": "a pull-through cache of other registries",
    "stores": "folders, S3, Google Cloud Storage, Azure, OSS, Swift, and sharing a store",
    "signatures": "signing and verifying images, and signature policies",
    "images": "copying images: transports, platforms, layouts and archives",
    "repositories": "whole repositories: sync, backup and restore",
    "browsing": "the full-screen browser, its keys, and listings for editors",
    "differences": "where udist behaves differently from distribution",
    "tools": "recipes for tools that need a port: docker, crane, skopeo, oras, regctl, helm, cosign",
    "python": "the Python API, httpx, requests, WSGI and pytest fixtures",
    "ci": "registries for CI jobs: GitHub, GitLab and any shell",
    "onefile": "udist as a single file without Python, and container images of it",
    "carriers": "plugins over ssh and sudo, and in containers",
    "grpc": "the registry over gRPC, for hosts that use go-plugin and for any language",
    "trace": "record the frames between a caller and its plugin, print and replay them",
    "architecture": "how the parts fit together",
    "callers": "checking a client of the plugin protocol in any language",
    "benchmarks": "measured speed and memory, and how to repeat the measurements",
    "contributing": "tests, code checks, generated code and benchmarks",
    "changelog": "what changed in each version",
}
"""Each topic is a file of its name in ``udist_plugin/docs``."""

_FLAGS: Final = frozenset({"--json", "-v", "--verbose", "-q", "--quiet"})
VALUED: Final = frozenset({"--config", "--plugin"})

_OPTIONS: Final = """\
options of most commands, also accepted before the command:
  --config FILE  the registry's configuration file
  --plugin CMD   start this command instead of the local plugin
  --json         print JSON, including errors
  -v, --verbose  show the plugin's log on standard error
  -q, --quiet    show no progress, only results, warnings and errors
"""

_EXAMPLES: Final = """\
examples:
  udist push demo/readme:v1 README.md
  udist pull demo/readme:v1 -o out
  udist help push
  udist help stores
"""


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal, found without ``shutil``: argparse makes one for each option, to show it or
    not."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, **{"width": _columns() - 2} | options)


def _columns() -> int:
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80


class _Parser(argparse.ArgumentParser):
    """Raises what is wrong instead of printing it, because the user may want it as JSON, and takes options
    anywhere before ``--``. A command whose default for ``after_dashes`` names an argument gets all words that
    come after in it, as they are."""

    _plain = False

    def add_subparsers(self, **options: Any) -> Any:
        self._plain = True  # such a parser cannot be "intermixed"
        return super().add_subparsers(**options)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._plain:
            return super().parse_known_args(args, namespace)
        self._plain = True  # for the calls that this one makes
        name, rest = self.get_default("after_dashes"), []
        if name and "--" in args:
            dashes = args.index("--")
            args, rest = args[:dashes], args[dashes + 1 :]
        try:
            found, unknown = self.parse_known_intermixed_args(args, namespace)
        finally:
            self._plain = False
        if name:
            setattr(found, name, rest)
        if unknown:  # the program's own parser would show its usage, not the command's
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def _print_message(self, message: str, file: Any = None) -> None:
        print(message, end="", file=file or sys.stderr)  # argparse's own hides that there is no room

    def error(self, message: str) -> NoReturn:
        raise WrongCommandLine(self, message)


def command_first(words: Sequence[str]) -> Sequence[str]:
    """``words`` with the shared options moved from before the command, or before a command's command as in
    ``udist config --json check``, to where the command's own are."""
    before, rest = _divided(words)
    if not rest or rest[0].startswith("-"):
        return words
    between, others = _divided(rest[1:])
    end = others.index("--") if "--" in others else len(others)
    return [rest[0], *others[:end], *between, *before, *others[end:]]


def _divided(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The shared options that ``words`` begin with, and the rest."""
    start = 0
    while start < len(words):
        option, equals, _ = words[start].partition("=")
        if option in VALUED:
            start += 1 if equals else 2
        elif words[start] in _FLAGS:
            start += 1
        else:
            break
    return words[:start], words[start:]


def build_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser for a command line of ``words``; only the command named there is imported."""
    parser = _Parser(
        prog="udist",
        description="An OCI registry without a server: each command spawns the registry as a child process.",
        epilog="\n".join((_OPTIONS, _topics(), _EXAMPLES, EXIT_CODES)),
        formatter_class=HelpFormatter,
        usage="udist [OPTION...] COMMAND ...",
    )
    parser.add_argument(
        "--version", action="version", version=f"udist {__version__}", help="print the version and exit"
    )
    commands = parser.add_subparsers(prog="udist", title="commands", metavar="COMMAND", required=True)
    chosen = words[0] if words and words[0] in COMMANDS else None
    for name in [chosen] if chosen else COMMANDS:
        summary = COMMANDS[name]
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            formatter_class=HelpFormatter,
        )
        if name == chosen:
            module = __import__(f"udist_plugin.cli.{module_of(name)}", fromlist=["run"])
            module.configure(command)
            command.set_defaults(run=module.run, parser=command)
    return parser


def module_of(name: str) -> str:
    """A command's module beside this one: no module can be called ``import``."""
    return "import_" if name == "import" else name


def _topics() -> str:
    width = max(map(len, TOPICS))
    lines = [f"  {name:{width}}  {summary}" for name, summary in TOPICS.items()]
    return "\n".join(("help topics:", *lines, ""))

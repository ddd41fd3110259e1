"""What the command line takes: each command's options and words."""

from __future__ import annotations

from importlib import import_module

from udist_plugin.cli.commands import COMMANDS, TOPICS, module_of
from udist_plugin.cli.options import add_common_options
from udist_plugin.typed import NamedTuple


class Option(NamedTuple):
    """An option by its names, what it does, and whether a value follows."""

    names: tuple[str, ...]
    summary: str
    valued: bool


class Command:
    """A command's options, and the words that can follow it, each with a summary.

    Stands in for the parser that a command configures, whose content argparse does not tell.
    """

    def __init__(self) -> None:
        self.options = [Option(("-h", "--help"), "show help", valued=False)]
        self.words: dict[str, str] = {}
        self.subcommands: dict[str, Command] = {}
        self.epilog = ""

    def add_argument(self, *names: str, action: str = "store", help: str = "", **rest: object) -> None:  # noqa: A002
        if names[0].startswith("-"):
            summary = help.partition(";")[0]
            self.options.append(Option(names, summary, valued=action in ("store", "append")))
        elif isinstance(choices := rest.get("choices"), list):
            self.words |= dict.fromkeys(choices, "")

    def add_argument_group(self, *_: object) -> Command:
        return self

    def add_mutually_exclusive_group(self) -> Command:
        return self

    def add_subparsers(self, **_: object) -> Command:
        return self

    def add_parser(self, name: str, *, help: str, **_: object) -> Command:  # noqa: A002
        self.words[name] = help
        self.subcommands[name] = Command()
        return self.subcommands[name]

    def set_defaults(self, **_: object) -> None:
        pass


def grammar() -> dict[str, Command]:
    """Every command by its words, such as ``push`` or ``config check``; the empty one is ``udist`` itself."""
    program = Command()
    add_common_options(program)  # type: ignore[arg-type]
    program.options.append(Option(("--version",), "print the version and exit", valued=False))
    program.words |= COMMANDS
    found = {"": program}
    for name in COMMANDS:
        found[name] = Command()
        import_module(f"udist_plugin.cli.{module_of(name)}").configure(found[name])
        found |= {f"{name} {inner}": command for inner, command in found[name].subcommands.items()}
    found["help"].words |= COMMANDS | TOPICS
    return found

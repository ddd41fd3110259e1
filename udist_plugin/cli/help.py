"""``udist help``: a command's help, or a file of ``udist_plugin/docs``."""

from __future__ import annotations

from udist_plugin.cli.commands import COMMANDS, TOPICS, build_parser
from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
Without an argument, lists all commands and topics. Topics are Markdown, printed as they are.

examples:
  udist help
  udist help push
  udist help config check
  udist help stores | less
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("words", nargs="*", metavar="COMMAND|TOPIC", help="what to show help for")


def run(arguments: argparse.Namespace) -> None:
    match arguments.words:
        case []:
            build_parser().print_help()
        case [command, *rest] if command in COMMANDS:
            build_parser([command]).parse_args([command, *rest, "--help"])
        case [topic] if topic in TOPICS:
            print(_read(topic), end="")
        case words:
            raise WrongCommandLine(build_parser(), _unknown(" ".join(words)))


def _read(topic: str) -> str:
    from importlib.resources import files

    return files("udist_plugin").joinpath("docs", f"{topic}.md").read_text("utf-8")


def _unknown(words: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(words, [*COMMANDS, *TOPICS], n=1)
    hint = f'did you mean "udist help {near[0]}"?' if near else 'run "udist help" for a list'
    return f"no command or topic is called {words!r}; {hint}"

"""``udist completion``."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse

SHELLS: Final = ["bash", "zsh", "fish"]

_EPILOG = """\
Prints a script for the shell that completes commands, options and help topics.

examples:
  source <(udist completion bash)
  udist completion bash > ~/.local/share/bash-completion/completions/udist
  udist completion zsh > "${fpath[1]}/_udist"
  udist completion fish > ~/.config/fish/completions/udist.fish
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("shell", choices=SHELLS, help="the shell that reads the script")


def run(arguments: argparse.Namespace) -> None:
    from udist_plugin.cli import shells
    from udist_plugin.cli.grammar import grammar

    print(shells.script(arguments.shell, grammar()), end="")

"""Completion scripts for shells. Where nothing of udist's fits, they complete file names."""

from __future__ import annotations

from shlex import quote

from udist_plugin.cli.commands import VALUED
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.cli.grammar import Command, Option

    Grammar = dict[str, Command]

_BASH: Final = """\
# Completion of udist for bash.
_udist() {
    local current=${COMP_WORDS[COMP_CWORD]} command='' words='' options='' at
    COMPREPLY=()
    for ((at = 1; at < COMP_CWORD; at++)); do
        case "$command${command:+ }${COMP_WORDS[at]}" in
            @SHARED@) ((at++)) ;;
            @COMMANDS@) command+=${command:+ }${COMP_WORDS[at]} ;;
        esac
    done
    case ${COMP_WORDS[COMP_CWORD - 1]} in
        @VALUED@) return ;;
    esac
    case $command in
@CASES@
    esac
    [[ $current != -* ]] || words=$options
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F _udist udist
"""

_ZSH: Final = """\
#compdef udist
# Completion of udist for zsh.
_udist() {
    local command='' at
    local -a options offered
    for ((at = 2; at < CURRENT; at++)); do
        case "$command${command:+ }$words[at]" in
            (@SHARED@) ((at++)) ;;
            (@COMMANDS@) command+="${command:+ }$words[at]" ;;
        esac
    done
    case $words[CURRENT-1] in
        (@VALUED@) _files; return ;;
    esac
    case $command in
@CASES@
    esac
    if [[ $PREFIX == -* ]]; then
        _describe -o option options
    elif (($#offered)); then
        _describe word offered
    else
        _files
    fi
}
if [[ $funcstack[1] == _udist ]]; then _udist "$@"; else compdef _udist udist; fi
"""

_FISH: Final = """\
# Completion of udist for fish.
function __udist_in --argument-names wanted
    set -l command ''
    set -l skip 1
    for word in (commandline -opc)
        set -l longer (string trim -- "$command $word")
        if test $skip = 1
            set skip 0
        else if contains -- $longer @SHARED@
            set skip 1
        else if contains -- $longer @COMMANDS@
            set command $longer
        end
    end
    test "$command" = "$wanted"
end
@CASES@
"""


def script(shell: str, grammar: Grammar) -> str:
    """The script for ``shell``: ``bash``, ``zsh`` or ``fish``."""
    template, case, separator = {
        "bash": (_BASH, _bash_case, " | "),
        "zsh": (_ZSH, _zsh_case, "|"),
        "fish": (_FISH, _fish_case, " "),
    }[shell]
    options = [option for command in grammar.values() for option in command.options if option.valued]
    valued = sorted({name for option in options for name in option.names})
    return (
        template.replace("@COMMANDS@", separator.join(quote(name) for name in grammar if name))
        .replace("@SHARED@", separator.join(sorted(VALUED)))
        .replace("@VALUED@", separator.join(valued))
        .replace("@CASES@", "\n".join(case(name, command) for name, command in grammar.items()))
    )


def _bash_case(name: str, command: Command) -> str:
    options = " ".join(name for option in command.options for name in option.names)
    return f"        {quote(name)}) words={quote(' '.join(command.words))} options={quote(options)} ;;"


def _zsh_case(name: str, command: Command) -> str:
    options = [f"{name}:{option.summary}" for option in command.options for name in option.names]
    offered = [f"{word}:{summary}" if summary else word for word, summary in command.words.items()]
    return (
        f"        ({quote(name)})\n"
        f"            options=({' '.join(map(quote, options))})\n"
        f"            offered=({' '.join(map(quote, offered))}) ;;"
    )


def _fish_case(name: str, command: Command) -> str:
    here = f"complete -c udist -n {_fish_quote(f'__udist_in {_fish_quote(name)}')}"
    words = [
        f"{here} -f -a {_fish_quote(word)} -d {_fish_quote(summary)}"
        for word, summary in command.words.items()
    ]
    return "\n".join([*words, *(f"{here} {_fish_option(option)}" for option in command.options)])


def _fish_option(option: Option) -> str:
    names = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names]
    return " ".join([*names, *(["-r"] if option.valued else []), "-d", _fish_quote(option.summary)])


def _fish_quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

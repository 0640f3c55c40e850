"""``dayfly completion``: what makes a shell complete ``dayfly`` commands."""

from collections.abc import Sequence
from typing import Final

from dayfly_cli.terminal import OK, Terminal
from dayfly_kube.flags import Flags

EXAMPLES = """examples:
  source <({prog} completion bash)                                 now; or in ~/.bashrc
  source <({prog} completion zsh)                                  now; or in ~/.zshrc
  {prog} completion fish > ~/.config/fish/completions/dayfly.fish

Names of namespaces, policies and objects are asked of the cluster, with your rights. For
`kubectl dayfly` there is nothing to do: kubectl runs kubectl_complete-dayfly, which comes along.
"""

BASH: Final = """\
_dayfly() {
    local line directive
    local words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    COMPREPLY=()
    while IFS= read -r line; do
        case "$line" in
            :*) directive="${line#:}" ;;
            *) COMPREPLY+=("$line") ;;
        esac
    done < <(dayfly __complete "${words[@]}" 2>/dev/null)
    if (( (${directive:-0} & 2) != 0 )); then compopt -o nospace; fi
    if (( (${directive:-0} & 4) == 0 )); then compopt -o default; fi
}
complete -F _dayfly dayfly
"""

ZSH: Final = """\
#compdef dayfly
_dayfly() {
    local line directive
    local -a found
    while IFS= read -r line; do
        case "$line" in
            :*) directive="${line#:}" ;;
            *) found+=("$line") ;;
        esac
    done < <(dayfly __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
    if (( (${directive:-0} & 2) != 0 )); then
        compadd -S '' -- "${found[@]}"
    else
        compadd -- "${found[@]}"
    fi
    if (( (${directive:-0} & 4) == 0 )); then _files; fi
}
if [ "${funcstack[1]}" = "_dayfly" ]; then _dayfly; else compdef _dayfly dayfly; fi
"""

FISH: Final = """\
function __dayfly_complete
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    set -l found (dayfly __complete $typed[2..-1] "$current" 2>/dev/null)
    test (count $found) -gt 0; or return
    test "$found[-1]" = ":0"; and __fish_complete_path "$current"
    printf '%s\\n' $found | string match -v -r '^:'
end
complete -c dayfly -f -a '(__dayfly_complete)'
"""

SCRIPTS: Final = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def command_line(prog: str) -> Flags:
    """Return the arguments there are; also the source of their reference page."""
    flags = Flags(
        f"{prog} completion",
        "Print the script by which a shell completes commands, flags and names.",
        EXAMPLES.format(prog=prog),
    )
    flags.add_argument("shell", choices=tuple(SCRIPTS), metavar="bash|zsh|fish", help="which shell")
    return flags


def run(terminal: Terminal, argv: Sequence[str]) -> int:
    """Print it."""
    shell: str = command_line(terminal.prog).parse_args(argv).shell
    terminal.say(SCRIPTS[shell].rstrip())
    return OK

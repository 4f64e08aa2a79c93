"""``flambeau completion``: scripts for the Tab key, made from the table of commands."""

from __future__ import annotations

from argparse import Namespace

from .commands import COMMANDS, Command


def _flags(command: Command) -> list[str]:
    return [name for option in command.options for name in option.names if name.startswith("-")] + ["--help"]


def bash() -> str:
    """The script for bash."""
    cases = "\n".join(f'        {name}) words="{" ".join(_flags(each))}" ;;' for name, each in COMMANDS.items() if name != "run")
    return f"""\
_flambeau() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" words=""
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=( $(compgen -W "{" ".join(COMMANDS)} --help --version" -- "$current") )
        return
    fi
    case "${{COMP_WORDS[1]}}" in
{cases}
    esac
    case "${{COMP_WORDS[1]}}:$current" in
        completion:*) COMPREPLY=( $(compgen -W "bash zsh fish" -- "$current") ) ;;
        lesson:[!-]*|lesson:) COMPREPLY=( $(compgen -W "$(flambeau lesson 2>/dev/null | awk '/^ /{{print $1}}')" -- "$current") ) ;;
        *:-*) COMPREPLY=( $(compgen -W "$words" -- "$current") ) ;;
        *) COMPREPLY=( $(compgen -f -- "$current") ) ;;
    esac
}}
complete -o filenames -F _flambeau flambeau
"""


def zsh() -> str:
    """The script for zsh, which reads bash's."""
    return "autoload -U +X bashcompinit && bashcompinit\n" + bash()


def fish() -> str:
    """The script for fish."""
    lines = []
    for name, command in COMMANDS.items():
        lines.append(f"complete -c flambeau -n __fish_use_subcommand -f -a {name} -d '{command.line}'")
        for option in command.options:
            if option.names[0].startswith("--"):
                about = str(option.settings["help"]).replace("'", "\\'")
                lines.append(
                    f"complete -c flambeau -n '__fish_seen_subcommand_from {name}' -l {option.names[0][2:]} -d '{about}'"
                )
    lines.append("complete -c flambeau -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'")
    return "\n".join(lines) + "\n"


def main(chosen: Namespace) -> int:
    """Print the script for the shell that was named."""
    print({"bash": bash, "zsh": zsh, "fish": fish}[chosen.shell](), end="")
    return 0

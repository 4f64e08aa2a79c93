"""``flambeau run``: Python, with the drop-in."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence

from .. import drop_in
from .commands import CommandError

#: Python's options that have a value of their own, and those that keep it from looking at its environment.
_WITH_VALUE = ("-X", "-W", "--check-hash-based-pycs")
_ISOLATING = {"I": "-I", "E": "-E", "S": "-S"}


def isolating_option(arguments: Sequence[str]) -> str | None:
    """The option among Python's own that would hide flambeau from the program; None when there is none.

    >>> from flambeau.cli.running import isolating_option
    >>> isolating_option(["-u", "-I", "train.py"]), isolating_option(["-X", "dev", "train.py", "-I"])
    ('-I', None)
    """
    rest = iter(arguments)
    for each in rest:
        if not each.startswith("-") or each in ("-", "--") or each[1] in "mc":
            return None
        if each in _WITH_VALUE:
            next(rest, None)
        elif not each.startswith("--"):
            for letter in each[1:]:
                if letter in _ISOLATING:
                    return _ISOLATING[letter]
                if letter in "XWmc":  # what follows is its value
                    break
    return None


def run(arguments: Sequence[str]) -> int:
    """Give ``arguments`` to a Python in which ``import torch`` gives flambeau; its exit code.

    It is Python itself that runs the program: what ``__main__`` is, tracebacks, signals and exit codes are all as ever.
    Where the system can, it takes the place of this process.

    Raises:
        CommandError: an option would make Python ignore its environment, and with it flambeau.
    """
    isolating = isolating_option(arguments)
    if isolating is not None:
        raise CommandError(f"with {isolating}, Python would ignore flambeau and import the real torch: leave it out", 2)
    command = [sys.executable, *arguments]
    environment = drop_in.environment()
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execve(sys.executable, command, environment)
    return spawn(command, environment)


def spawn(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run a command beside this process; its exit code, 128 + n when signal n ended it."""
    import subprocess

    code = subprocess.run(command, env=environment).returncode
    return code if code >= 0 else 128 - code


def main(chosen: Namespace) -> int:
    """``flambeau run``, as the parser understood it: only used for its help."""
    return run(chosen.program)

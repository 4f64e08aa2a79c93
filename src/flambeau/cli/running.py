"""``flambeau run``: Python, with the drop-in."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence

from .. import drop_in


def run(arguments: Sequence[str]) -> int:
    """Give ``arguments`` to a Python in which ``import torch`` gives flambeau; its exit code.

    It is Python itself that runs the program: what ``__main__`` is, tracebacks, signals and exit codes are all as ever.
    Where the system can, it takes the place of this process.
    """
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

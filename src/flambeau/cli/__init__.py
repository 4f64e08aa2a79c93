"""The ``flambeau`` command: programs for PyTorch, lessons, and looking at installations and files."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with ``arguments`` (those of the process); the exit code.

    0: done. 1: it was tried, and failed. 2: the command was not understood. 130: interrupted. ``run`` and ``lesson`` end
    with the program's own code.

    >>> from flambeau.cli import main
    >>> main(["--version"])
    flambeau 0.1.0, with the interface of PyTorch 2.13.0
    0
    """
    from .commands import CommandError, parser

    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given[:1] == ["run"] and given[1:2] not in (["-h"], ["--help"]):
            from .running import run

            return run(given[1:])  # all of it is Python's, options too
        own = given.index("--") if given[:1] == ["lesson"] and "--" in given else len(given)
        chosen = parser().parse_args(given[:own])
        chosen.arguments = given[own + 1 :]  # what stands after -- is the lesson's
        return int(chosen.command(chosen))
    except SystemExit as error:  # argparse has said what it had to say
        return error.code if isinstance(error.code, int) else 1
    except CommandError as error:
        print(f"flambeau: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has had enough, as `head` does. Python would complain once more when it exits.
        sys.stdout = None
        return 0

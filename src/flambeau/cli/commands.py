"""What can be said to ``flambeau``: its commands, their options, and help that teaches them."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any, NamedTuple

from ..version import flambeau_version, torch_version


class CommandError(Exception):
    """The command cannot be done; the message says why and what to do, ``code`` is the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


_ABOUT = """\
flambeau is PyTorch's programming model in a small Python package. This command runs programs that were
written for PyTorch as they are, teaches the seventeen lessons, and looks at installations and files.
"""

_FIRST_STEPS = """\
first steps:
  flambeau doctor              is everything installed? what does this machine have?
  flambeau lesson              the list of lessons
  flambeau lesson 2            run the second: tensors
  flambeau run train.py        run a PyTorch program; `import torch` in it gives flambeau
  flambeau info model.pt       what is in a checkpoint (nothing in it is executed)

in Python, `import flambeau as torch` is all.

`flambeau COMMAND --help` explains a command.
exit codes: 0 done, 1 failed, 2 not understood, 130 interrupted; run and lesson: the program's own.
"""

_RUN = """\
Run a program written for PyTorch, unmodified. In it, in its child processes and in the packages it uses, `import torch`
and `import torchvision` give flambeau. An installed PyTorch is left alone.

Everything after `run` is given to Python as it stands:
"""

_RUN_EXAMPLES = """\
examples:
  flambeau run train.py --epochs 3         a script with its own arguments
  flambeau run -m package.train            a module
  flambeau run -c "import torch; print(torch.__version__)"
  flambeau run -X importtime train.py      Python's own options
  flambeau run                             Python's prompt

A name that flambeau does not have raises an AttributeError that says so. The exit code is the program's.
The same from Python: `flambeau.drop_in.install()` before the first `import torch`.
"""

_LESSON = """\
The course: seventeen lessons (and a lesson 0), each a script that runs and explains itself. Without a number, the list.
Read a lesson with --show, run it, change a copy of it, run that.
"""

_LESSON_EXAMPLES = """\
examples:
  flambeau lesson                          the list
  flambeau lesson 3                        run lesson 3
  flambeau lesson 5                        run its variants, one after the other
  flambeau lesson 5b                       only the second
  flambeau lesson 13 --show | less         read it
  flambeau lesson 13 --show > mine.py      a copy to change; run it with `flambeau run mine.py`
  flambeau lesson 13 --notebook            write it as a notebook for Jupyter
  flambeau lesson 13 --root ~/data         learn on the real MNIST in that folder
  flambeau lesson 12 --out pictures        write the pictures there
  flambeau lesson 13 -- --help             what stands after -- is given to the lesson itself
"""

_DOCTOR = """\
Look at the installation: versions, devices, threads, the libraries that compute, the native compiler and its cache,
optional packages. Then compute a few things whose results are known. Put the output into reports of problems.
"""

_DOCTOR_EXAMPLES = """\
examples:
  flambeau doctor
  flambeau doctor --json | python -m json.tool

exit code 1: something does not work; the line says what to do.
"""

_BENCH = """\
Time a few small programs: calls, elementwise chains, products, training steps. With PyTorch installed, both are timed in
turns in one run, and the ratio is what counts; without, flambeau alone. The times of a busy machine mean little.
"""

_INFO = """\
Say what is in a checkpoint: its structure, the names, shapes and dtypes of its tensors, the bytes they take, and what
loading it would need to be allowed. Nothing in the file is executed and no tensor is read, so this is safe for files
from anywhere. Reads what torch.save and flambeau.save write, and safetensors.
"""

_COMPLETION = """\
Print a script that lets the shell complete flambeau's commands and options with the Tab key.
"""

_COMPLETION_EXAMPLES = """\
set it up once:
  bash   flambeau completion bash >> ~/.bashrc
  zsh    flambeau completion zsh >> ~/.zshrc
  fish   flambeau completion fish > ~/.config/fish/completions/flambeau.fish
"""


class Option(NamedTuple):
    """One option of a command; ``names`` of one word without dashes is a positional argument."""

    names: tuple[str, ...]
    settings: dict[str, Any]


class Command(NamedTuple):
    """A command: one line about it, its explanation, examples, options, and where its function is."""

    line: str
    about: str
    examples: str
    options: tuple[Option, ...]
    home: str


def _option(*names: str, **settings: Any) -> Option:
    return Option(names, settings)


#: All commands, in the order in which help lists them.
COMMANDS = {
    "run": Command(
        "run a program written for PyTorch", _RUN, _RUN_EXAMPLES,
        (_option("program", nargs="*", metavar="[-m MODULE | -c CODE | SCRIPT] [ARGUMENT …]", help="what Python gets"),),
        "running",
    ),
    "lesson": Command(
        "list the lessons, run or read one", _LESSON, _LESSON_EXAMPLES,
        (
            _option("number", nargs="?", metavar="N", help="which one: 13, or 5b for a variant"),
            _option("--show", action="store_true", help="print it instead of running it"),
            _option("--notebook", nargs="?", const="", metavar="FILE", help="write it as a notebook (NAME.ipynb here)"),
            _option("--out", metavar="DIR", help="where pictures are written (a temporary folder)"),
            _option("--root", metavar="DIR", help="where data sets are: MNIST, CIFAR-10, ants and bees"),
            _option("--quick", action="store_true", help="fewer epochs, to see that it works"),
        ),
        "lessons",
    ),
    "doctor": Command(
        "check the installation and describe this machine", _DOCTOR, _DOCTOR_EXAMPLES,
        (_option("--json", action="store_true", help="for programs"),),
        "doctor",
    ),
    "bench": Command(
        "time a few small programs, beside PyTorch when it is installed", _BENCH, "",
        (
            _option("names", nargs="*", metavar="PROGRAM", help="which ones (all); --list says what there is"),
            _option("--list", action="store_true", help="the programs there are"),
            _option("--threads", type=int, metavar="N", help="threads for both (as many as cores)"),
            _option("--seconds", type=float, default=1.0, metavar="S", help="about how long for each program (1)"),
            _option("--alone", action="store_true", help="flambeau only"),
        ),
        "bench",
    ),
    "info": Command(
        "what is in a checkpoint, without executing anything", _INFO, "",
        (
            _option("files", nargs="+", metavar="FILE", help="a file of torch.save or flambeau.save, or .safetensors"),
            _option("--all", action="store_true", help="every element, however many there are"),
        ),
        "information",
    ),
    "completion": Command(
        "print a completion script for a shell", _COMPLETION, _COMPLETION_EXAMPLES,
        (_option("shell", choices=("bash", "zsh", "fish"), help="your shell"),),
        "completion",
    ),
}  # fmt: skip


def _late(home: str) -> Any:
    """The function of a command, imported when the command is given."""

    def call(chosen: argparse.Namespace) -> int:
        result: int = import_module(f"{__package__}.{home}").main(chosen)
        return result

    return call


def _show_help(whole: argparse.ArgumentParser) -> Any:
    def call(chosen: argparse.Namespace) -> int:
        whole.print_help()
        return 0

    return call


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; ``parse_args(…).command`` is the function to call with the result.

    >>> from flambeau.cli.commands import parser
    >>> parser().parse_args(["info", "model.pt"]).files
    ['model.pt']
    """
    plain = argparse.RawDescriptionHelpFormatter
    whole = argparse.ArgumentParser("flambeau", description=_ABOUT, epilog=_FIRST_STEPS, formatter_class=plain)
    whole.add_argument(
        "--version", action="version", version=f"flambeau {flambeau_version}, with the interface of PyTorch {torch_version}"
    )
    whole.set_defaults(command=_show_help(whole))
    commands = whole.add_subparsers(title="commands", metavar="COMMAND")
    for name, command in COMMANDS.items():
        own = commands.add_parser(
            name, help=command.line, description=command.about, epilog=command.examples, formatter_class=plain
        )
        for option in command.options:
            own.add_argument(*option.names, **option.settings)
        own.set_defaults(command=_late(command.home))
    return whole

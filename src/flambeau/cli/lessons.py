"""``flambeau lesson``: finding the lessons, listing, running and showing them."""

from __future__ import annotations

import ast
import re
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .commands import CommandError

_FILE = re.compile(r"(\d\d)([a-z]?)_\w+\.py")
_PACKAGE = Path(__file__).resolve().parents[1]


class Lesson(NamedTuple):
    """A script of the course: its number, the letter of its variant ("" when it has none), and where it is."""

    number: int
    variant: str
    path: Path

    @property
    def name(self) -> str:
        """What to call it by: "13", "5b"."""
        return f"{self.number}{self.variant}"

    @property
    def title(self) -> str:
        """The first line of its text."""
        text = ast.get_docstring(ast.parse(self.path.read_text(encoding="utf-8"))) or self.path.stem
        return text.strip().splitlines()[0].rstrip(".")


def folder() -> Path:
    """Where the lessons are: in the installed package, or at the top of a checkout.

    Raises:
        CommandError: they are in neither place.
    """
    places = (_PACKAGE / "lessons", _PACKAGE.parents[1] / "lessons")
    for place in places:
        if any(_FILE.fullmatch(each.name) for each in place.glob("*.py")):
            return place
    raise CommandError(f"there are no lessons in {' or '.join(map(str, places))}: install flambeau again")


def lessons() -> list[Lesson]:
    """All lessons in order.

    >>> from flambeau.cli.lessons import lessons
    >>> next(each.title for each in lessons() if each.number == 1)
    'Installation and check'
    """
    found = []
    for path in sorted(folder().glob("*.py")):
        match = _FILE.fullmatch(path.name)
        if match is not None:
            found.append(Lesson(int(match[1]), match[2], path))
    return found


def chosen_lessons(name: str) -> list[Lesson]:
    """The lesson called "13", "5b" or "05b"; for "5" all its variants in order.

    Raises:
        CommandError: there is none.
    """
    match = re.fullmatch(r"0*(\d+)([a-z]?)", name.strip().lower())
    everything = lessons()
    found = [
        each for each in everything if match and each.number == int(match[1]) and match[2] in ("", each.variant)
    ]
    if not found:
        known = sorted({each.number for each in everything})
        raise CommandError(
            f"there is no lesson {name!r}: they are numbered {known[0]} to {known[-1]}; `flambeau lesson` lists them", 2
        )
    return found


def main(chosen: Namespace) -> int:
    """``flambeau lesson``: what the options ask for."""
    if chosen.number is None:
        if chosen.show or chosen.notebook is not None:
            raise CommandError("which lesson? `flambeau lesson` lists them, `flambeau lesson 3 --show` shows one", 2)
        return show_list()
    found = chosen_lessons(chosen.number)
    if chosen.show:
        for each in found:
            sys.stdout.write(each.path.read_text(encoding="utf-8"))
        return 0
    if chosen.notebook is not None:
        return write_notebooks(found, chosen.notebook)
    return run_all([(each, _options_for(each, chosen) + chosen.arguments) for each in found])


def _options_for(lesson: Lesson, chosen: Namespace) -> list[str]:
    """Those of the options that the lesson understands; one that needs no data has no use for a folder of it."""
    script = lesson.path.read_text(encoding="utf-8")
    wanted = {
        "--out": [chosen.out] if chosen.out else None,
        "--root": [chosen.root] if chosen.root else None,
        "--quick": [] if chosen.quick else None,
    }
    taken = []
    for option, values in wanted.items():
        if values is None:
            continue
        if f'"{option}"' in script:
            taken += [option, *values]
        else:
            print(f"flambeau: lesson {lesson.name} has no {option}", file=sys.stderr)
    return taken


def show_list() -> int:
    """Print the numbers and titles."""
    for each in lessons():
        print(f"{each.name:>4}  {each.title}")
    print("\nRun one with `flambeau lesson N`; read it with `flambeau lesson N --show`.")
    return 0


def write_notebooks(found: Sequence[Lesson], where: str) -> int:
    """Write lessons as notebooks, to the file or into the folder ``where``; beside their names without one."""
    from .notebook import notebook

    if len(found) > 1 and where.endswith(".ipynb"):
        raise CommandError(
            f"lesson {found[0].number} has variants, each a notebook: say which ({', '.join(each.name for each in found)}), "
            "or name a folder", 2,
        )  # fmt: skip
    for each in found:
        path = Path(where) if where.endswith(".ipynb") else Path(where or ".") / f"{each.path.stem}.ipynb"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(notebook(each.path.read_text(encoding="utf-8"), each.path.stem), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"cannot write {path}: {error.strerror}") from None
        print(f"wrote {path}")
    return 0


def run_all(found: Sequence[tuple[Lesson, list[str]]]) -> int:
    """Run lessons with their arguments, each in a process of its own with the drop-in; the first code that is not 0."""
    from .. import drop_in
    from .running import run, spawn

    if len(found) == 1:
        lesson, arguments = found[0]
        return run([str(lesson.path), *arguments])
    for lesson, arguments in found:
        print(f"—— lesson {lesson.name}: {lesson.title} ——", flush=True)
        code = spawn([sys.executable, str(lesson.path), *arguments], drop_in.environment())
        if code:
            return code
    return 0

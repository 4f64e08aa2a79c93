"""The outputs recorded in the lessons: how they are read, compared with what a run prints, and written anew.

A cell that prints ends in a comment block:

    # Output:
    #     tensor([1., 2.])

`python tests/lessons/recording.py lessons/07_*.py [arguments of the lesson]` runs a lesson and rewrites the blocks that no
longer match. In a block, … stands for what differs from run to run: a time, a path, a version.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
import types
from pathlib import Path

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:e[-+]?\d+)?(?![\w.])")
MARK = "# Output:"


def split_cells(text: str) -> list[str]:
    """The parts of a script that begin with a line `# %%`; the first is what stands before them."""
    return re.split(r"^(?=# %%)", text, flags=re.MULTILINE)


def recorded(cell: str) -> list[str]:
    """The lines under `# Output:` in a cell."""
    _, found, block = cell.partition(f"\n{MARK}\n")
    return [line[6:].rstrip() for line in block.splitlines() if line.startswith("#")] if found else []


def without_record(cell: str) -> str:
    return cell.partition(f"\n{MARK}\n")[0].rstrip("\n")


def line_matches(expected: str, found: str, tolerance: float) -> bool:
    """Whether two lines say the same: numbers within `tolerance` (relative, or absolute below 1), … for anything."""
    pieces = [" ".join(piece.split()) for piece in expected.split("…")]
    if len(pieces) > 1:
        pattern = ".*".join(re.escape(piece.strip()) for piece in pieces)
        return re.fullmatch(rf"\s*{pattern}\s*", " ".join(found.split())) is not None
    if tolerance == 0:
        return expected == found
    if NUMBER.sub("#", " ".join(expected.split())).replace(" ", "") != NUMBER.sub("#", " ".join(found.split())).replace(" ", ""):
        return False
    pairs = zip(NUMBER.findall(expected), NUMBER.findall(found), strict=True)
    return all(abs(float(a) - float(b)) <= tolerance * max(1.0, abs(float(a))) for a, b in pairs)


def mismatch(expected: list[str], found: list[str], tolerance: float) -> str | None:
    """The first place where two outputs differ, in words."""
    for index, line in enumerate(expected):
        if index >= len(found) or not line_matches(line, found[index], tolerance):
            return f"recorded: {line!r}\nprinted:  {found[index]!r}" if index < len(found) else f"not printed: {line!r}"
    return f"not recorded: {found[len(expected)]!r}" if len(found) > len(expected) else None


def record(path: Path, arguments: list[str]) -> None:
    """Run a lesson cell by cell and write down what each cell printed."""
    sys.argv = [str(path), *arguments]
    main = types.ModuleType("__main__")
    main.__file__ = str(path)
    sys.modules["__main__"] = main
    cells = split_cells(path.read_text())
    for index, cell in enumerate(cells):
        printed = io.StringIO()
        lines_before = sum(part.count("\n") for part in cells[:index])
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * lines_before + cell, str(path), "exec"), vars(main))
        output = [re.sub(r"^Picture: .*/", "Picture: …", line.rstrip()) for line in printed.getvalue().rstrip().splitlines()]
        if mismatch(recorded(cell), output, 0):
            cells[index] = without_record(cell) + "\n"
            if output:
                cells[index] += "\n".join([MARK, *(f"#     {line}".rstrip() for line in output)]) + "\n"
            if index + 1 < len(cells):
                cells[index] += "\n"
    path.write_text("".join(cells))


if __name__ == "__main__":
    record(Path(sys.argv[1]), sys.argv[2:])

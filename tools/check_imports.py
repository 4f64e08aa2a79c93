"""Check that imports in ``src/flambeau`` point downwards only: each layer may import itself and the layers before it.

usage: python tools/check_imports.py

Prints each import that points upwards, wherever it stands in the file, and exits with 1 when there is one.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "flambeau"

#: The layers, lowest first. What stands in one row may import itself and the rows before it; "*" is every other module.
LAYERS = (
    ("version", "py.typed"),
    ("core",),
    ("return_types",),
    ("primitives",),
    ("tracing",),
    ("native",),
    ("autograd",),
    ("operators",),
    ("printing", "storage", "rebuilding", "tensor_memory"),
    ("tensor",),
    ("*",),
    ("vision",),
    ("drop_in", "cli", "__main__"),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
#: Public modules that wrap one layer's names; these may be imported by nobody below the row of "*".
OTHERS = RANK["*"]


def rank(module: str) -> int:
    """The layer of a dotted module path below the package."""
    return RANK.get(module.split(".")[0], OTHERS)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted path below the package) of every import of the package's own modules."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    folder = parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = folder[: len(folder) - node.level + 1]
            if node.module:
                yield node.lineno, ".".join((*base, node.module))
            else:
                for alias in node.names:
                    yield node.lineno, ".".join((*base, alias.name))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "flambeau":
            yield node.lineno, (node.module or "").partition(".")[2] or "*"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "flambeau":
                    yield node.lineno, alias.name.partition(".")[2] or "*"


def main() -> int:
    upward = 0
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts == ("__init__",):
            continue
        here = rank(parts[0])
        for line, module in imports(path):
            if rank(module) > here:
                upward += 1
                print(f"{path.relative_to(PACKAGE.parents[1])}:{line}: {parts[0]} imports {module}, a layer above it")
    print("imports point downwards" if not upward else f"{upward} imports point upwards")
    return 1 if upward else 0


if __name__ == "__main__":
    sys.exit(main())

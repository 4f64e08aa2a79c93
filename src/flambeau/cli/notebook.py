"""A script with ``# %%`` cells as a notebook for Jupyter (nbformat 4.5)."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

_CELL = re.compile(r"# %%\s*(\[markdown\])?.*")


def cells(script: str) -> list[tuple[str, str]]:
    """The cells of a script in order: ("markdown" or "code", text). Its docstring is the first, as text.

    >>> from flambeau.cli.notebook import cells
    >>> cells('"' * 3 + 'Title' + '"' * 3 + '''
    ... # %% [markdown]
    ... # Some *text*.
    ... # %%
    ... print(1)
    ... ''')
    [('markdown', '# Title'), ('markdown', 'Some *text*.'), ('code', 'print(1)')]
    """
    tree = ast.parse(script)
    lines = script.splitlines()
    found: list[tuple[str, list[str]]] = [("code", [])]
    text = ast.get_docstring(tree)
    if text is not None:
        lines = lines[tree.body[0].end_lineno :]
        found = [("markdown", f"# {text}".splitlines()), ("code", [])]
    for line in lines:
        match = _CELL.fullmatch(line)
        if match is not None:
            found.append(("markdown" if match[1] else "code", []))
        elif found[-1][0] == "markdown":
            found[-1][1].append(re.sub(r"^# ?", "", line))
        else:
            found[-1][1].append(line)
    joined = [(kind, "\n".join(each).strip("\n")) for kind, each in found]
    return [(kind, each) for kind, each in joined if each.strip()]


def notebook(script: str, name: str) -> str:
    """The notebook of a script, as JSON. Nothing has been run yet.

    >>> from flambeau.cli.notebook import notebook
    >>> '"nbformat": 4' in notebook("# %%\\nprint(1)", "lesson")
    True
    """
    found = cells(script)
    if any(kind == "code" and "argparse" in text for kind, text in found):
        # Jupyter's own arguments are none of the script's.
        found.insert(1, ("code", f"import sys\n\nsys.argv = [{name!r}]  # its options would follow here"))
    content: dict[str, Any] = {
        "cells": [_cell(number, kind, text) for number, (kind, text) in enumerate(found)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}}
    if kind == "code":
        cell.update(execution_count=None, outputs=[])
    return {**cell, "source": text.splitlines(keepends=True)}

"""Every example in a docstring runs as it stands, and every public operator has a docstring."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

import flambeau
from flambeau.operators.declaration import functions, methods

OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def modules() -> list[str]:
    """The dotted names of every module of the package."""
    return sorted(each.name for each in pkgutil.walk_packages(flambeau.__path__, "flambeau."))


def run(tests: Iterator[doctest.DocTest] | list[doctest.DocTest]) -> list[str]:
    """Run examples; the reports of those that fail."""
    reports: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    for test in tests:
        if test.examples:
            flambeau.manual_seed(0)
            runner.run(test, out=reports.append, clear_globs=True)
    return reports


@pytest.mark.parametrize("name", modules())
def test_examples_of_module(name: str) -> None:
    module = importlib.import_module(name)
    assert not run(doctest.DocTestFinder(exclude_empty=True).find(module, name))


def operators() -> list[tuple[str, Any]]:
    """Declared operators, each once, under its first name."""
    seen: dict[int, tuple[str, Any]] = {}
    for name, function in {**methods, **functions}.items():
        seen.setdefault(id(function), (name, function))
    return sorted(seen.values(), key=lambda item: item[0])


def test_examples_of_operators() -> None:
    finder = doctest.DocTestFinder(recurse=False)
    reports = []
    for name, function in operators():
        reports += run(finder.find(function, name, module=False, globs={}))
    assert not reports, "\n".join(reports)


def test_operators_are_documented() -> None:
    bare = [name for name, function in operators() if not name.startswith("_") and not (function.__doc__ or "").strip()]
    assert not bare

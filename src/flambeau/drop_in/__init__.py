"""Programs written for PyTorch, unmodified: ``import torch`` gives flambeau.

``flambeau run train.py`` runs a program so; :func:`install` does the same from Python. From then on ``torch``,
``torchvision`` and what lies in them are flambeau's own modules (the same objects, so a class is one class under both
names), in this process, in its child processes and data loading workers, and in installed packages that import torch.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from . import finder

__all__ = ["environment", "install", "installed", "uninstall"]

_STARTUP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "startup")

#: What `install` has put aside: modules of the real torch by name.
_aside: dict[str, Any] = {}


def _stood_for() -> list[str]:
    """The names in ``sys.modules`` that are torch's or torchvision's, whoever answers for them."""
    return [name for name in sys.modules if finder.translated(name) is not None]


def _is_ours(name: str) -> bool:
    return getattr(sys.modules[name], "__name__", "").partition(".")[0] == "flambeau"


def installed() -> bool:
    """Whether ``import torch`` gives flambeau in this process.

    >>> from flambeau import drop_in
    >>> drop_in.installed()
    False
    """
    return any(type(each).__module__ == finder.__name__ for each in sys.meta_path)


def environment(variables: Any = None) -> dict[str, str]:
    """Environment variables for a Python process in which ``import torch`` gives flambeau, from the start.

    Args:
        variables: the variables to begin with (``os.environ``).

    >>> from flambeau import drop_in
    >>> drop_in.environment({"PYTHONPATH": "mine"})["PYTHONPATH"].split(":")[1:]
    ['mine']
    """
    variables = dict(os.environ if variables is None else variables)
    rest = [each for each in variables.get("PYTHONPATH", "").split(os.pathsep) if each and each != _STARTUP]
    return {**variables, "PYTHONPATH": os.pathsep.join([_STARTUP, *rest])}


def install(*, replace: bool = False) -> None:
    """Let ``import torch`` and ``import torchvision`` give flambeau from now on, in child processes as well.

    An installed PyTorch stays as it is on disk, and other programs find it as ever.

    Args:
        replace: when the real torch is imported already, put its modules aside until :func:`uninstall`. What holds
            objects of it goes on using it.

    Raises:
        RuntimeError: the real torch is imported already, and ``replace`` is false.

    >>> from flambeau import drop_in
    >>> drop_in.install(replace=True)
    >>> import torch, flambeau
    >>> torch is flambeau, torch.nn.Linear is flambeau.nn.Linear
    (True, True)
    >>> drop_in.uninstall()
    """
    theirs = [name for name in _stood_for() if not _is_ours(name)]
    if theirs and not replace:
        raise RuntimeError(
            f"{min(theirs)} is imported already, and it is not flambeau. Call flambeau.drop_in.install() before anything "
            "imports torch, run the program with `flambeau run`, or say install(replace=True) to put those modules aside"
        )
    for name in theirs:
        _aside[name] = sys.modules.pop(name)
    finder.enter()
    os.environ["PYTHONPATH"] = environment()["PYTHONPATH"]


def uninstall() -> None:
    """Undo :func:`install`: ``import torch`` finds the real one, or nothing. Does nothing when it is not installed.

    >>> from flambeau import drop_in
    >>> drop_in.uninstall()
    """
    finder.leave()
    for name in _stood_for():
        if _is_ours(name):
            del sys.modules[name]
    sys.modules.update(_aside)
    _aside.clear()
    paths = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each and each != _STARTUP]
    if paths:
        os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    else:
        os.environ.pop("PYTHONPATH", None)
    finder.restore_version()

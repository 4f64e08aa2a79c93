"""Python runs this when it starts with this folder in PYTHONPATH: the drop-in for a program and its child processes.

It hides the environment's own ``sitecustomize``, so it runs that one too.
"""

import importlib.util
import os
import sys
from importlib.machinery import PathFinder

_HERE = os.path.dirname(os.path.abspath(__file__))
_DROP_IN = os.path.dirname(_HERE)
_NAME = "flambeau.drop_in.finder"


def _enter() -> None:
    if importlib.util.find_spec("flambeau") is None:
        # The parent found flambeau by changing sys.path, which a child does not inherit.
        sys.path.append(os.path.dirname(os.path.dirname(_DROP_IN)))
    spec = importlib.util.spec_from_file_location(_NAME, os.path.join(_DROP_IN, "finder.py"))
    assert spec is not None and spec.loader is not None
    finder = sys.modules[_NAME] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(finder)
    finder.enter()


def _run_hidden() -> None:
    hidden = PathFinder.find_spec("sitecustomize")
    if hidden is not None and hidden.loader is not None:
        module = importlib.util.module_from_spec(hidden)
        sys.modules["sitecustomize"] = module
        hidden.loader.exec_module(module)


sys.path[:] = [each for each in sys.path if os.path.abspath(each) != _HERE]
_enter()
_run_hidden()

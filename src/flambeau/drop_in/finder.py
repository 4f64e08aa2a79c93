"""The import hook: ``torch`` and ``torchvision`` are flambeau's own modules under another name.

This file needs nothing but the standard library and does not import flambeau until a program asks for torch, so that
every child process of a program can afford it (``startup/sitecustomize.py``).
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

#: Packages that flambeau stands for, and the module that answers for each.
STANDS_FOR = {"torch": "flambeau", "torchvision": "flambeau.vision", "functorch": "flambeau.func"}

#: The versions whose interfaces these are; torchvision's goes with torch's.
VERSIONS = {"torch": "2.13.0", "torchvision": "0.28.0"}

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def translated(name: str) -> str | None:
    """The module of flambeau that a dotted name means; None for packages that have nothing to do with it.

    >>> from flambeau.drop_in.finder import translated
    >>> translated("torch.nn.functional"), translated("torchvision.transforms"), translated("numpy")
    ('flambeau.nn.functional', 'flambeau.vision.transforms', None)
    """
    top, _, rest = name.partition(".")
    if top not in STANDS_FOR:
        return None
    return f"{STANDS_FOR[top]}.{rest}" if rest else STANDS_FOR[top]


def version(package: str) -> str:
    """The version a package reports under the drop-in: PyTorch's, and flambeau's as its local part."""
    # From its file: whoever lists the installed packages does not want flambeau imported.
    from runpy import run_path

    return f"{VERSIONS[package]}+flambeau{run_path(os.path.join(_PACKAGE, 'version.py'))['flambeau_version']}"


def _found(name: str) -> ModuleSpec | None:
    """The spec of a module of ours, without importing it (only the packages it lies in); None when there is none."""
    loaded = sys.modules.get(name)
    if loaded is not None:
        return loaded.__spec__
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # an optional package that a part of flambeau needs
        return None


class Alias:
    """A loader that answers with a module of flambeau's: the same object, whatever name it is asked for by."""

    def __init__(self, ours: str) -> None:
        self.ours = ours
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        parent, _, child = self.ours.rpartition(".")
        if parent:
            taken = getattr(importlib.import_module(parent), child, None)
            if taken is not None and not isinstance(taken, ModuleType):
                # A file of ours, named like a function: `tensor`. Importing would put the one in place of the other.
                raise ModuleNotFoundError(f"No module named {spec.name!r}", name=spec.name)
        module = importlib.import_module(self.ours)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: Any) -> None:
        module.__spec__ = self._spec  # the import system has entered the alias's, but the module is what it was
        if self.ours == "flambeau":
            report_version(module)
        elif self.ours == "flambeau.vision":
            module.__version__ = version("torchvision")

    def get_code(self, name: str) -> Any:
        """The module's code, for ``python -m``."""
        found = _found(self.ours)
        loader: Any = found.loader if found is not None else None
        return loader.get_code(self.ours)


def report_version(module: Any) -> None:
    """Let flambeau answer with PyTorch's version."""
    torch_version = importlib.import_module("flambeau.torch_version")
    numbers: Any = importlib.import_module("flambeau.version")
    module.__version__ = torch_version.TorchVersion(version("torch"))
    numbers.__version__ = str(module.__version__)


def restore_version() -> None:
    """Undo :func:`report_version`."""
    for name in ("flambeau", "flambeau.version"):
        if name in sys.modules:
            module: Any = sys.modules[name]
            module.__version__ = sys.modules["flambeau.version"].flambeau_version


class Finder:
    """What stands in ``sys.meta_path``."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """How to load ``name`` when it is torch's or torchvision's."""
        ours = translated(name)
        if ours is None:
            return None
        found = _found(ours)
        if found is None:
            return None
        is_package = found.submodule_search_locations is not None
        return ModuleSpec(name, Alias(ours), origin=found.origin, is_package=is_package)  # type: ignore[arg-type]

    def find_distributions(self, context: Any = None) -> Any:
        """Metadata for ``importlib.metadata.version("torch")``."""
        wanted = getattr(context, "name", None)
        for package in VERSIONS:
            if wanted is None or wanted.lower().replace("_", "-") == package:
                yield _distribution(package)

    def invalidate_caches(self) -> None:
        """Called by ``importlib.invalidate_caches``; nothing is cached here."""


def _distribution(package: str) -> Any:
    from importlib.metadata import Distribution
    from pathlib import Path

    texts = {
        "METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version(package)}\n"
        "Summary: flambeau, standing in for this package\n",
        "top_level.txt": f"{package}\n",
        "INSTALLER": "flambeau\n",
    }

    class StandIn(Distribution):
        def read_text(self, filename: Any) -> str | None:
            return texts.get(str(filename))

        def locate_file(self, path: Any) -> Any:
            return Path(_PACKAGE).parent / path

    return StandIn()


def enter() -> None:
    """Put the finder first in ``sys.meta_path``, once."""
    if not any(isinstance(each, Finder) for each in sys.meta_path):
        sys.meta_path.insert(0, Finder())


def leave() -> None:
    """Take it out again."""
    sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, Finder)]

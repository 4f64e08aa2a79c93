"""Tools around training: loading data, hooks and the like. Each part is imported when it is first touched."""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Parts that are modules of their own, imported on first use.
SUBMODULES = ("benchmark", "checkpoint", "collect_env", "data", "dlpack", "hooks", "model_zoo", "tensorboard")

__all__ = list(SUBMODULES)


def __getattr__(name: str) -> Any:
    if name in SUBMODULES:
        try:
            return import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")

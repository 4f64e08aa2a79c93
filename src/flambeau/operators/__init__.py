"""PyTorch's operators: each declared once, its meaning in primitives beside its derivative. One file a family.

Importing ``all_families`` declares them all; ``declaration.functions`` and ``declaration.methods`` then hold them by
name, and ``operators.name`` finds a function without saying which family it is of.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    from .declaration import functions

    if name not in functions:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    found = globals()[name] = functions[name]
    return found

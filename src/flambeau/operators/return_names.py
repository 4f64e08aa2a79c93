"""The named tuples that operators of several results return."""

from __future__ import annotations

from typing import Any


def named(name: str) -> Any:
    """What makes the named tuple of an operator's results."""

    def returns(results: Any) -> Any:
        from .. import return_types

        return getattr(return_types, name)(results)

    return returns

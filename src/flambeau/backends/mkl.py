"""Intel's MKL. flambeau uses OpenBLAS."""

from __future__ import annotations

from typing import Any, Literal

VERBOSE_OFF = 0
VERBOSE_ON = 1


def is_available() -> bool:
    """Whether MKL is used: no."""
    return False


class verbose:
    """Context in which MKL reports its calls: there are none."""

    def __init__(self, enable: int) -> None:
        self.enable = enable

    def __enter__(self) -> verbose:
        return self

    def __exit__(self, *exception: Any) -> Literal[False]:
        return False

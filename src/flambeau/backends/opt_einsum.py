"""How ``einsum`` orders its contractions."""

from __future__ import annotations

enabled = True
strategy: str | None = "auto"


def is_available() -> bool:
    """Whether the opt_einsum package is used: no, ``einsum`` chooses by itself."""
    return False
